package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
	"zeroth/tools/bench"

	"github.com/urfave/cli/v2"
)

// fidelityReport is what "bench fidelity" prints.
type fidelityReport struct {
	Machine    bench.Machine    `json:"machine"`
	Reference  string           `json:"reference"`
	Data       string           `json:"data"`
	Examples   int              `json:"examples"`
	Tokens     int              `json:"tokens"`
	Directions int              `json:"directions"`
	Estimator  string           `json:"estimator"`
	Rows       []fidelityRow    `json:"rows"`
	Losses     []fidelityLosses `json:"losses"`
}

// fidelityRow compares one program with the reference at one ε.
type fidelityRow struct {
	Program string  `json:"program"`
	Backend string  `json:"backend"`
	Eps     float64 `json:"eps,omitempty"` // none: nothing was perturbed
	bench.Agreement
	Size          float64 `json:"root_mean_square"`           // of the program's g
	ReferenceSize float64 `json:"reference_root_mean_square"` // of the reference's
	// Linearity is the correlation with what the reference gives at the smallest ε
	// from 1e-3 on: how near the slope over ε is to the derivative.
	Linearity float64 `json:"linearity"`
}

type fidelityLosses struct {
	Program string  `json:"program"`
	Backend string  `json:"backend"`
	Loss    float64 `json:"loss"`
}

// fidelityOptions are the flags of "bench fidelity".
type fidelityOptions struct {
	Reference       string
	Against         []string
	Look            estimation
	Adapter         string
	LoRA            func(*pass.LoRA) error
	Task            taskOptions
	Data            string
	Batch           int
	Probe           bench.Probe
	Engine          engine
	ReferenceEngine engine
	Measuring       measuring
}

// The defaults of --q and --eps, where no estimator sets them.
const (
	fidelityQueries = 8
	fidelityEps     = "1e-4,1e-3,1e-2,1e-1"
)

const defaultRemarks = "examples/remarks/train.tsv"

func benchFidelityCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringSliceFlag{Name: "against", Usage: "`PROGRAM` to compare with the reference; can be given several times"},
		&cli.StringFlag{Name: "reference-backend", Usage: "`NAME` of the kernels that the reference runs on", DefaultText: "as --backend"},
		&cli.StringFlag{Name: "adapter", Usage: "measure at the PEFT adapter in `FOLDER`; without one B is 0"},
		&cli.StringFlag{Name: "data", Value: defaultRemarks, Usage: "`FILE` of the examples (.jsonl, .tsv, .txt)"},
		&cli.IntFlag{Name: "batch", Value: 16, Usage: "`EXAMPLES` of the batch: the first of the file"},
		&cli.IntFlag{Name: "directions", Value: 256, Usage: "`NUMBER` of directions"},
		&cli.IntFlag{Name: "q", Value: fidelityQueries, Usage: "directions (`QUERIES`) of one step of the estimator"},
		&cli.StringFlag{Name: "eps", Value: fidelityEps, Usage: "`LIST` of sizes of the perturbation"},
		estimatorFlag(false),
		&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of A and of the directions", DefaultText: "0"},
		&cli.BoolFlag{Name: "json", Usage: "print the results as JSON", DisableDefaultText: true},
	}
	flags = append(append(append(flags, taskFlags()...), loraFlags()...), engineFlags()...)
	return &cli.Command{
		Name: "fidelity", Usage: "compare the projected gradients of programs, such as quantised ones, with a reference's",
		UsageText: "zeroth bench fidelity REFERENCE --against PROGRAM [flags]",
		Description: "Runs both on the same tokens along the same directions and compares the slopes g that\n" +
			"--estimator finds, which are all that training sees of a model: with prge\n" +
			"g = (L(+eps) - L(-eps)) / 2 eps.\n\n" +
			"A is random. That of a run by --init-a activations, or --estimator auto, is there with\n" +
			"--adapter RUN/start.\n\n" +
			"Example:\n" +
			"  zeroth bench fidelity m.zpt --against m-i8.zpt --against m-q4.zpt",
		Flags: flags,
		Action: func(c *cli.Context) error {
			o, err := readFidelity(c)
			if err != nil {
				return err
			}
			return runFidelity(c, o)
		},
	}
}

func readFidelity(c *cli.Context) (fidelityOptions, error) {
	look, err := readEstimation(c)
	if err != nil {
		return fidelityOptions{}, err
	}
	o := fidelityOptions{
		Look: look, Against: c.StringSlice("against"), Adapter: c.String("adapter"), Task: readTaskOptions(c), Data: c.String("data"),
		Batch: c.Int("batch"),
		LoRA:  func(lora *pass.LoRA) error { return applyLoRAFlags(c, lora) },
		Probe: bench.Probe{
			Seed: c.Uint64("seed"), Directions: c.Int("directions"), Estimator: look.Estimator, Queries: c.Int("q"),
		},
		Measuring: measuring{JSON: c.Bool("json")},
	}
	if o.Reference, err = oneArgument(c, "REFERENCE"); err != nil {
		return o, err
	}
	if o.Engine, err = readEngine(c); err != nil {
		return o, err
	}
	o.Measuring.Workers = bench.Workers{Threads: o.Engine.Threads, CPUs: o.Engine.CPUs}
	o.ReferenceEngine = o.Engine
	if c.IsSet("reference-backend") {
		o.ReferenceEngine = o.Engine.beside(c.String("reference-backend"))
	}
	if len(o.Against) == 0 {
		return o, usagef("no program to compare with: --against PROGRAM")
	}
	if o.Adapter != "" && (c.IsSet("rank") || c.IsSet("alpha") || c.IsSet("modules") || c.IsSet("layers")) {
		return o, usagef("--adapter brings its own rank, alpha, modules and layers")
	}
	for _, v := range []struct {
		name    string
		n, most int
	}{{"batch", o.Batch, 1 << 20}, {"directions", o.Probe.Directions, 1 << 20}, {"q", o.Probe.Queries, 1024}} {
		if v.n < 1 || v.n > v.most {
			return o, usagef("--%s %d: must be 1 to %d", v.name, v.n, v.most)
		}
	}
	o.Probe.Queries = min(o.Probe.Queries, o.Probe.Directions)
	if look.perturbs() {
		o.Probe.Eps, err = parseEps(c.String("eps"))
	} else {
		o.Probe.Eps = []float64{0}
	}
	if o.Task.Task == "" && o.Task.Template == "" && o.Data == defaultRemarks {
		o.Task.Task = "sst2"
	}
	return o, err
}

// parseEps reads a list such as "1e-3,1e-2", and puts it in order.
func parseEps(text string) ([]float64, error) {
	var list []float64
	for _, part := range strings.Split(text, ",") {
		eps, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(eps >= 1e-30 && eps <= 1e30) {
			return nil, usagef("--eps: %q is not a number above 0", part)
		}
		list = append(list, eps)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func runFidelity(c *cli.Context, o fidelityOptions) error {
	report := fidelityReport{Reference: o.Reference, Data: o.Data, Directions: o.Probe.Directions, Estimator: o.Look.Estimator.Name()}
	var err error
	if report.Machine, err = o.Measuring.machine(); err != nil {
		return err
	}
	progress, finish := watch(c.App.ErrWriter)
	defer finish()
	f := fidelity{o: o, ctx: c, report: &report}
	total := len(o.Probe.Eps) * o.Probe.Directions
	measure := func(path string, e *engine) (bench.Gradients, error) {
		f.probe = o.Probe
		f.probe.Progress = func(done int) {
			if done%max(total/8, 1) < o.Probe.Queries {
				progress(done, total, path)
			}
		}
		return f.measure(path, e)
	}
	reference, err := measure(o.Reference, &o.ReferenceEngine)
	if err != nil {
		return err
	}
	for _, path := range o.Against {
		g, err := measure(path, &o.Engine)
		if err != nil {
			return err
		}
		report.compare(path, o.Engine.Backend, o.Probe.Eps, g, reference)
	}
	finish()
	return o.Measuring.show(c.App.Writer, report, func(b *strings.Builder) error { return printFidelity(b, report) })
}

// fidelity measures programs one after the other, on the batch of the first.
type fidelity struct {
	o      fidelityOptions
	ctx    *cli.Context
	report *fidelityReport
	probe  bench.Probe
	batch  data.Batch
	loss   data.Loss
	sites  []program.Site // of the reference
}

// measure opens and links a program as the reference, and projects its gradients.
func (f *fidelity) measure(path string, e *engine) (bench.Gradients, error) {
	file, err := openProgram(path)
	if err != nil {
		return bench.Gradients{}, err
	}
	defer file.Close()
	if len(f.batch.Tokens) == 0 {
		if err := f.pack(file.Program); err != nil {
			return bench.Gradients{}, err
		}
	}
	m, err := f.model(file.Program, e)
	if err != nil {
		return bench.Gradients{}, fmt.Errorf("%s: %w", path, err)
	}
	defer m.Session().Close()
	if err := f.sameSites(m); err != nil {
		return bench.Gradients{}, fmt.Errorf("%s: %w", path, err)
	}
	f.probe.Batch, f.probe.Loss = &f.batch, f.loss
	g, err := f.probe.Measure(f.ctx.Context, m)
	f.report.Losses = append(f.report.Losses, fidelityLosses{Program: path, Backend: e.Backend, Loss: g.Loss})
	return g, err
}

// pack makes the batch, with the tokenizer of the reference.
func (f *fidelity) pack(p *program.Program) error {
	set, err := f.o.Task.load(f.o.Data, p)
	if errors.Is(err, fs.ErrNotExist) && f.o.Data == defaultRemarks {
		return withHint(err, "run it in Zeroth's own folder, or give --data FILE and --task TASK")
	}
	if err != nil {
		return err
	}
	if f.loss, err = f.o.Task.lossOf(set); err != nil {
		return err
	}
	err = packFirst(&f.batch, set, f.loss, f.o.Batch)
	f.report.Examples, f.report.Tokens = f.batch.Examples(), len(f.batch.Tokens)
	return err
}

// model binds a program for the batch, with the adapter or with B = 0.
func (f *fidelity) model(p *program.Program, e *engine) (*train.Model, error) {
	lora, err := loraOf(p)
	if err != nil {
		return nil, err
	}
	if f.o.Adapter != "" {
		lora, err = adapterLoRA(f.o.Adapter, lora)
	} else {
		err = f.o.LoRA(&lora)
	}
	if err != nil {
		return nil, err
	}
	linked, err := relink(p, lora)
	if err != nil {
		return nil, usageError{err}
	}
	if linked, err = withMethodOf(f.o.Look.Estimator, linked); err != nil {
		return nil, err
	}
	b := &f.batch
	s, err := e.session(linked, op.Extents{
		Width: f.o.Look.Estimator.Copies(f.probe.Queries), N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows),
		K: len(b.RowOffsets) - 1, G: len(b.ChoiceOffsets) - 1, Q: 1,
	}, false, train.Methods(f.o.Look.Estimator)...)
	if err != nil {
		return nil, err
	}
	m, err := train.NewModel(s)
	if err == nil {
		err = m.Init(f.probe.Seed)
	}
	if err == nil && f.o.Adapter != "" {
		err = loadAdapter(m, f.o.Adapter)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// sameSites wants a program to have the sites of the first, since the directions
// depend on their ids.
func (f *fidelity) sameSites(m *train.Model) error {
	if f.sites == nil {
		f.sites = m.Sites()
		return nil
	}
	same := func(a, b program.Site) bool {
		return a.ID == b.ID && a.Name == b.Name && a.In == b.In && a.Out == b.Out
	}
	if !slices.EqualFunc(f.sites, m.Sites(), same) {
		return fmt.Errorf("its trained sites are not those of %s: it is another model, or trains another part of it", f.o.Reference)
	}
	return nil
}

// linearFrom is the smallest ε at which f32's rounding of the losses does not
// show in g.
const linearFrom = 1e-3

// compare adds the rows of one program.
func (r *fidelityReport) compare(path, backend string, eps []float64, g, reference bench.Gradients) {
	linear := len(eps) - 1
	for i := len(eps) - 1; i >= 0 && eps[i] >= linearFrom; i-- {
		linear = i
	}
	for i, e := range eps {
		r.Rows = append(r.Rows, fidelityRow{
			Program: path, Backend: backend, Eps: e, Agreement: bench.Agree(g.G[i], reference.G[i]),
			Size: bench.RootMeanSquare(g.G[i]), ReferenceSize: bench.RootMeanSquare(reference.G[i]),
			Linearity: bench.Agree(g.G[i], reference.G[linear]).Correlation,
		})
	}
}

func printFidelity(b *strings.Builder, r fidelityReport) error {
	printMachine(b, r.Machine)
	fmt.Fprintf(b, "%d directions, by %s, %d examples (%d tokens) of %s\n\n", r.Directions, r.Estimator, r.Examples, r.Tokens, r.Data)
	for i, l := range r.Losses {
		note := ""
		if i == 0 {
			note = "  (the reference)"
		}
		fmt.Fprintf(b, "loss %.6f  %s on %s%s\n", l.Loss, l.Program, l.Backend, note)
	}
	var rows []string
	for _, f := range r.Rows {
		eps := "exact"
		if f.Eps > 0 {
			eps = fmt.Sprint(f.Eps)
		}
		rows = append(rows, fmt.Sprintf("%s\t%.5f\t%.5f\t%.4f\t%s\t%.4g\t%.4g\t%.5f\t  %s on %s", eps, f.Correlation, f.Slope,
			f.RelativeError, percent(f.SameSign), f.Size, f.ReferenceSize, f.Linearity, f.Program, f.Backend))
	}
	return table(b, "eps\tcorrelation\tslope\trelative error\tsame sign\tsize of g\treference's\tlinearity\t  program", rows)
}
