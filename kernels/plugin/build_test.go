package plugin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// compiler gives the C compiler, or skips where there is none.
func compiler(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("none of %q here", names)
	return ""
}

// compile runs a compiler, and shows what it says where it fails.
func compile(t *testing.T, cc, out string, arguments ...string) error {
	t.Helper()
	command := exec.Command(cc, append(arguments, "-o", out)...)
	text, err := command.CombinedOutput()
	if err != nil {
		t.Logf("%s: %s", command, text)
	}
	return err
}

// strict are the flags that plug-ins are to compile with.
var strict = []string{"-std=c99", "-pedantic", "-Wall", "-Werror", "-fPIC", "-shared", "-ffp-contract=off", "-I."}

// built are the libraries made so far, by what they were made of.
var (
	built       = make(map[string]string)
	buildFolder string
)

func TestMain(m *testing.M) {
	code := func() int {
		folder, err := os.MkdirTemp("", "zeroth-plugin")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		buildFolder = folder
		return m.Run()
	}()
	os.Exit(code)
}

// build makes a library of C sources, once.
func build(t *testing.T, sources, flags []string) string {
	t.Helper()
	cc, key := compiler(t, "cc"), strings.Join(append(sources, flags...), " ")
	if built[key] == "" {
		out := filepath.Join(buildFolder, fmt.Sprintf("lib%d.so", len(built)))
		if err := compile(t, cc, out, slices.Concat(strict, sources, flags)...); err != nil {
			t.Fatal(err)
		}
		built[key] = out
	}
	return built[key]
}

// sloppy makes the plug-in of testdata with macros, which may leave functions
// unused.
func sloppy(t *testing.T, macros ...string) string {
	t.Helper()
	flags := []string{"-D_GNU_SOURCE", "-Wno-parentheses", "-Wno-unused-function"}
	for _, m := range macros {
		flags = append(flags, "-D"+m)
	}
	return build(t, []string{"testdata/sloppy.c"}, flags)
}

// example gives the sources of a plug-in in examples/plugins.
func example(t *testing.T, name string) []string {
	t.Helper()
	files, err := filepath.Glob(testdata.Repo("examples/plugins/" + name + "/*.c"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of %s: %v", name, err)
	}
	return files
}

// openBLAS makes the example that links OpenBLAS, or skips where that is not
// installed.
func openBLAS(t *testing.T) string {
	t.Helper()
	cc := compiler(t, "cc")
	if err := exec.Command(cc, "-fsyntax-only", "-include", "cblas.h", "-xc", os.DevNull).Run(); err != nil {
		t.Skip("no cblas.h here (Debian: apt-get install libopenblas-dev)")
	}
	return build(t, example(t, "openblas"), []string{"-lopenblas"})
}

func lines(log *[]string) func(string) { return func(line string) { *log = append(*log, line) } }

func contains(list []string, text string) bool {
	return strings.Contains(strings.Join(list, "\n"), text)
}
