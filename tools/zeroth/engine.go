package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/kernels/cpu"
	"zeroth/kernels/plugin"
	"zeroth/kernels/ref"
	"zeroth/mpzo/tokenizer"
	"zeroth/mpzo/train"
	"zeroth/runtime/backend"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

// errNoTokenizer is returned where text is given to a program without one.
var errNoTokenizer = errors.New("the program carries no tokenizer, so it cannot read text")

// engine says what runs a program.
type engine struct {
	Backend string
	// find finds the backend's kernels; a device is opened at the first call.
	find    func() (backend.Backend, error)
	plugins func() ([]*plugin.Plugin, error) // those of --plugin, loaded at the first call
	Threads int
	CPUs    platform.CPUs // none: wherever the system puts the threads
	// MemLimit is what a session may take, weights included; 0: what there is.
	MemLimit int64
	Sizes    []string  // the command's flags that decide what memory it takes
	keep     bool      // sessions keep all values
	probing  bool      // sessions are refused, and say what memory they need
	onHost   []string  // methods that a delegate is not given
	notices  io.Writer // where it is said what a delegate runs; nil: nowhere
	// command ends when the command is interrupted, and with it what a backend
	// takes long for; nil: never.
	command context.Context
}

func engineFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "backend", Value: "cpu", Usage: "`NAME` of the kernels to run on: cpu, ref (plain, slow, exact), vulkan:0 or opencl:0, devices of zeroth devices, or plugin:NAME, one of --plugin"},
		pluginFlag(),
		&cli.IntFlag{Name: "threads", Usage: "number of threads `N`; any gives the same bits", DefaultText: "all cores"},
		cpusFlag(),
		memLimitFlag(),
	}
}

func cpusFlag() cli.Flag {
	return &cli.StringFlag{Name: "cpus", Usage: "run on the CPUs of this `LIST` alone, such as 0-3,6; a thread each unless --threads says otherwise (Linux, Android)"}
}

// readCPUs reads --cpus and sees that the machine has them.
func readCPUs(c *cli.Context) (platform.CPUs, error) {
	if !c.IsSet("cpus") {
		return nil, nil
	}
	cpus, err := platform.ParseCPUs(c.String("cpus"))
	if err == nil {
		err = cpus.Check()
	}
	if err != nil {
		return nil, withHint(usagef("--cpus: %w", err), "zeroth devices lists the CPUs")
	}
	return cpus, nil
}

// newEngine is an engine on a backend without plug-ins, its threads wherever the
// system puts them.
func newEngine(name string) engine {
	return engine{
		Backend: name,
		find:    sync.OnceValues(func() (backend.Backend, error) { return findBackend(name) }),
		plugins: func() ([]*plugin.Plugin, error) { return nil, nil },
	}
}

// pluginEngine is an engine on the backend and with the plug-ins of a command's
// flags.
func pluginEngine(c *cli.Context) (engine, error) {
	e := newEngine(c.String("backend"))
	plugins, err := readPlugins(c)
	if err != nil {
		return e, err
	}
	e.plugins, e.notices, e.command = plugins, c.App.ErrWriter, c.Context
	if isPlugin(e.Backend) {
		e.find = sync.OnceValues(func() (backend.Backend, error) { return findPlugin(e.Backend, plugins) })
	}
	return e, nil
}

// beside is an engine on another backend, to compare e with: by as many threads on
// the same CPUs, and without e's plug-ins unless one of them is that backend.
func (e engine) beside(name string) engine {
	other := newEngine(name)
	other.Threads, other.CPUs, other.Sizes, other.MemLimit = e.Threads, e.CPUs, e.Sizes, e.MemLimit
	other.notices, other.command = e.notices, e.command
	if isPlugin(name) {
		other.find = sync.OnceValues(func() (backend.Backend, error) { return findPlugin(name, e.plugins) })
	}
	return other
}

func readEngine(c *cli.Context) (engine, error) {
	e, err := pluginEngine(c)
	if err != nil {
		return e, err
	}
	e.Threads, e.Sizes = c.Int("threads"), sizeFlags(c.Command)
	if e.Threads < 0 || e.Threads > 1024 {
		return e, usagef("--threads %d: must be 0 to 1024", e.Threads)
	}
	if c.IsSet("mem-limit") {
		if e.MemLimit, err = readBytes(c.String("mem-limit")); err != nil {
			return e, usagef("--mem-limit: %w", err)
		}
	}
	e.CPUs, err = readCPUs(c)
	return e, err
}

// sizeFlags lists the flags to lower where a command needs too much memory.
func sizeFlags(command *cli.Command) []string {
	var names []string
	for _, flag := range command.Flags {
		switch name := flag.Names()[0]; name {
		case "q", "batch", "max-tokens", "tokens", "sequences", "rows":
			names = append(names, "--"+name)
		}
	}
	return names
}

// backends lists the backends that every machine has, the default first.
func backends() (*backend.Registry, error) {
	features, err := cpu.DetectLimited()
	if err != nil {
		return nil, usageError{err}
	}
	return backend.NewRegistry(
		backend.Backend{Name: "cpu", About: "packed, tiled kernels; instruction set " + features.String(), Kernels: cpu.Kernels(features)},
		backend.Backend{Name: "ref", About: "plain Go with float64 sums: the specification", Kernels: ref.Kernels()},
	), nil
}

// kernels finds the kernels of the engine's backend on host memory, and its
// delegate, if it has one: the CPU's kernels then run what that does not take.
// Plug-ins come before both.
func (e engine) kernels() (*kernel.Registry, backend.Delegate, error) {
	b, err := e.find()
	if err != nil {
		return nil, nil, err
	}
	if b.Delegate != nil || isPlugin(e.Backend) {
		features, err := cpu.DetectLimited()
		if err != nil {
			return nil, nil, usageError{err}
		}
		b.Kernels = cpu.Kernels(features)
	}
	plugins, err := e.plugins()
	if err != nil {
		return nil, nil, err
	}
	if b, err = preferPlugins(b, plugins); err != nil {
		return nil, nil, err
	}
	registry, err := kernel.NewRegistry(b.Kernels)
	return registry, b.Delegate, err
}

// findBackend finds a backend by name. Vulkan and OpenCL are loaded only when
// they are named.
func findBackend(name string) (backend.Backend, error) {
	if index, ok := deviceIndex(vulkanName, name); ok {
		return openVulkan(name, index)
	}
	if index, ok := deviceIndex(openclName, name); ok {
		return openOpenCL(name, index)
	}
	for _, kind := range []string{vulkanName, openclName} {
		if strings.HasPrefix(name, kind+":") {
			return backend.Backend{}, withHint(usagef("--backend %s: want %s:N, N being a device's number from 0", name, kind), "zeroth devices lists what programs can run on")
		}
	}
	list, err := backends()
	if err != nil {
		return backend.Backend{}, err
	}
	b, err := list.Find(name)
	if err != nil {
		return b, withHint(usageError{err}, "zeroth devices lists what programs can run on")
	}
	return b, nil
}

// session binds methods of a program.
func (e engine) session(p *program.Program, bounds op.Extents, profile bool, methods ...string) (*executor.Session, error) {
	registry, delegate, err := e.kernels()
	if err != nil {
		return nil, err
	}
	ctx := e.command
	if ctx == nil {
		ctx = context.Background()
	}
	s, err := executor.NewContext(ctx, p, registry, executor.Options{
		Bounds: bounds, Threads: e.Threads, CPUs: e.CPUs, Methods: methods, Profile: profile, MaxBytes: e.maxBytes(p),
		Delegate: delegate, OnHost: e.onHost, KeepValues: e.keep, Progress: compileProgress(e.notices, e.Backend),
	})
	if err == nil && e.notices != nil {
		for _, line := range s.Notices() {
			fmt.Fprintln(e.notices, "zeroth: notice:", line)
		}
		if m := delegateMemory(s); m != nil && m.Total() > 0 {
			fmt.Fprintf(e.notices, "zeroth: notice: %s holds %s\n", e.Backend, describeMemory(m))
		}
	}
	err = e.overLimit(err, p)
	var has hinted
	if err != nil && len(e.Sizes) > 0 && !errors.As(err, &has) && (errors.Is(err, executor.ErrMemory) || errors.Is(err, executor.ErrBounds)) {
		err = withHint(err, "lower "+strings.Join(e.Sizes, ", "))
	}
	return s, err
}

// openProgram opens a program file.
func openProgram(path string) (*program.File, error) { return openWith(program.Open, path) }

func openWith(open func(path string) (*program.File, error), path string) (*program.File, error) {
	file, err := open(path)
	if err == nil {
		return file, nil
	}
	hint := "a program is made by: zeroth export --from MODEL --out m.zpt"
	if errors.Is(err, program.ErrFormat) || errors.Is(err, program.ErrChecksum) {
		hint += "; if this one was copied, copy it again"
	}
	return nil, withHint(err, hint)
}

// relink puts LoRA at other sites of a program, in memory. The constants are
// shared with the file, whose fingerprint the result keeps.
func relink(p *program.Program, lora pass.LoRA) (*program.Program, error) {
	return relinkFor(paramsLoRA, p, lora)
}

// relinkFor is relink for what a run says that it trains, which must be LoRA.
func relinkFor(params string, p *program.Program, lora pass.LoRA) (*program.Program, error) {
	if params != "" && params != paramsLoRA {
		return nil, fmt.Errorf("the run trained %.40q, which this zeroth does not know", params)
	}
	m := graph.Lift(p)
	if err := pass.InsertLoRA(m, lora); err != nil {
		return nil, err
	}
	return lowered(m, p)
}

// withMethodOf is the program with what an estimator runs of it.
func withMethodOf(e train.Estimator, p *program.Program) (*program.Program, error) {
	if e.Method() != train.MethodSlopes {
		return p, nil
	}
	m := graph.Lift(p)
	if err := pass.Tangents(m); err != nil {
		return nil, err
	}
	return lowered(m, p)
}

// lowered turns a module made of p into a program that can be run.
func lowered(m *graph.Module, p *program.Program) (*program.Program, error) {
	out, err := m.Lower()
	if err != nil {
		return nil, err
	}
	if err := program.VerifyStructure(out); err != nil {
		return nil, err
	}
	out.Fingerprint = p.Fingerprint
	return out, nil
}

// programTokenizer parses the tokenizer that a program carries.
func programTokenizer(p *program.Program) (tokenizer.Tokenizer, error) {
	if p.Tokenizer.Kind == "" {
		return nil, withHint(errNoTokenizer, "export it again: zeroth export --from MODEL --tokenizer FILE --out m.zpt")
	}
	return tokenizer.Parse(tokenizer.Kind(p.Tokenizer.Kind), p.Tokenizer.Data)
}
