package main

import (
	"context"
	"fmt"
	"maps"
	"os"

	"zeroth/graph/pass"
	"zeroth/internal/atomicfile"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
	"zeroth/tools/bench"
	"zeroth/tools/compare"
	"zeroth/tools/report"

	"github.com/urfave/cli/v2"
)

// compareOptions are the flags of the command.
type compareOptions struct {
	Program   string
	Adapter   string
	Input     string // text for "forward"; none: "losses"
	Data      string // none: made-up examples
	Task      taskOptions
	Batch     int
	Tokens    int // of the longest made-up example
	LoRA      func(*pass.LoRA) error
	Probe     bench.Probe
	Engine    engine
	Reference engine
	All       bool
	HTML      string
	Measuring measuring
}

func compareCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "reference", Usage: "`NAME` of the backend to compare with", DefaultText: "cpu; for cpu itself, without plug-ins, ref"},
		&cli.StringFlag{Name: "input", Usage: "run forward on this `TEXT`, instead of the losses of examples"},
		&cli.StringFlag{Name: "data", Usage: "`FILE` of the examples", DefaultText: "made-up tokens"},
		&cli.StringFlag{Name: "adapter", Usage: "compare with the PEFT adapter in `FOLDER`; without one B is made up"},
		&cli.IntFlag{Name: "batch", Value: 16, Usage: "`EXAMPLES`: the first of the file, or made up"},
		&cli.IntFlag{Name: "tokens", Value: 8, Usage: "length of the longest made-up example in `TOKENS`"},
		&cli.IntFlag{Name: "q", Value: defaultQueries, Usage: "directions (`QUERIES`) of a run; 2q perturbed copies go forward"},
		&cli.Float64Flag{Name: "eps", Value: defaultEps, Usage: "size of the perturbation, `ε`"},
		&cli.IntFlag{Name: "directions", Value: 32, Usage: "`NUMBER` of directions along which gradients are compared"},
		&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of A, B and the directions", DefaultText: "0"},
		&cli.BoolFlag{Name: "all", Usage: "list all nodes in order, not the worst", DisableDefaultText: true},
		&cli.StringFlag{Name: "html", Usage: "write a page with a picture to `FILE`"},
		&cli.BoolFlag{Name: "json", Usage: "print the results as JSON", DisableDefaultText: true},
	}
	flags = append(append(append(flags, taskFlags()...), loraFlags()...), engineFlags()...)
	return &cli.Command{
		Name: "compare", Usage: "find where a backend departs from another, node by node", UsageText: "zeroth compare PROGRAM --backend NAME [flags]",
		Description: "Runs the program on --backend and on --reference with the same inputs and perturbations.\n" +
			"Each node is judged alone, given what the reference computed before it, and in the run of the\n" +
			"whole method. Then come the loss, the projected gradients and an update of B. What is past its\n" +
			"limit (docs/BACKENDS.md) is named, and the exit code is 1.\n\n" +
			"Example:\n" +
			"  zeroth compare m.zpt --backend vulkan:0 --html vulkan.html",
		Flags: flags,
		Action: func(c *cli.Context) error {
			o, err := readCompare(c)
			if err != nil {
				return err
			}
			return runCompare(c, &o)
		},
	}
}

func readCompare(c *cli.Context) (compareOptions, error) {
	o := compareOptions{
		Adapter: c.String("adapter"), Input: c.String("input"), Data: c.String("data"), Task: readTaskOptions(c),
		Batch: c.Int("batch"), Tokens: c.Int("tokens"), All: c.Bool("all"), HTML: c.String("html"),
		LoRA:      func(lora *pass.LoRA) error { return applyLoRAFlags(c, lora) },
		Probe:     bench.Probe{Seed: c.Uint64("seed"), Directions: c.Int("directions"), Estimator: train.PRGE{}, Queries: c.Int("q"), Eps: []float64{c.Float64("eps")}},
		Measuring: measuring{JSON: c.Bool("json")},
	}
	var err error
	if o.Program, err = oneArgument(c, "PROGRAM"); err != nil {
		return o, err
	}
	if o.Engine, err = readEngine(c); err != nil {
		return o, err
	}
	o.Reference = o.Engine.beside(referenceOf(c))
	return o, o.check(c)
}

// referenceOf is the reference that was named, or another backend than the one
// that is tested.
func referenceOf(c *cli.Context) string {
	switch {
	case c.IsSet("reference"):
		return c.String("reference")
	case c.String("backend") == "cpu" && !c.IsSet("plugin"):
		return "ref"
	}
	return "cpu"
}

func (o *compareOptions) check(c *cli.Context) error {
	if err := checkBounds(
		bounded{"batch", o.Batch, 1, maxBatch},
		bounded{"tokens", o.Tokens, 1, 1 << 16},
		bounded{"q", o.Probe.Queries, 1, 1024},
		bounded{"directions", o.Probe.Directions, 2, 1 << 20}, // a correlation takes two
	); err != nil {
		return err
	}
	named := o.Task.Task != "" || o.Task.Template != ""
	switch eps := o.Probe.Eps[0]; {
	case !(eps >= 1e-30 && eps <= 1e30):
		return usagef("--eps %g: must be above 0", eps)
	case o.Adapter != "" && (c.IsSet("rank") || c.IsSet("alpha") || c.IsSet("modules") || c.IsSet("layers")):
		return usagef("--adapter brings its own rank, alpha, modules and layers")
	case c.IsSet("input") && (o.Data != "" || named):
		return usagef("--input and --data exclude each other: a text goes through forward, examples through the losses")
	case c.IsSet("input") && o.Input == "":
		return usagef("--input is empty")
	case o.Data == "" && named:
		return usagef("a task needs --data FILE: made-up examples have none")
	case o.HTML == "":
		return nil
	case refuseOverwriting(o.HTML, o.Program) != nil:
		return usagef("--html %s would overwrite the program", o.HTML)
	}
	return checkTarget("--html", o.HTML)
}

// comparison is a comparison under way.
type comparison struct {
	*compareOptions
	linked *program.Program
	batch  data.Batch
	ids    []int32                   // of --input
	half   map[op.ID]kernel.Operands // that a backend keeps as f16
}

func runCompare(c *cli.Context, o *compareOptions) error {
	r, k := compare.Report{Program: o.Program}, comparison{compareOptions: o, half: make(map[op.ID]kernel.Operands)}
	for _, side := range []struct {
		engine engine
		into   *compare.Side
	}{{o.Engine, &r.Backend}, {o.Reference, &r.Reference}} {
		b, err := side.engine.find()
		if err != nil {
			return err
		}
		*side.into = compare.Side{Name: side.engine.Backend, About: b.About}
		half := halvesOf(b.Kernels)
		maps.Copy(k.half, half)
		if len(half) > 0 {
			side.into.Activations = "f16"
		}
	}
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := k.open(file.Program); err != nil {
		return err
	}
	progress, finish := watch(c.App.ErrWriter)
	defer finish()
	if err := k.measure(c.Context, &r, sparsely(progress)); err != nil {
		return err
	}
	finish()
	r.Fault = r.Verdict()
	if o.HTML != "" {
		if err := atomicfile.Write(o.HTML, func(f *os.File) error { return report.WriteComparison(f, k.page(&r)) }); err != nil {
			return err
		}
	}
	if err := k.show(c.App.Writer, &r); err != nil || r.Fault == "" {
		return err
	}
	return fmt.Errorf("%s differs from %s: %s", r.Backend.Name, r.Reference.Name, r.Fault)
}

// sparsely shows about eight of many steps.
func sparsely(progress func(done, total int, what string)) func(done, total int, what string) {
	return func(done, total int, what string) {
		if done < 2 || done%max(total/8, 1) == 0 {
			progress(done, total, what)
		}
	}
}

// open links the program and reads or makes up what it is run on.
func (k *comparison) open(p *program.Program) error {
	lora, err := loraOf(p)
	if err != nil {
		return err
	}
	if k.Adapter != "" {
		lora, err = adapterLoRA(k.Adapter, lora)
	} else {
		err = k.LoRA(&lora)
	}
	if err != nil {
		return err
	}
	if k.linked, err = relink(p, lora); err != nil {
		if k.Adapter != "" {
			return otherModel(k.Adapter, err)
		}
		return usageError{err}
	}
	switch {
	case k.Input != "":
		return k.readInput(p)
	case k.Data != "":
		set, err := k.Task.load(k.Data, p)
		if err != nil {
			return err
		}
		if k.Probe.Loss, err = k.Task.lossOf(set); err != nil {
			return err
		}
		return packFirst(&k.batch, set, k.Probe.Loss, k.Batch)
	}
	vocab, err := vocabularyOf(p)
	if err != nil {
		return err
	}
	if err := checkContext(p, k.Tokens); err != nil {
		return err
	}
	set := &data.Set{Examples: bench.Examples(k.Batch, 1, k.Tokens, vocab)}
	return packFirst(&k.batch, set, data.TokenLoss, k.Batch)
}

// readInput encodes --input.
func (k *comparison) readInput(p *program.Program) error {
	tok, err := programTokenizer(p)
	if err != nil {
		return err
	}
	if tok.BOS() >= 0 {
		k.ids = append(k.ids, tok.BOS())
	}
	k.ids = append(k.ids, tok.Encode(k.Input)...)
	if len(k.ids) == 0 {
		return usagef("--input is no token")
	}
	return checkContext(p, len(k.ids))
}

// packFirst packs the first n examples of a set for a loss.
func packFirst(b *data.Batch, set *data.Set, loss data.Loss, n int) error {
	picks := make([]int, min(n, len(set.Examples)))
	for i := range picks {
		picks[i] = i
	}
	if loss == data.ChoiceLoss {
		return b.PackChoices(set.Examples, picks)
	}
	return b.PackTokens(set.Examples, picks)
}

// measure fills in the report.
func (k *comparison) measure(ctx context.Context, r *compare.Report, progress func(done, total int, what string)) error {
	w := k.losses()
	if k.Input != "" {
		w = k.forward()
	}
	r.Method, r.Extents = w.Method, w.Extents
	if len(k.half) > 0 {
		w.Half = func(id op.ID) kernel.Operands { return k.half[id] }
	}
	var err error
	r.Nodes, err = compare.Walk(ctx, w, k.Engine.compared, k.Reference.compared, progress)
	if err != nil || k.Input != "" {
		return err
	}
	probe := k.Probe
	probe.Batch, probe.Queries = &k.batch, min(probe.Queries, probe.Directions)
	done := 0
	probe.Progress = func(int) {
		progress(done, 2*((probe.Directions+probe.Queries-1)/probe.Queries), "gradients")
		done++
	}
	bind := func(e *engine) compare.Bind {
		return func() (*train.Model, error) { return k.model(e, w.Extents) }
	}
	training, err := compare.Train(ctx, bind(&k.Engine), bind(&k.Reference), probe, r.Nodes)
	r.Training = &training
	return err
}

// compared is a session that may keep its values. Only one of a whole method says
// what a delegate runs.
func (e engine) compared(p *program.Program, bounds op.Extents, keep bool, methods ...string) (*executor.Session, error) {
	if e.keep = keep; !keep {
		e.notices = nil
	}
	return e.session(p, bounds, false, methods...)
}
