package main

import (
	"fmt"
	"strings"

	"zeroth/graph/pass"
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
	Full    bool          `json:"full"` // all weights are trained
	Rank    int           `json:"rank,omitempty"`
	bench.Step
}

// stepOptions are the flags that say which step is measured.
type stepOptions struct {
	Program                       string
	Queries, Batch, Tokens, Least int
	Eps                           float64
	Full                          bool // train all weights
	LoRA                          func(*pass.LoRA) error
	Engine                        engine
	Measuring                     measuring
}

func stepFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "q", Value: 4, Usage: "directions (`QUERIES`) a step; 2q perturbed copies go forward"},
		&cli.IntFlag{Name: "batch", Value: 4, Usage: "`EXAMPLES` a step, of random tokens with one label each"},
		&cli.IntFlag{Name: "tokens", Value: 64, Usage: "`TOKENS` of the longest example"},
		&cli.IntFlag{Name: "shortest", Usage: "`TOKENS` of the shortest example; lengths lie evenly between the two", DefaultText: "as --tokens"},
		&cli.Float64Flag{Name: "eps", Value: 1e-2, Usage: "size of the perturbation, `ε`"},
	}
}

func benchStepCommand() *cli.Command {
	flags := append(stepFlags(),
		&cli.StringFlag{Name: "compare", Usage: "a `LIST` of other ways to do the step, or none", DefaultText: "all: " + switchNames()},
		&cli.StringFlag{Name: "params", Value: "lora", Usage: "what is trained, `WHAT`: lora, or full: MeZO over all weights, f32 or bf16, one copy at a time"},
		&cli.BoolFlag{Name: "alone", Usage: "time the step alone: no other way to do it, none of its parts", DisableDefaultText: true})
	flags = append(append(flags, loraFlags()...), engineFlags()...)
	flags = append(flags, benchFlags(5, "for each table")...)
	return &cli.Command{
		Name: "step", Usage: "time a widened step, its parts, and what each idea in it gains",
		UsageText:   "zeroth bench step PROGRAM [flags]",
		Description: "Beside the step it times, in turn with it:\n" + switchHelp(),
		Flags:       withoutRepeats(flags),
		Action: func(c *cli.Context) error {
			o, err := readStep(c)
			if err != nil {
				return err
			}
			compare, err := parseCompare(c)
			if err != nil {
				return err
			}
			switch params := c.String("params"); {
			case params == "full" && len(compare) > 0 && c.IsSet("compare"):
				return usagef("--params full: one copy goes forward at a time, so there is nothing to compare: leave --compare out")
			case params == "full":
				o.Full, compare = true, nil
			case params != "lora":
				return usagef("--params %q: must be lora or full", params)
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

func switchNames() string {
	var names []string
	for _, s := range bench.Switches() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ",")
}

func switchHelp() string {
	var b strings.Builder
	for _, s := range bench.Switches() {
		fmt.Fprintf(&b, "  %-11s %s\n", s.Name, s.About)
	}
	return b.String()
}

func parseCompare(c *cli.Context) ([]string, error) {
	all := strings.Split(switchNames(), ",")
	switch {
	case !c.IsSet("compare") || c.String("compare") == "all":
		return all, nil
	case c.String("compare") == "none":
		return nil, nil
	}
	var list []string
	for _, name := range strings.Split(c.String("compare"), ",") {
		if !strings.Contains(","+switchNames()+",", ","+name+",") {
			return nil, usagef("--compare: no %q: choose among %s, or none", name, switchNames())
		}
		list = append(list, name)
	}
	return list, nil
}

func readStep(c *cli.Context) (stepOptions, error) {
	o := stepOptions{
		Queries: c.Int("q"), Batch: c.Int("batch"), Tokens: c.Int("tokens"), Least: c.Int("shortest"), Eps: c.Float64("eps"),
		LoRA: func(lora *pass.LoRA) error { return applyLoRAFlags(c, lora) },
	}
	var err error
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
	for _, v := range []struct {
		name           string
		n, least, most int
	}{
		{"q", o.Queries, 1, 1024},
		{"batch", o.Batch, 1, 1 << 16},
		{"tokens", o.Tokens, 1, 1 << 16},
		{"shortest", o.Least, 1, o.Tokens},
	} {
		if v.n < v.least || v.n > v.most {
			return o, usagef("--%s %d: must be %d to %d", v.name, v.n, v.least, v.most)
		}
	}
	if !(o.Eps >= 1e-30 && o.Eps <= 1e30) {
		return o, usagef("--eps %g: must be above 0", o.Eps)
	}
	return o, nil
}

// open opens and links the program, and makes the options of its step.
func (o *stepOptions) open() (*program.File, bench.StepOptions, error) {
	var s bench.StepOptions
	open := openProgram
	if o.Full {
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
	s := bench.StepOptions{Queries: o.Queries, Eps: float32(o.Eps), Budget: o.Measuring.Budget, Bind: o.Engine.session, CPUs: o.Engine.CPUs}
	if err := checkContext(p, o.Tokens); err != nil {
		return s, err
	}
	vocab, err := metaInt(p, "vocab_size")
	if err != nil {
		return s, err
	}
	if vocab < 1 {
		return s, fmt.Errorf("the program has a vocabulary of %d", vocab)
	}
	s.Examples = bench.Examples(o.Batch, o.Least, o.Tokens, vocab)
	if o.Full {
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
	return s, nil
}

func runBenchStep(c *cli.Context, o stepOptions, compare []string, parts bool) error {
	file, s, err := o.open()
	if err != nil {
		return err
	}
	defer file.Close()
	s.Compare, s.Parts = compare, parts
	report := stepReport{Program: o.Program, Random: meansNothing(file.Program), Full: o.Full}
	if !o.Full {
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
	fmt.Fprintf(b, "%s: %d directions, %d copies at once, %d examples of %d tokens in all; trained: %s, %d values\n",
		r.Program, r.Queries, r.Copies, r.Examples, r.Tokens, what, r.Trained)
	fmt.Fprintf(b, "\nstep     %.4f s, %.4f s of processors, %.1f rows/s (2q × tokens)\n", r.Seconds, r.Processor, r.RowsPerS)
	fmt.Fprintf(b, "memory   %s at most; weights %s, ratio %.2f; arena %s; LoRA %s\n", formatBytes(r.Memory.Peak),
		formatBytes(int64(r.Memory.Weights)), r.Memory.Ratio, formatBytes(int64(r.Memory.Arena)), formatBytes(int64(r.Memory.Slots)))
	if m := r.Memory.Device; m != nil {
		fmt.Fprintf(b, "device   %s\nmoved    %s there and %s back in a step\n", describeMemory(m), formatBytes(r.Memory.MovedUp), formatBytes(r.Memory.MovedDown))
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
	if len(r.Parts) == 0 {
		return nil
	}
	var rows []string
	for _, p := range r.Parts {
		about := ""
		if p.About != "" {
			about = ": " + p.About
		}
		rows = append(rows, fmt.Sprintf("%.4f\t%s\t  %s%s", p.Seconds, percent(p.Share), p.Name, about))
	}
	return table(b, "seconds\tshare\t  part of a step with every node timed", rows)
}
