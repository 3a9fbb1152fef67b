package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/backend"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// StepOptions say which training step is measured.
type StepOptions struct {
	Program *program.Program // linked with LoRA, or with all weights trained
	// Bind makes a session with some methods of a program.
	Bind func(p *program.Program, bounds op.Extents, profile bool, methods ...string) (*executor.Session, error)
	CPUs platform.CPUs // that its sessions are held to
	// Half are the operands of ops that a delegate keeps as f16.
	Half     map[op.ID]kernel.Operands
	Examples []data.Example
	// Estimator is what the step is of. The program has its method.
	Estimator train.Estimator
	Queries   int
	Eps       float32 // for those that perturb
	Budget    time.Duration
	Compare   []string // names of Switches to measure beside the step
	Parts     bool     // split the step's time; of a widened pass only
	Progress  func(done, total int, what string)
}

// Switch is an idea that can be switched off, to see what it gains.
type Switch struct {
	Name  string
	About string
	// Fits reports whether it is another way to do an estimator's step.
	Fits func(e train.Estimator) bool
	make func(o *StepOptions, b *data.Batch) (variant, error)
}

// variant is the step, done in another way.
type variant struct {
	program   *program.Program
	batch     *data.Batch
	estimator train.Estimator
}

// extents are those of the variant's step.
func (v *variant) extents(q int) op.Extents {
	b := v.batch
	return op.Extents{
		Width: v.estimator.Copies(q), N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows),
		K: len(b.RowOffsets) - 1, G: len(b.ChoiceOffsets) - 1, Q: q,
	}
}

// Switches lists what a step can be compared with.
func Switches() []Switch {
	any := func(train.Estimator) bool { return true }
	other := func(than train.Estimator) func(train.Estimator) bool {
		return func(e train.Estimator) bool { return e.Name() != than.Name() }
	}
	return []Switch{
		{"sequential", "2q forwards of one copy each (MeZO), not one widened forward", other(train.MeZO{}), func(o *StepOptions, b *data.Batch) (variant, error) {
			return variant{o.Program, b, train.MeZO{}}, nil
		}},
		{"eager", "every activation wide from the embedding on, not from the first LoRA", widens, func(o *StepOptions, b *data.Batch) (variant, error) {
			p, err := eager(o.Program)
			return variant{p, b, o.Estimator}, err
		}},
		{"padded", "every sequence padded to the longest, not packed", any, func(o *StepOptions, b *data.Batch) (variant, error) {
			return variant{o.Program, padded(b), o.Estimator}, nil
		}},
		{"all-rows", "last MLP, head and loss for every token, not for label rows", any, func(o *StepOptions, b *data.Batch) (variant, error) {
			return variant{o.Program, allRows(b), o.Estimator}, nil
		}},
		{"prge", "± pairs of as many directions in one widened forward, the default estimator", other(train.PRGE{}), func(o *StepOptions, b *data.Batch) (variant, error) {
			return variant{o.Program, b, train.PRGE{}}, nil
		}},
	}
}

// widens reports whether an estimator's forward pass is of several perturbed
// copies.
func widens(e train.Estimator) bool { return e.Method() == train.MethodLosses && e.Copies(1) > 1 }

// Step is what came of a step.
type Step struct {
	Queries  int     `json:"queries"`
	Copies   int     `json:"copies"` // P of one forward pass
	Passes   int     `json:"passes"` // of the batch's rows in a step
	Examples int     `json:"examples"`
	Tokens   int     `json:"tokens"`
	Labels   int     `json:"labels"`
	Trained  int     `json:"trained_values"`
	Seconds  float64 `json:"seconds"` // median of a step: losses, gradients and update
	// Processor is the time that the processors spent on it, all threads together:
	// what neighbours take from the clock's time does not count. 0 where the
	// system does not tell.
	Processor float64  `json:"processor_seconds"`
	RowsPerS  float64  `json:"rows_per_second"`
	Memory    Memory   `json:"memory"`
	Compared  []Versus `json:"compared"`
	Parts     *Parts   `json:"parts,omitempty"`
}

// Memory is what a step takes.
type Memory struct {
	Peak    int64   `json:"peak_resident_bytes"` // of the process after the first step, before any comparison
	Weights int     `json:"weight_bytes"`        // mapped from the file, or trained in place
	Slots   int     `json:"slot_bytes"`          // trained values and A
	Arena   int     `json:"arena_bytes"`
	Ratio   float64 `json:"peak_to_weights"`
	// Device is what a device holds, and what goes there and back in a step.
	Device    *backend.Memory `json:"device,omitempty"`
	MovedUp   int64           `json:"moved_up,omitempty"`
	MovedDown int64           `json:"moved_down,omitempty"`
}

// Versus compares the step with another way to do it.
type Versus struct {
	Name    string  `json:"name"`
	About   string  `json:"about"`
	Seconds float64 `json:"seconds"`
	Tokens  int     `json:"tokens"`
	Rows    int     `json:"label_rows"`
	// Ratio is the other's time to the step's, the median over the rounds.
	Ratio float64 `json:"ratio"`
	// ProcessorRatio is the same by the time that processors spent; 0 where the
	// system does not tell.
	ProcessorRatio float64 `json:"processor_ratio"`
	// Loss is how far the other's mean loss is off, relative to it. Padding the
	// sequences of a model that sees both ways changes it, and where x is rounded
	// to 8 bits a copy alone is rounded otherwise than one of a ± pair. Another
	// estimator's copies are others, ε away.
	Loss float64 `json:"loss_difference"`
}

// runner repeats one step of a variant.
type runner struct {
	variant
	model     *train.Model
	at        train.Probe
	losses, g []float32
}

// newRunner binds a variant.
func newRunner(o *StepOptions, v variant, profile bool) (*runner, error) {
	s, err := o.Bind(v.program, v.extents(o.Queries), profile, train.Methods(v.estimator)...)
	if err != nil {
		return nil, err
	}
	m, err := train.NewModel(s)
	if err == nil {
		err = m.Init(1)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return &runner{
		variant: v, model: m, at: train.Probe{Seed: noise.StepSeed(1, 0), Eps: o.Eps},
		losses: make([]float32, v.estimator.Losses(o.Queries)), g: make([]float32, o.Queries),
	}, nil
}

// step finds the gradients and updates by a rate of 0, so that every step is the
// same.
func (r *runner) step() error {
	ctx := context.Background()
	if err := r.estimator.Estimate(ctx, r.model, r.batch, data.TokenLoss, r.at, r.losses, r.g); err != nil {
		return err
	}
	return r.model.Update(ctx, r.at.Seed, r.g, 0)
}

func (r *runner) loss() float64 {
	sum := 0.0
	for _, l := range r.losses {
		sum += float64(l)
	}
	return sum / float64(len(r.losses))
}

// RunStep measures a step, its memory, its parts and what each idea gains.
func RunStep(ctx context.Context, o StepOptions) (Step, error) {
	var out Step
	b, err := packed(o.Examples)
	if err != nil {
		return out, err
	}
	base := variant{o.Program, b, o.Estimator}
	total := len(o.Compare) + 1
	if o.Parts = o.Parts && widens(o.Estimator); o.Parts {
		total++
	}
	o.Progress(0, total, "the step")
	r, err := newRunner(&o, base, false)
	if err != nil {
		return out, err
	}
	defer r.model.Close()
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if err := r.step(); err != nil { // after which memory stands still
		return out, err
	}
	up, down := r.model.Session().Moved()
	if up+down > 0 { // the first step brought the adapter
		if err := r.step(); err != nil {
			return out, err
		}
	}
	out = r.describe(&o)
	nowUp, nowDown := r.model.Session().Moved()
	out.Memory.MovedUp, out.Memory.MovedDown = nowUp-up, nowDown-down
	runners := []*runner{r}
	contestants := []Contestant{{Name: "step", Run: r.step}}
	for i, name := range o.Compare {
		o.Progress(i+1, total, name)
		v, err := o.compared(name, b)
		if err != nil {
			return out, err
		}
		other, err := newRunner(&o, v, false)
		if err != nil {
			return out, err
		}
		defer other.model.Close()
		runners = append(runners, other)
		contestants = append(contestants, Contestant{Name: name, Run: other.step})
	}
	turns, err := InTurn(ctx, o.Budget, contestants...)
	if err != nil {
		return out, err
	}
	out.Seconds = turns.Median(0)
	out.Processor = median(turns.Processor[0])
	out.RowsPerS = float64(out.Passes*len(b.Tokens)) / out.Seconds
	for i, name := range o.Compare {
		other := runners[i+1]
		out.Compared = append(out.Compared, Versus{
			Name: name, About: about(name), Seconds: turns.Median(i + 1), Ratio: turns.Ratio(i+1, 0), ProcessorRatio: turns.ProcessorRatio(i+1, 0),
			Tokens: len(other.batch.Tokens), Rows: len(other.batch.Rows),
			Loss: math.Abs(other.loss()-r.loss()) / math.Abs(r.loss()),
		})
	}
	if o.Parts {
		o.Progress(total-1, total, "its parts")
		parts, err := stepParts(ctx, &o, base)
		if err != nil {
			return out, err
		}
		out.Parts = &parts
	}
	return out, nil
}

// describe says what the step is and what memory it takes.
func (r *runner) describe(o *StepOptions) Step {
	b, s := r.batch, r.model.Session()
	out := Step{
		Queries: o.Queries, Copies: r.estimator.Copies(o.Queries), Passes: r.estimator.Passes(o.Queries), Examples: b.Examples(), Tokens: len(b.Tokens),
		Labels: len(b.Rows), Trained: r.model.Parameters(), Compared: []Versus{},
		Memory: memoryOf(r.program, s),
	}
	if m := &out.Memory; r.model.Full() {
		m.Weights, m.Slots = m.Weights+m.Slots, 0
		m.Ratio = float64(m.Peak) / float64(m.Weights)
	}
	return out
}

// memoryOf is what a program takes in a session that has run.
func memoryOf(p *program.Program, s *executor.Session) Memory {
	m := Memory{Peak: platform.PeakResidentBytes(), Arena: s.ArenaBytes()}
	if held, ok := s.Delegated(); ok {
		m.Device = &held
	}
	for _, c := range p.Constants {
		m.Weights += len(c.Data)
	}
	for _, slot := range p.Slots {
		size, _ := slot.Type.Bytes(op.Extents{Width: 1}) // the session was made of it
		m.Slots += size
	}
	if m.Weights > 0 {
		m.Ratio = float64(m.Peak) / float64(m.Weights)
	}
	return m
}

// compared makes the variant of a switch.
func (o *StepOptions) compared(name string, b *data.Batch) (variant, error) {
	for _, s := range Switches() {
		if s.Name == name && s.Fits(o.Estimator) {
			return s.make(o, b)
		}
	}
	return variant{}, fmt.Errorf("%q is nothing that a step can be compared with", name)
}

func about(name string) string {
	for _, s := range Switches() {
		if s.Name == name {
			return s.About
		}
	}
	return ""
}
