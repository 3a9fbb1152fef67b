package plugin

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"zeroth/kernels/dl"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// Limits of what a table says.
const (
	maxTableBytes = 4096
	maxName       = 32
	maxVersion    = 64
	maxAbout      = 200
)

// Setting is an option for a plug-in, key=value.
type Setting struct{ Key, Value string }

// Options say how a plug-in is opened.
type Options struct {
	Settings []Setting
	// Log takes a line for the user: what the plug-in logs, and that one of its
	// kernels is done without. Nil drops them. It may be called by any
	// goroutine that runs a kernel.
	Log func(line string)
	// Step, if not nil, is told of each stage of opening as it is passed, with
	// what was found.
	Step func(name, found string)
}

// ParseArgument splits "libx.so,key=value,…" into the library's name and its
// settings.
func ParseArgument(text string) (name string, settings []Setting, err error) {
	parts := strings.Split(text, ",")
	if strings.ContainsRune(text, 0) || parts[0] == "" {
		return "", nil, fmt.Errorf("%w: %q names no library", ErrFile, text)
	}
	for _, part := range parts[1:] {
		key, value, found := strings.Cut(part, "=")
		if !found || key == "" {
			return "", nil, fmt.Errorf("%w: %s: option %q is not key=value", ErrFile, parts[0], part)
		}
		settings = append(settings, Setting{key, value})
	}
	return parts[0], settings, nil
}

// Plugin is a loaded plug-in. It is never unloaded. Its methods may be called
// from several goroutines.
type Plugin struct {
	path, name, version, about string

	score   int
	table   *cTable
	state   uintptr
	log     func(line string)
	host    *cHost
	pinned  runtime.Pinner // host and all that it points to, for good
	failed  []atomic.Bool  // by op.ID: Preferred does without the plug-in
	library *dl.Library
}

// Steps are the stages of Open in their order.
func Steps() []string {
	return []string{"file", "load", "symbols", "table", "functions", "score", "open"}
}

// Open loads a library and opens the plug-in in it. The name of a file has a
// slash; another is looked for where the system keeps its libraries.
func Open(name string, o Options) (*Plugin, error) {
	step := o.Step
	if step == nil {
		step = func(string, string) {}
	}
	p := &Plugin{path: name, log: o.Log, failed: make([]atomic.Bool, len(op.All())+1)}
	if p.log == nil {
		p.log = func(string) {}
	}
	path, found, err := locate(name)
	if err != nil {
		return nil, err
	}
	step("file", found)
	if p.library, err = dl.Open(path); err != nil {
		return nil, err
	}
	step("load", "its dependencies were found")
	for _, stage := range []struct {
		name string
		do   func() (string, error)
	}{
		{"symbols", p.findTable},
		{"table", p.readTable},
		{"functions", p.checkFunctions},
		{"score", p.askScore},
		{"open", func() (string, error) { return p.open(o.Settings) }},
	} {
		if found, err = stage.do(); err != nil {
			return nil, err
		}
		step(stage.name, found)
	}
	return p, nil
}

// Path is the name that the plug-in was opened by.
func (p *Plugin) Path() string { return p.path }

// Name is what the plug-in calls itself.
func (p *Plugin) Name() string { return p.name }

// Version is the plug-in's own.
func (p *Plugin) Version() string { return p.version }

// About is a line on what it is.
func (p *Plugin) About() string { return p.about }

// Score is how well it suits this machine, 1 to 1000.
func (p *Plugin) Score() int { return p.score }

// HasKernels reports whether it offers kernels.
func (p *Plugin) HasKernels() bool { return p.table.kernelRun != 0 }

// HasDelegate reports whether it offers a delegate.
func (p *Plugin) HasDelegate() bool { return p.table.executableRun != 0 }

// Levels names what it offers.
func (p *Plugin) Levels() []string {
	var levels []string
	if p.HasKernels() {
		levels = append(levels, "kernels")
	}
	if p.HasDelegate() {
		levels = append(levels, "delegate")
	}
	return levels
}

func (p *Plugin) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrTable, p.path, fmt.Errorf(format, args...))
}

func (p *Plugin) findTable() (string, error) {
	if _, err := p.library.Symbol(scoreSymbol); err != nil {
		return "", p.wrong("%w", err)
	}
	address, err := p.library.Symbol(tableSymbol)
	if err != nil {
		return "", p.wrong("%w", err)
	}
	if address == 0 || address%unsafe.Alignof(cTable{}) != 0 {
		return "", p.wrong("%s lies at %#x", tableSymbol, address)
	}
	p.table = *(**cTable)(unsafe.Pointer(&address)) // C's memory, which stays
	return scoreSymbol + ", " + tableSymbol, nil
}

// readTable reads no more of the table than its version and size allow.
func (p *Plugin) readTable() (string, error) {
	t := p.table
	if t.abiVersion != abiVersion {
		return "", p.wrong("its ABI version is %d, this build's is %d: compile it with this build's zeroth_backend.h", t.abiVersion, abiVersion)
	}
	if t.size < sizeOf[cTable]() || t.size > maxTableBytes {
		return "", p.wrong("its table says that it has %d bytes, ABI version %d has %d: set size to sizeof(zeroth_table)", t.size, abiVersion, sizeOf[cTable]())
	}
	for i, r := range t.reserved {
		if r != 0 {
			return "", p.wrong("reserved[%d] of its table is not 0", i)
		}
	}
	for _, text := range []struct {
		name  string
		from  *byte
		to    *string
		limit int
	}{{"name", t.name, &p.name, maxName}, {"version", t.version, &p.version, maxVersion}, {"about", t.about, &p.about, maxAbout}} {
		s, ok := goString(text.from, text.limit)
		if !ok {
			return "", p.wrong("%s of its table is NULL or longer than %d bytes", text.name, text.limit)
		}
		*text.to = printable(s)
	}
	if p.name == "" || strings.Trim(p.name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "", p.wrong("its name %q is not made of a-z, 0-9, _ and -", p.name)
	}
	return fmt.Sprintf("%s %s: %s; ABI version %d", p.name, p.version, p.about, t.abiVersion), nil
}

// checkFunctions wants open and, of each level, all functions or none.
func (p *Plugin) checkFunctions() (string, error) {
	var missing []string
	if p.table.open == 0 {
		missing = append(missing, "open")
	}
	levels := 0
	for _, list := range [][]function{p.table.kernelFunctions(), p.table.delegateFunctions()} {
		var lacks []string
		for _, f := range list {
			if f.address == 0 {
				lacks = append(lacks, f.name)
			}
		}
		if len(lacks) < len(list) {
			levels++
			missing = append(missing, lacks...)
		}
	}
	if len(missing) > 0 {
		return "", p.wrong("NULL functions: %s", strings.Join(missing, ", "))
	}
	if levels == 0 {
		return "", p.wrong("it offers neither kernels nor a delegate: all their functions are NULL")
	}
	if unknown := (p.table.kernelFlags | p.table.delegateFlags) &^ flagConcurrent; unknown != 0 {
		return "", p.wrong("flags %#x of its table are not known", unknown)
	}
	return strings.Join(p.Levels(), " and "), nil
}

func (p *Plugin) askScore() (string, error) {
	address, err := p.library.Symbol(scoreSymbol)
	if err != nil {
		return "", p.wrong("%w", err)
	}
	score := uint32(dl.Call(address))
	if score == 0 {
		return "", fmt.Errorf("%w: %s: its score for this machine is 0", ErrUnusable, p.path)
	}
	if score > maxScore {
		return "", p.wrong("its score is %d, must be 0 to %d", score, maxScore)
	}
	p.score = int(score)
	return fmt.Sprint(score), nil
}

// open makes the host's struct, which stays for good, and the plug-in's state.
func (p *Plugin) open(settings []Setting) (string, error) {
	log, err := logCallback()
	if err != nil {
		return "", err
	}
	quantiles := noise.QuantileTable()
	var keys, values []*byte
	for _, s := range settings {
		keys, values = append(keys, cString(s.Key)), append(values, cString(s.Value))
	}
	p.host = &cHost{
		size: sizeOf[cHost](), abiVersion: abiVersion, name: cString("zeroth"), log: log,
		optionKeys: first(keys), optionValues: first(values), optionCount: uint32(len(settings)),
		quantiles: first(quantiles), quantileCount: uint32(len(quantiles)),
	}
	p.pinned.Pin(p.host)
	p.pinned.Pin(p.host.name)
	for i := range keys {
		p.pinned.Pin(keys[i])
		p.pinned.Pin(values[i])
	}
	if len(keys) > 0 {
		p.pinned.Pin(p.host.optionKeys)
		p.pinned.Pin(p.host.optionValues)
	}
	hosts.Store(p.host, p)
	f := newFault()
	err = p.call("open", p.table.open, flagConcurrent, f, uintptr(unsafe.Pointer(p.host)), uintptr(unsafe.Pointer(&p.state)), f.pointer())
	if errors.Is(err, ErrUnsupported) {
		err = fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	names := "none"
	if len(settings) > 0 {
		names = ""
		for _, s := range settings {
			names = strings.TrimPrefix(names+", "+s.Key, ", ")
		}
	}
	return "options: " + names, err
}

// serial is held during a call into a library that is for one call at a time.
var serial sync.Mutex

// call calls a function of the table, alone if its level's flags want that.
//
//go:uintptrescapes
func (p *Plugin) call(name string, address uintptr, flags uint32, f *fault, args ...uintptr) error {
	f.clear()
	if flags&flagConcurrent == 0 {
		serial.Lock()
		defer serial.Unlock()
	}
	return f.check(p.name, name, dl.Call(address, args...))
}

// release calls a function that frees something and returns nothing.
func (p *Plugin) release(address uintptr, flags uint32, what uintptr) {
	if flags&flagConcurrent == 0 {
		serial.Lock()
		defer serial.Unlock()
	}
	dl.Call(address, what)
}

// hosts finds the plug-in of a *cHost: a log callback cannot be made for each.
var hosts sync.Map

// logCallback makes the one callback of this package.
var logCallback = sync.OnceValues(func() (uintptr, error) {
	return dl.Callback(func(host *cHost, level uint32, message *byte, length uint64) uintptr {
		if p, known := hosts.Load(host); known && message != nil {
			p.(*Plugin).logged(level, string(unsafe.Slice(message, min(length, maxLogged))))
		}
		return 0
	})
})

// maxLogged is what is shown of a line that a plug-in logs.
const maxLogged = 1000

var logLevels = [...]string{"", "warning: ", "error: "}

func (p *Plugin) logged(level uint32, message string) {
	p.log(p.name + ": " + logLevels[min(level, uint32(len(logLevels)-1))] + printable(message))
}
