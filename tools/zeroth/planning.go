package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"zeroth/graph/pass"
	"zeroth/internal/bytesize"
	"zeroth/runtime/backend"
	"zeroth/runtime/op"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

type planOptions struct {
	Program, Method string // method: "" for what the estimator runs
	Look            estimation
	Bounds          op.Extents
	LoRA            func(*pass.LoRA) error
	Engine          engine
	JSON            bool
}

func planCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "method", Usage: "`NAME` of the method", DefaultText: "that of the estimator: losses, with jvp slopes"},
		&cli.IntFlag{Name: "tokens", Usage: "packed `TOKENS` of a batch", DefaultText: fmt.Sprintf("%d a sequence", planTokens)},
		&cli.IntFlag{Name: "sequences", Usage: "`SEQUENCES` of a batch", Value: 4},
		&cli.IntFlag{Name: "rows", Usage: "label `ROWS` of a batch", DefaultText: fmt.Sprintf("%d a sequence", planRows)},
		&cli.BoolFlag{Name: "json", Usage: "print the plan as JSON", DisableDefaultText: true},
	}
	return &cli.Command{
		Name: "plan", Usage: "show where a method's tensors lie in the arena, and what memory it takes",
		UsageText: "zeroth plan PROGRAM [flags]", Flags: slices.Concat(estimationFlags(true), flags, loraFlags(), engineFlags()),
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "PROGRAM")
			if err != nil {
				return err
			}
			o := planOptions{
				Program: path, Method: c.String("method"), JSON: c.Bool("json"),
				LoRA: func(lora *pass.LoRA) error { return applyLoRAFlags(c, lora) },
			}
			if o.Look, err = readEstimation(c); err != nil {
				return err
			}
			sequences := c.Int("sequences")
			tokens, rows := planTokens*sequences, planRows*sequences
			if c.IsSet("tokens") {
				tokens = c.Int("tokens")
			}
			if c.IsSet("rows") {
				rows = c.Int("rows")
			}
			o.Bounds = op.Extents{N: tokens, S: sequences, R: rows, K: rows, G: sequences, Q: o.Look.Queries}
			if o.Engine, err = readEngine(c); err != nil {
				return err
			}
			return runPlan(o, c.App.Writer)
		},
	}
}

// The batch of a plan, for each of its sequences.
const planTokens, planRows = 64, 2

func (o *planOptions) check() error {
	const most = 1 << 20
	for _, v := range []struct {
		name  string
		value int
		most  int
	}{{"q", o.Look.Queries, 1024}, {"sequences", o.Bounds.S, most}, {"tokens", o.Bounds.N, most}, {"rows", o.Bounds.R, most}} {
		if v.value < 1 || v.value > v.most {
			return usagef("--%s %d: must be 1 to %d", v.name, v.value, v.most)
		}
	}
	switch b := o.Bounds; {
	case b.S > b.N:
		return usagef("--sequences %d: a batch of %d tokens has no more sequences than that", b.S, b.N)
	case b.R > b.N:
		return usagef("--rows %d: a batch of %d tokens has no more label rows than that", b.R, b.N)
	}
	o.Bounds.Width = o.Look.Estimator.Copies(o.Look.Queries)
	if o.Method == "" {
		o.Method = o.Look.Estimator.Method()
	}
	return nil
}

func runPlan(o planOptions, stdout io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := o.checkContext(file.Program); err != nil {
		return err
	}
	lora, err := loraOf(file.Program)
	if err != nil {
		return err
	}
	if err := o.LoRA(&lora); err != nil {
		return err
	}
	linked, err := trainable(o.Look.Params, file.Program, lora)
	if errors.Is(err, pass.ErrSites) {
		err = usageError{err}
	}
	if err == nil {
		linked, err = withMethodOf(o.Look.Estimator, linked)
	}
	if err != nil {
		return err
	}
	if linked.Method(o.Method) == nil {
		_, err := findMethod(linked, o.Method)
		return err
	}
	s, err := o.Engine.session(linked, o.Bounds, false, o.Method)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := s.Method(o.Method)
	if err != nil {
		return err
	}
	shape := shapeOf(o.Method, m)
	shape.Device = delegateMemory(s)
	memory := memoryOf{constants: weightBytes(linked), delegate: delegateMemory(s)}
	for i := range linked.Slots {
		if linked.Slots[i].Data == nil {
			memory.slots += s.SlotBytes(i)
		}
	}
	if o.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		e := o.Bounds
		return encoder.Encode(planReport{
			Estimator: o.Look.Estimator.Name(), Queries: e.Q, Copies: e.Width, Tokens: e.N, Sequences: e.S, Rows: e.R,
			Weights: memory.constants, Slots: memory.slots, planShape: shape,
		})
	}
	return printPlan(stdout, o, shape, memory)
}

// checkContext refuses more tokens than the sequences can hold.
func (o *planOptions) checkContext(p *program.Program) error {
	context, err := metaInt(p, "context")
	if err != nil {
		return err
	}
	if most := o.Bounds.S * context; o.Bounds.N > most {
		return usagef("--tokens %d: %d sequences of the program's context of %d hold %d at most", o.Bounds.N, o.Bounds.S, context, most)
	}
	return nil
}

// shortItem names a place of the arena by its first tensor and counts those
// that overwrite it in turn.
func shortItem(name string) string {
	first, rest, more := strings.Cut(name, ", ")
	if !more {
		return name
	}
	return fmt.Sprintf("%s, then %d more", first, 1+strings.Count(rest, ", "))
}

// planReport is what plan --json prints.
type planReport struct {
	Estimator string `json:"estimator"`
	Queries   int    `json:"q"`
	Copies    int    `json:"copies"` // P
	Tokens    int    `json:"tokens"`
	Sequences int    `json:"sequences"`
	Rows      int    `json:"rows"`
	Weights   int    `json:"weight_bytes"`
	Slots     int    `json:"slot_bytes"`
	planShape
}

type memoryOf struct {
	constants, slots int // bytes
	delegate         *backend.Memory
}

func printPlan(stdout io.Writer, o planOptions, shape planShape, memory memoryOf) error {
	var b strings.Builder
	e := o.Bounds
	copies := "copies"
	if !o.Look.perturbs() {
		copies = "tangents"
	}
	fmt.Fprintf(&b, "method %s with P = %d %s (%s, q %d), N = %d tokens, S = %d sequences, R = %d rows\n\n",
		o.Method, e.Width, copies, o.Look.Estimator.Name(), o.Look.Queries, e.N, e.S, e.R)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "offset\tbytes\tlive from\tto\t  tensor")
	for _, item := range shape.Items {
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t  %s\n", item.Offset, item.Bytes, item.First, item.Last, shortItem(item.Name))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	over := 0.0
	if shape.LowerBound > 0 {
		over = 100 * (float64(shape.Bytes)/float64(shape.LowerBound) - 1)
	}
	fmt.Fprintf(&b, "\narena        %s in %d nodes\n", bytesize.Format(shape.Bytes), len(shape.Nodes))
	fmt.Fprintf(&b, "lower bound  %s (the arena is %.1f %% above it)\n", bytesize.Format(shape.LowerBound), over)
	if o.Look.Params == paramsFull {
		fmt.Fprintf(&b, "weights      %s, in memory of their own once they are moved\n", bytesize.Format(memory.constants))
	} else {
		fmt.Fprintf(&b, "constants    %s, mapped from the file\n", bytesize.Format(memory.constants))
		fmt.Fprintf(&b, "LoRA slots   %s\n", bytesize.Format(memory.slots))
	}
	if memory.delegate != nil {
		fmt.Fprintf(&b, "%-12s %s\n", o.Engine.Backend, describeMemory(memory.delegate))
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}
