package main

import (
	"fmt"
	"strings"

	"zeroth/internal/bytesize"
	"zeroth/kernels/cpu"
	"zeroth/runtime/program"
	"zeroth/tools/bench"

	"github.com/urfave/cli/v2"
)

// forwardReport is what "bench forward" prints.
type forwardReport struct {
	Machine bench.Machine `json:"machine"`
	Program string        `json:"program"`
	Random  bool          `json:"random_weights"`
	bench.Forward
}

// forwardOptions are the flags that say which forward pass is measured.
type forwardOptions struct {
	Program           string
	Sequences, Tokens int
	Engine            engine
	Measuring         measuring
}

func benchForwardCommand() *cli.Command {
	flags := append([]cli.Flag{
		&cli.IntFlag{Name: "tokens", Value: 512, DefaultText: "512, at most the program's context", Usage: "`TOKENS` of each sequence, random ones"},
		&cli.IntFlag{Name: "sequences", Value: 1, Usage: "number of `SEQUENCES`"},
	}, engineFlags()...)
	return &cli.Command{
		Name: "forward", Usage: "time reading a prompt, to compare with other engines",
		UsageText: "zeroth bench forward PROGRAM [flags]",
		Description: "Times the model without LoRA as one unperturbed copy, to the logits of each sequence's last\n" +
			"token. Of ceiling is what its products and attention would take in loops of nothing but\n" +
			"their instructions, on as many threads in turn with it, by what all of it took.\n\n" +
			"Where weights are i8, q4 or nf4, a copy alone has x rounded twice, so that its losses are as\n" +
			"good as those of a ± pair: it costs twice the products that are counted. A training step\n" +
			"does not pay for that: zeroth bench step gives its rows/s.",
		Flags: withoutRepeats(append(flags, benchFlags(5, "in all")...)),
		Action: func(c *cli.Context) error {
			o, err := readForward(c)
			if err != nil {
				return err
			}
			return runBenchForward(c, o)
		},
	}
}

func readForward(c *cli.Context) (forwardOptions, error) {
	o := forwardOptions{Sequences: c.Int("sequences"), Tokens: c.Int("tokens")}
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
	return o, checkBounds(bounded{"tokens", o.Tokens, 1, 1 << 16}, bounded{"sequences", o.Sequences, 1, 1 << 16})
}

func runBenchForward(c *cli.Context, o forwardOptions) error {
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	report := forwardReport{Program: o.Program, Random: meansNothing(file.Program)}
	if report.Machine, err = o.Measuring.machine(); err != nil {
		return err
	}
	progress, finish := watch(c.App.ErrWriter)
	report.Forward, err = o.run(c, file.Program, progress)
	finish()
	if err != nil {
		return err
	}
	return o.Measuring.show(c.App.Writer, report, func(b *strings.Builder) error { printForward(b, report); return nil })
}

func (o *forwardOptions) run(c *cli.Context, p *program.Program, progress func(done, total int, what string)) (bench.Forward, error) {
	context, err := metaInt(p, "context")
	if err != nil {
		return bench.Forward{}, err
	}
	tokens := o.Tokens
	if !c.IsSet("tokens") {
		tokens = min(tokens, max(context, 1))
	}
	if err := checkContext(p, tokens); err != nil {
		return bench.Forward{}, err
	}
	vocab, err := vocabularyOf(p)
	if err != nil {
		return bench.Forward{}, err
	}
	features, err := cpu.DetectLimited()
	if err != nil {
		return bench.Forward{}, usageError{err}
	}
	return bench.RunForward(c.Context, bench.ForwardOptions{
		Program: p, Bind: o.Engine.session, CPUs: o.Engine.CPUs, Features: features,
		Examples: bench.Examples(o.Sequences, tokens, tokens, vocab),
		Budget:   o.Measuring.Budget, Progress: progress,
	})
}

func printForward(b *strings.Builder, r forwardReport) {
	printMachine(b, r.Machine)
	fmt.Fprintf(b, "%s, sequences: %d, tokens in all: %d, the logits of the last of each\n", r.Program, r.Sequences, r.Tokens)
	fmt.Fprintf(b, "\nforward  %.4f s, %.4f s of processors, %.1f tokens/s\n", r.Seconds, r.Processor, r.TokensPerS)
	fmt.Fprintf(b, "products %s Gop/s", giga(r.Ops/r.Seconds))
	if len(r.Ceilings) > 0 {
		fmt.Fprintf(b, ", %s of the ceiling, %s by CPU time", percent(r.OfCeiling), percent(r.OfCeilingCPU))
	}
	fmt.Fprintln(b)
	for _, c := range r.Ceilings {
		fmt.Fprintf(b, "ceiling  %s Gop/s of %s\n", giga(c.OpsPerS), c.Instruction)
	}
	fmt.Fprintf(b, "memory   %s at most; weights %s, ratio %.2f; arena %s\n", bytesize.Format(r.Memory.Peak),
		bytesize.Format(r.Memory.Weights), r.Memory.Ratio, bytesize.Format(r.Memory.Arena))
	if m := r.Memory.Device; m != nil {
		fmt.Fprintf(b, "device   %s\n", describeMemory(m))
	}
}
