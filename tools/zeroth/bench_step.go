package main

import (
	"fmt"
	"slices"
	"strings"

	"zeroth/graph/pass"
	"zeroth/internal/bytesize"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"
	"zeroth/tools/bench"

	"github.com/urfave/cli/v2"
)

// stepReport is what "bench step" prints.
type stepReport struct {
	Machine bench.Machine `json:"machine"`
	Program string        `json:"program"`
	Random  bool          `json:"random_weights"`
	// Estimator is what of it was timed.
	Estimator string `json:"estimator"`
	Full      bool   `json:"full"` // all weights are trained
	Rank      int    `json:"rank,omitempty"`
	bench.Step
}

// stepOptions are the flags that say which step is measured.
type stepOptions struct {
	Program              string
	Look                 estimation
	Batch, Tokens, Least int
	LoRA                 func(*pass.LoRA) error
	Engine               engine
	Measuring            measuring
}

// stepFlags are those that readStep reads; full has --params among them.
func stepFlags(full bool) []cli.Flag {
	return append(estimationFlags(full), epsFlag(full),
		&cli.IntFlag{Name: "batch", Value: 4, Usage: "`EXAMPLES` a step, of random tokens with one label each"},
		&cli.IntFlag{Name: "tokens", Value: 64, Usage: "`TOKENS` of the longest example"},
		&cli.IntFlag{Name: "shortest", Usage: "`TOKENS` of the shortest example; lengths lie evenly between the two", DefaultText: "as --tokens"})
}

func benchStepCommand() *cli.Command {
	flags := append(stepFlags(true),
		&cli.StringFlag{Name: "compare", Usage: "a `LIST` of other ways to do the step, or none", DefaultText: "all that there are for the estimator"},
		&cli.BoolFlag{Name: "alone", Usage: "time the step alone: no other way to do it, none of its parts", DisableDefaultText: true})
	flags = append(append(flags, loraFlags()...), engineFlags()...)
	flags = append(flags, benchFlags(5, "for each table")...)
	return &cli.Command{
		Name: "step", Usage: "time a widened step, its parts, and what each idea in it gains",
		UsageText:   "zeroth bench step PROGRAM [flags]",
		Description: "Beside the step it times, in turn with it, what is another way to do it:\n" + switchHelp(),
		Flags:       withoutRepeats(flags),
		Action: func(c *cli.Context) error {
			o, err := readStep(c)
			if err != nil {
				return err
			}
			compare, err := o.parseCompare(c)
			if err != nil {
				return err
			}
			parts := !c.Bool("alone")
			if !parts {
				compare = nil
			}
			return runBenchStep(c, o, compare, parts)
		},
	}
}

// withoutRepeats drops flags whose name an earlier one has.
func withoutRepeats(flags []cli.Flag) []cli.Flag {
	var list []cli.Flag
	seen := make(map[string]bool)
	for _, flag := range flags {
		if name := flag.Names()[0]; !seen[name] {
			seen[name] = true
			list = append(list, flag)
		}
	}
	return list
}

// full reports whether all weights are trained.
func (o *stepOptions) full() bool { return o.Look.Params == paramsFull }

func switchHelp() string {
	var b strings.Builder
	for _, s := range bench.Switches() {
		fmt.Fprintf(&b, "  %-11s %s\n", s.Name, s.About)
	}
	return b.String()
}

func (o *stepOptions) parseCompare(c *cli.Context) ([]string, error) {
	var all []string
	for _, s := range bench.Switches() {
		if s.Fits(o.Look.Estimator) {
			all = append(all, s.Name)
		}
	}
	given := c.IsSet("compare")
	switch list := c.String("compare"); {
	case given && list == "none":
		return nil, nil
	case o.full() && given:
		return nil, usagef("--params full: one copy goes forward at a time, so there is nothing to compare: leave --compare out")
	case o.full():
		return nil, nil
	case !given || list == "all":
		return all, nil
	}
	var list []string
	for _, name := range strings.Split(c.String("compare"), ",") {
		if !slices.Contains(all, name) {
			return nil, usagef("--compare: no %q beside %s: choose among %s, or none", name, o.Look.Estimator.Name(), strings.Join(all, ","))
		}
		list = append(list, name)
	}
	return list, nil
}

func readStep(c *cli.Context) (stepOptions, error) {
	look, err := readEstimation(c)
	if err != nil {
		return stepOptions{}, err
	}
	o := stepOptions{
		Look: look, Batch: c.Int("batch"), Tokens: c.Int("tokens"), Least: c.Int("shortest"),
		LoRA: func(lora *pass.LoRA) error { return applyLoRAFlags(c, lora) },
	}
	if o.Program, err = oneArgument(c, "PROGRAM"); err != nil {
		return o, err
	}
	if o.Engine, err = readEngine(c); err != nil {
		return o, err
	}
	if o.Measuring, err = readMeasuring(c); err != nil {
		return o, err
	}
	if !c.IsSet("shortest") {
		o.Least = o.Tokens
	}
	if err := checkBounds(
		bounded{"q", o.Look.Queries, 1, 1024},
		bounded{"batch", o.Batch, 1, 1 << 16},
		bounded{"tokens", o.Tokens, 1, 1 << 16},
		bounded{"shortest", o.Least, 1, o.Tokens},
	); err != nil {
		return o, err
	}
	if eps := o.Look.Eps; !(eps >= 1e-30 && eps <= 1e30) {
		return o, usagef("--eps %g: must be above 0", eps)
	}
	return o, nil
}

// open opens and links the program, and makes the options of its step.
func (o *stepOptions) open() (*program.File, bench.StepOptions, error) {
	var s bench.StepOptions
	open := openProgram
	if o.full() {
		open = openWritable
	}
	file, err := open(o.Program)
	if err != nil {
		return nil, s, err
	}
	if s, err = o.step(file.Program); err != nil {
		file.Close()
		return nil, s, err
	}
	return file, s, nil
}

func (o *stepOptions) step(p *program.Program) (bench.StepOptions, error) {
	s := bench.StepOptions{
		Estimator: o.Look.Estimator, Queries: o.Look.Queries, Eps: o.Look.Eps,
		Budget: o.Measuring.Budget, Bind: o.Engine.session, CPUs: o.Engine.CPUs,
	}
	if err := checkContext(p, o.Tokens); err != nil {
		return s, err
	}
	vocab, err := vocabularyOf(p)
	if err != nil {
		return s, err
	}
	s.Examples = bench.Examples(o.Batch, o.Least, o.Tokens, vocab)
	if o.full() {
		s.Program, err = trainAll(p, noise.Gaussian)
		return s, err
	}
	lora, err := loraOf(p)
	if err != nil {
		return s, err
	}
	if err := o.LoRA(&lora); err != nil {
		return s, err
	}
	if s.Program, err = relink(p, lora); err != nil {
		return s, usageError{err}
	}
	s.Program, err = withMethodOf(s.Estimator, s.Program)
	return s, err
}

func runBenchStep(c *cli.Context, o stepOptions, compare []string, parts bool) error {
	file, s, err := o.open()
	if err != nil {
		return err
	}
	defer file.Close()
	s.Compare, s.Parts = compare, parts
	report := stepReport{Program: o.Program, Random: meansNothing(file.Program), Estimator: s.Estimator.Name(), Full: o.full()}
	if !o.full() {
		if report.Rank, err = metaInt(s.Program, pass.MetaRank); err != nil {
			return err
		}
	}
	if report.Machine, err = o.Measuring.machine(); err != nil {
		return err
	}
	progress, finish := watch(c.App.ErrWriter)
	s.Progress = progress
	report.Step, err = bench.RunStep(c.Context, s)
	finish()
	if err != nil {
		return err
	}
	return o.Measuring.show(c.App.Writer, report, func(b *strings.Builder) error { return printStep(b, report) })
}

func printStep(b *strings.Builder, r stepReport) error {
	printMachine(b, r.Machine)
	what := fmt.Sprintf("LoRA of rank %d", r.Rank)
	if r.Full {
		what = "all weights"
	}
	fmt.Fprintf(b, "%s: %s, %d directions, %d copies at once, %d examples of %d tokens in all; trained: %s, %d values\n",
		r.Program, r.Estimator, r.Queries, r.Copies, r.Examples, r.Tokens, what, r.Trained)
	fmt.Fprintf(b, "\nstep     %.4f s, %.4f s of processors, %.1f rows/s (%d × tokens)\n", r.Seconds, r.Processor, r.RowsPerS, r.Passes)
	fmt.Fprintf(b, "memory   %s at most; weights %s, ratio %.2f; arena %s; LoRA %s\n", bytesize.Format(r.Memory.Peak),
		bytesize.Format(r.Memory.Weights), r.Memory.Ratio, bytesize.Format(r.Memory.Arena), bytesize.Format(r.Memory.Slots))
	if m := r.Memory.Device; m != nil {
		fmt.Fprintf(b, "device   %s\nmoved    %s there and %s back in a step\n", describeMemory(m), bytesize.Format(r.Memory.MovedUp), bytesize.Format(r.Memory.MovedDown))
	}
	if len(r.Compared) > 0 {
		rows := []string{fmt.Sprintf("%.4f\t1.00\t1.00\t%d\t%d\t\t  the step", r.Seconds, r.Tokens, r.Labels)}
		for _, v := range r.Compared {
			rows = append(rows, fmt.Sprintf("%.4f\t%.2f\t%.2f\t%d\t%d\t%.1e\t  %s: %s", v.Seconds, v.Ratio, v.ProcessorRatio, v.Tokens, v.Rows, v.Loss, v.Name, v.About))
		}
		if err := table(b, "seconds\tof the step\tby CPU time\ttokens\tlabel rows\tloss off by\t  ", rows); err != nil {
			return err
		}
	}
	if r.Parts == nil {
		return nil
	}
	return printParts(b, r.Parts)
}

func printParts(b *strings.Builder, p *bench.Parts) error {
	row := func(part bench.Part) string {
		name := part.Name
		if part.About != "" {
			name += ": " + part.About
		}
		return fmt.Sprintf("%.4f\t%s\t%.1f–%s\t  %s", part.Seconds, percent(part.Share), 100*part.Quartiles[0], percent(part.Quartiles[1]), name)
	}
	var rows []string
	for _, part := range p.List {
		rows = append(rows, row(part))
	}
	if p.Beside != nil {
		rows = append(rows, row(*p.Beside))
	}
	fmt.Fprintf(b, "\nparts    medians of %d steps of %.4f s, by the %s\n", p.Steps, p.Total, p.Clock)
	return table(b, "seconds\tshare\tquartiles\t  part", rows)
}
