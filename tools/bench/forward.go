package bench

import (
	"context"
	"maps"
	"slices"
	"time"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/kernels/cpu"
	"zeroth/mpzo/data"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// ForwardOptions say which forward pass is measured.
type ForwardOptions struct {
	Program  *program.Program
	Bind     func(p *program.Program, bounds op.Extents, profile bool, methods ...string) (*executor.Session, error)
	CPUs     platform.CPUs  // that its session is held to
	Examples []data.Example // a sequence each
	Features cpu.Features   // whose loops it is held against, unless a delegate runs some of it
	Budget   time.Duration
	Progress func(done, total int, what string)
}

// Forward is what came of the unperturbed model without LoRA, going forward once.
type Forward struct {
	Sequences  int     `json:"sequences"`
	Tokens     int     `json:"tokens"` // of all sequences
	Seconds    float64 `json:"seconds"`
	TokensPerS float64 `json:"tokens_per_second"`
	// Processor is the time that the processors spent on it, all threads together;
	// 0 where the system does not tell.
	Processor float64 `json:"processor_seconds"`
	Ops       float64 `json:"ops"` // of products and attention, a multiply-add being two
	Memory    Memory  `json:"memory"`
	// Ceilings are those of the products' weights and of attention, and OfCeiling
	// what all of these would take at them to what the pass took: the median over
	// the rounds. None where a delegate computes.
	Ceilings     []Ceiling `json:"ceilings"`
	OfCeiling    float64   `json:"of_ceiling,omitempty"`
	OfCeilingCPU float64   `json:"of_ceiling_processor_time,omitempty"`
}

// forward repeats one run of "forward".
type forward struct {
	program *program.Program
	session *executor.Session
	method  *executor.Method
	batch   *data.Batch
	extents op.Extents
}

// RunForward measures a forward pass that gives the logits of each sequence's last
// token: what reading a prompt takes.
func RunForward(ctx context.Context, o ForwardOptions) (Forward, error) {
	o.Progress(0, 1, "the forward pass")
	f, err := newForward(&o)
	if err != nil {
		return Forward{}, err
	}
	defer f.session.Close()
	run := func() error { return f.method.Run(ctx) }
	if err := run(); err != nil { // after which memory stands still
		return Forward{}, err
	}
	out := Forward{
		Sequences: f.extents.S, Tokens: f.extents.N, Ceilings: []Ceiling{},
		Memory: memoryOf(f.program, f.session),
	}
	work, err := f.work()
	if err != nil {
		return out, err
	}
	types := slices.Sorted(maps.Keys(work)) // sums and ceilings in one order in all runs
	for _, weights := range types {
		out.Ops += work[weights]
	}
	c := ceilings{features: o.Features}
	if c.pool, err = (Workers{Threads: f.session.Threads(), CPUs: o.CPUs}).pool(); err != nil {
		return out, err
	}
	defer c.pool.Close()
	if out.Memory.Device == nil {
		for _, weights := range types {
			c.wantSpin(weights)
		}
	}
	turns, err := InTurn(ctx, o.Budget, append([]Contestant{{Name: "forward", Run: run}}, c.contestants()...)...)
	if err != nil {
		return out, err
	}
	out.Seconds, out.Processor = turns.Median(0), median(turns.Processor[0])
	out.TokensPerS = float64(out.Tokens) / out.Seconds
	for i, s := range c.spins {
		out.Ceilings = append(out.Ceilings, Ceiling{Instruction: s.loop.Name, OpsPerS: s.ops() / turns.Median(1+i)})
		// Of several instructions each has a part of the pass.
		part := 0.0
		for _, weights := range types {
			if c.spinFor(weights) == i {
				part += work[weights]
			}
		}
		out.OfCeiling += turns.Ratio(1+i, 0) * part / s.ops()
		out.OfCeilingCPU += turns.ProcessorRatio(1+i, 0) * part / s.ops()
	}
	return out, nil
}

// newForward binds "forward" without LoRA and fills its inputs.
func newForward(o *ForwardOptions) (*forward, error) {
	f := &forward{}
	var err error
	if f.batch, err = packed(o.Examples); err != nil {
		return nil, err
	}
	if f.program, err = withoutLoRA(o.Program); err != nil {
		return nil, err
	}
	b := f.batch
	f.extents = op.Extents{Width: 1, N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows)}
	if f.session, err = o.Bind(f.program, f.extents, false, forwardName); err != nil {
		return nil, err
	}
	if err := f.fill(); err != nil {
		f.session.Close()
		return nil, err
	}
	return f, nil
}

// forwardName is the method that gives logits.
const forwardName = "forward"

// fill sizes the method for the batch and copies that to its inputs.
func (f *forward) fill() error {
	var err error
	if f.method, err = f.session.Method(forwardName); err != nil {
		return err
	}
	if err := f.method.Resize(f.extents); err != nil {
		return err
	}
	b := f.batch
	for _, in := range []struct {
		name   string
		values []int32
	}{
		{"tokens", b.Tokens}, {"positions", b.Positions}, {"offsets", b.SeqOffsets}, {"rows", b.Rows},
	} {
		t, err := f.method.Input(in.name)
		if err != nil {
			return err
		}
		copy(t.I32(), in.values)
	}
	return nil
}

// work is the operations of the pass by the type of the weights; attention, which
// has none, is among those of f32.
func (f *forward) work() (map[string]float64, error) {
	work := make(map[string]float64)
	m := f.program.Method(forwardName)
	for i := range m.Nodes {
		n := &m.Nodes[i]
		w, err := workOf(m, n, f.extents, f.batch.SeqOffsets, kernel.Operands{})
		if err != nil {
			return nil, err
		}
		if w.ops > 0 {
			work[weightsOfNode(m, n)] += w.ops
		}
	}
	return work, nil
}

// withoutLoRA is the program as it was before LoRA was put into it.
func withoutLoRA(p *program.Program) (*program.Program, error) {
	m := graph.Lift(p)
	if err := pass.RemoveLoRA(m); err != nil {
		return nil, err
	}
	out, err := m.Lower()
	if err != nil {
		return nil, err
	}
	return out, program.VerifyStructure(out)
}
