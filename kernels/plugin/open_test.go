package plugin

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"zeroth/kernels/dl"
)

func TestParseArgument(t *testing.T) {
	name, settings, err := ParseArgument("./a/libx.so,threads=4,path=/a=b")
	if err != nil || name != "./a/libx.so" || len(settings) != 2 || settings[0] != (Setting{"threads", "4"}) || settings[1] != (Setting{"path", "/a=b"}) {
		t.Errorf("%q %q %v", name, settings, err)
	}
	for _, text := range []string{"", ",a=b", "libx.so,", "libx.so,threads", "libx.so,=4", "libx.so\x00"} {
		if _, _, err := ParseArgument(text); !errors.Is(err, ErrFile) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Libraries with a fault are refused before anything else of them is called.
func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		what, macro string
		kind        error
		says        string
	}{
		{"a future ABI", "ABI=2", ErrTable, "its ABI version is 2, this build's is 1"},
		{"a NULL function", "RUN=NULL", ErrTable, "NULL functions: kernel_run"},
		{"a score of nonsense", "SCORE=-1", ErrTable, "its score is 4294967295"},
		{"another machine's", "SCORE=0", ErrUnusable, "its score for this machine is 0"},
		{"no table", "TABLE=some_table", ErrFile, "it exports no zeroth_backend_table"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if _, err := Open(sloppy(t, c.macro), Options{}); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want it to say %q", err, c.says)
			}
		})
	}
}

// soundTable is a table that passes.
func soundTable() *cTable {
	return &cTable{
		size: sizeOf[cTable](), abiVersion: abiVersion, name: cString("a-name_1"), version: cString("1"), about: cString("a test"), open: 1,
		kernelQuery: 1, kernelBind: 1, kernelRun: 1, kernelUnbind: 1,
		nodeQuery: 1, sessionOpen: 1, partitionCompile: 1, slotWrite: 1, slotRead: 1,
		executableRun: 1, executableFetch: 1, executableDestroy: 1, sessionClose: 1,
	}
}

// Each fault of a table is named, and nothing of it is called.
func TestTableFaults(t *testing.T) {
	long := strings.Repeat("a", 500)
	for what, c := range map[string]struct {
		spoil func(*cTable)
		says  string
	}{
		"nothing":           {func(*cTable) {}, ""},
		"no delegate":       {func(c *cTable) { clear(delegateOf(c)) }, ""},
		"a larger one":      {func(c *cTable) { c.size += 64 }, ""},
		"no ABI":            {func(c *cTable) { c.abiVersion = 0 }, "its ABI version is 0"},
		"short":             {func(c *cTable) { c.size = 8 }, "its table says that it has 8 bytes"},
		"a byte short":      {func(c *cTable) { c.size-- }, "its table says that it has"},
		"endless":           {func(c *cTable) { c.size = 1<<32 - 1 }, "its table says that it has 4294967295 bytes"},
		"no name":           {func(c *cTable) { c.name = nil }, "name of its table is NULL or longer than 32 bytes"},
		"an empty name":     {func(c *cTable) { c.name = cString("") }, `its name "" is not made of`},
		"a slash":           {func(c *cTable) { c.name = cString("a/b") }, `its name "a/b" is not made of`},
		"a long name":       {func(c *cTable) { c.name = cString(long[:33]) }, "longer than 32 bytes"},
		"no version":        {func(c *cTable) { c.version = nil }, "version of its table is NULL"},
		"a long about":      {func(c *cTable) { c.about = cString(long) }, "about of its table is NULL or longer than 200 bytes"},
		"reserved":          {func(c *cTable) { c.reserved[7] = 1 }, "reserved[7] of its table is not 0"},
		"unknown flags":     {func(c *cTable) { c.delegateFlags = 6 }, "flags 0x6"},
		"NULL functions":    {func(c *cTable) { c.open, c.kernelBind, c.slotRead = 0, 0, 0 }, "NULL functions: open, kernel_bind, slot_read"},
		"nothing to offer":  {func(c *cTable) { clear(delegateOf(c)); clear(kernelsOf(c)) }, "neither kernels nor a delegate"},
		"half of a level":   {func(c *cTable) { clear(delegateOf(c)); c.sessionClose = 1 }, "NULL functions: node_query, session_open"},
		"not even an open":  {func(c *cTable) { c.open = 0 }, "NULL functions: open"},
		"an unending about": {func(c *cTable) { c.about = &[]byte(long)[0] }, "about of its table"},
	} {
		p := &Plugin{path: "libx.so", table: soundTable()}
		c.spoil(p.table)
		_, err := p.readTable()
		if err == nil {
			_, err = p.checkFunctions()
		}
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case c.says != "" && (!errors.Is(err, ErrTable) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v; want it to say %q", what, err, c.says)
		}
	}
}

func kernelsOf(c *cTable) []uintptr { return unsafe.Slice(&c.kernelQuery, 4) }

func delegateOf(c *cTable) []uintptr { return unsafe.Slice(&c.nodeQuery, 9) }

func TestOpenTellsItsSteps(t *testing.T) {
	path := sloppy(t)
	var steps []string
	p, err := Open(path, Options{Step: func(name, found string) { steps = append(steps, name+": "+found) }})
	if err != nil {
		t.Fatal(err)
	}
	if p.Name() != "sloppy" || p.Version() != "0" || p.About() != "for tests" || p.Score() != 10 || p.Path() != path {
		t.Errorf("%q %q %q %d %q", p.Name(), p.Version(), p.About(), p.Score(), p.Path())
	}
	if !p.HasKernels() || p.HasDelegate() || len(p.Levels()) != 1 {
		t.Errorf("levels %q", p.Levels())
	}
	for _, want := range []string{"file: ELF for", "load: ", "symbols: ", "table: sloppy 0: for tests; ABI version 1", "functions: kernels", "score: 10", "open: "} {
		if !contains(steps, want) {
			t.Errorf("no %q in %q", want, steps)
		}
	}
}

func TestOpenReportsWhatThePluginSays(t *testing.T) {
	path := sloppy(t)
	for _, c := range []struct {
		settings []Setting
		kind     error
		says     string
	}{
		{[]Setting{{"fault", "open"}}, ErrCall, "sloppy: open: failed: no[31m device found"},
		{[]Setting{{"colour", "red"}}, ErrUnusable, "sloppy: open: unsupported: the only option is fault"},
	} {
		_, err := Open(path, Options{Settings: c.settings})
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%q; want it to say %q", err, c.says)
		}
	}
}

// What is no library for this machine is refused before it is loaded.
func TestOpenOfOtherFiles(t *testing.T) {
	folder := t.TempDir()
	write := func(name, contents string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	header := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9)
	for _, c := range []struct{ path, says string }{
		{"", "no name"},
		{filepath.Join(folder, "missing.so"), "no such file"},
		{folder, "not a regular file"},
		{write("empty.so", ""), "too short"},
		{write("text.so", "hello, world"), "it is no library"},
		{write("dll.so", "MZ\x00\x00"), "library in PE"},
		{write("cut.so", header), ""},
		{write("program.so", header+"\x02\x00\x3e\x00\x01\x00\x00\x00"+strings.Repeat("\x00", 28)+"\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00\x00"), "link it with -shared"},
	} {
		if _, err := Open(c.path, Options{}); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want it to say %q", c.path, err, c.says)
		}
	}
	if _, err := Open("libzeroth-missing.so.7", Options{}); !errors.Is(err, dl.ErrLibrary) && !errors.Is(err, dl.ErrUnavailable) {
		t.Errorf("a library that is nowhere: %v", err)
	}
	t.Chdir(folder)
	if _, err := Open("text.so", Options{}); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "./text.so") {
		t.Errorf("a file named without a slash: %v", err)
	}
}

// A library for another processor or system is named for what it is.
func TestInspect(t *testing.T) {
	path := sloppy(t)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct{ goos, goarch, says string }{
		{"linux", "riscv64", "and this is riscv64"},
		{"darwin", "arm64", "it is a library in ELF, and darwin takes Mach-O"},
		{"windows", "amd64", "windows takes PE"},
	} {
		if _, err := inspect(file, c.goos, c.goarch); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s/%s: %v", c.goos, c.goarch, err)
		}
	}
}

// No file makes the inspection panic.
func FuzzInspect(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"), "linux")
	f.Add([]byte("MZ"), "windows")
	f.Add([]byte("\xcf\xfa\xed\xfe"), "darwin")
	f.Add([]byte("\xca\xfe\xba\xbe\x00\x00\x00\x02"), "darwin")
	if self, err := os.Executable(); err == nil {
		if file, err := os.Open(self); err == nil {
			start := make([]byte, 4096)
			n, _ := io.ReadFull(file, start)
			f.Add(start[:n], runtime.GOOS)
			file.Close()
		}
	}
	f.Fuzz(func(t *testing.T, contents []byte, goos string) {
		if about, err := inspect(strings.NewReader(string(contents)), goos, "amd64"); err == nil && about == "" {
			t.Error("neither said what it is nor refused")
		}
	})
}
