package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"zeroth/mpzo/data"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Perturbation chooses the copies of one forward pass: copy p is perturbed by
// σ ε z_i, with i and σ those of noise.Copy(First, p).
type Perturbation struct {
	Seed   [2]uint32
	First  int
	Copies int // P
	Eps    float32
}

// oneSided is the First of a pass whose copy 0 is not perturbed and whose others
// are so to one side.
const oneSided = -1

// None is the unperturbed model as a single copy.
var None = Perturbation{Copies: 1}

// Model is a program with LoRA, or one whose weights are all trained, bound for
// training. It is for one goroutine.
type Model struct {
	session *executor.Session
	losses  *executor.Method
	update  *executor.Method
	slopes  *executor.Method // nil: the session has none
	sites   []program.Site   // the sites that have LoRA, in the program's order
	full    bool             // all weights are trained, one copy at a time

	frozen    *frozen    // nil: "losses" begins with the tokens
	generator *Generator // nil: no answers are written
}

// Bounds turns the sizes of the largest batch into a session's bounds for q
// queries and forward passes of the given number of copies.
func Bounds(b data.Bounds, copies, q int) op.Extents {
	return op.Extents{Width: copies, N: b.Tokens, S: b.Sequences, R: b.Rows, K: b.Candidates, G: b.Examples, Q: q}
}

// NewModel takes a session that has the methods "losses" and "update", and
// "slopes" where the estimator asks for it. All slots are zero: call Init or
// SetAdapter before training.
func NewModel(s *executor.Session) (*Model, error) {
	m := &Model{session: s}
	var err error
	if m.losses, err = s.Method(MethodLosses); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	if m.update, err = s.Method(MethodUpdate); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	if m.slopes, err = s.Method(MethodSlopes); err != nil {
		m.slopes = nil // only the estimator jvp asks for it
	}
	params, _ := s.Program().Lookup("params")
	m.full = params == "full"
	if err := m.checkOutputs(); err != nil {
		return nil, err
	}
	if err := m.findFrozen(); err != nil {
		return nil, err
	}
	m.findSites()
	return m, nil
}

// checkOutputs wants the losses to be what their readers take them for. All are
// wide in a program with LoRA: a loss that no perturbation reaches would train
// nothing. None is where weights are perturbed for one copy at a time.
func (m *Model) checkOutputs() error {
	for _, want := range []struct {
		name  string
		shape []op.Dim
	}{
		{"losses", nil}, {"choice_losses", nil}, {"nll", []op.Dim{op.S(op.LossRows, 0)}},
	} {
		out, err := m.losses.Output(want.name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProgram, err)
		}
		if !out.Type.Equal(op.Type{DType: op.F32, Wide: !m.full, Shape: want.shape}) {
			return fmt.Errorf("%w: output %s is %s: no LoRA site reaches it, or it is no loss", ErrProgram, want.name, out.Type)
		}
	}
	return nil
}

func (m *Model) findSites() {
	for _, site := range m.session.Program().Sites {
		if site.B >= 0 {
			m.sites = append(m.sites, site)
		}
	}
}

// Close ends the model's session, and that of its generator.
func (m *Model) Close() {
	if m.generator != nil {
		m.generator.Close()
	}
	m.session.Close()
}

// Session is the session that the model runs in.
func (m *Model) Session() *executor.Session { return m.session }

// Sites lists the trained sites, in the program's order.
func (m *Model) Sites() []program.Site { return m.sites }

// Full reports whether all weights are trained, not LoRA.
func (m *Model) Full() bool { return m.full }

// Parameters is the number of trained values: the elements of all B, or of all
// weights.
func (m *Model) Parameters() int {
	n := 0
	if m.full {
		for _, slot := range m.session.Program().Slots {
			n += elements(slot.Type)
		}
		return n
	}
	for _, s := range m.sites {
		n += elements(m.session.Program().Slots[s.B].Type)
	}
	return n
}

// Init starts LoRA-FA: A is Kaiming-uniform with a = √5, so bounded by
// 1/√K, and stays as it is; B is zero.
func (m *Model) Init(runSeed uint64) error {
	for _, s := range m.sites {
		a, err := m.session.WriteSlot(s.A)
		if err != nil {
			return err
		}
		b, err := m.session.WriteSlot(s.B)
		if err != nil {
			return err
		}
		noise.FillUniform(a, runSeed, s.ID, float32(1/math.Sqrt(float64(s.In))))
		clear(b)
	}
	return nil
}

// elements is the number of elements of a slot.
func elements(t op.Type) int {
	n := 1
	for _, d := range t.Shape {
		n *= d.Offset
	}
	return n
}

// Losses runs the batch forward once for all copies of p and writes their P
// losses to dst: the weighted sum of row losses for data.TokenLoss, the loss
// over the candidates for data.ChoiceLoss.
//
// Where all weights are trained it takes one copy only.
func (m *Model) Losses(ctx context.Context, b *data.Batch, loss data.Loss, p Perturbation, dst []float32) error {
	if m.full && p.Copies > 1 {
		return fmt.Errorf("%w: %d copies at once: where all weights are trained each goes forward alone, by the estimator mezo", ErrSettings, p.Copies)
	}
	if err := m.forward(ctx, b, p); err != nil {
		return err
	}
	losses, _ := outputsOf(loss)
	return output(m.losses, losses, dst[:p.Copies])
}

// outputsOf are the outputs that have a loss and its slopes.
func outputsOf(loss data.Loss) (losses, slopes string) {
	if loss == data.ChoiceLoss {
		return "choice_losses", "choice_slopes"
	}
	return "losses", "slopes"
}

// output copies what a method's last run left in an output.
func output(method *executor.Method, name string, dst []float32) error {
	out, err := method.Output(name)
	if err != nil {
		return err
	}
	copy(dst, out.F32())
	return nil
}

// RowLosses runs the batch through the unperturbed model and returns its row
// losses [R], which stand until the next run.
func (m *Model) RowLosses(ctx context.Context, b *data.Batch) ([]float32, error) {
	if err := m.forward(ctx, b, None); err != nil {
		return nil, err
	}
	out, err := m.losses.Output("nll")
	if err != nil {
		return nil, err
	}
	return out.Copy(0), nil
}

// Slopes runs the batch forward once, as the unperturbed model, and writes its
// loss to value [1] and the exact slope of that along each z_i of the seed to g.
func (m *Model) Slopes(ctx context.Context, b *data.Batch, loss data.Loss, seed [2]uint32, value, g []float32) error {
	if m.slopes == nil {
		return fmt.Errorf("%w: the session has no method %s: the estimator jvp needs it", ErrProgram, MethodSlopes)
	}
	f, err := m.feed(ctx, m.slopes, b, len(g))
	if err != nil {
		return err
	}
	if f.seed(seed); f.err != nil {
		return f.err
	}
	if err := m.slopes.Run(ctx); err != nil {
		return err
	}
	losses, slopes := outputsOf(loss)
	if err := output(m.slopes, losses, value[:1]); err != nil {
		return err
	}
	return output(m.slopes, slopes, g)
}

// feed sizes a method for a batch and its copies, and fills in the batch.
func (m *Model) feed(ctx context.Context, method *executor.Method, b *data.Batch, copies int) (feeder, error) {
	f := feeder{method: method}
	err := method.Resize(op.Extents{
		Width: copies, N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows),
		K: len(b.RowOffsets) - 1, G: len(b.ChoiceOffsets) - 1,
	})
	if err != nil {
		return f, err
	}
	if m.frozen != nil {
		if err := m.frozen.fill(ctx, method, b); err != nil {
			return f, err
		}
	}
	f.sequences(b.Tokens, b.Positions, b.SeqOffsets)
	f.i32("rows", b.Rows)
	f.i32("labels", b.Labels)
	f.i32("row_offsets", b.RowOffsets)
	f.i32("choice_offsets", b.ChoiceOffsets)
	f.i32("gold", b.Gold)
	f.f32("weights", b.Weights)
	return f, f.err
}

func (m *Model) forward(ctx context.Context, b *data.Batch, p Perturbation) error {
	f, err := m.feed(ctx, m.losses, b, p.Copies)
	if err != nil {
		return err
	}
	f.seed(p.Seed)
	first, eps := [1]int32{int32(p.First)}, [1]float32{p.Eps}
	f.i32("first", first[:])
	f.f32("eps", eps[:])
	if f.err != nil {
		return f.err
	}
	return m.losses.Run(ctx)
}

// Update moves B ← B − lr/q · Σ g_i z_i.
func (m *Model) Update(ctx context.Context, seed [2]uint32, g []float32, lr float32) error {
	if err := m.update.Resize(op.Extents{Width: 1, Q: len(g)}); err != nil {
		return err
	}
	f := feeder{method: m.update}
	f.seed(seed)
	f.f32("g", g)
	rate := [1]float32{lr}
	f.f32("lr", rate[:])
	if f.err != nil {
		return f.err
	}
	return m.update.Run(ctx)
}

// feeder fills a method's inputs and keeps the first error.
type feeder struct {
	method *executor.Method
	err    error
}

func (f *feeder) tensor(name string) *kernel.Tensor {
	t, err := f.method.Input(name)
	if f.err == nil {
		f.err = err
	}
	return t
}

func (f *feeder) i32(name string, values []int32) {
	if t := f.tensor(name); t != nil {
		copy(t.I32(), values)
	}
}

// sequences fills what says which tokens stand where, as far as the method reads
// it: not all parts of a model depend on all of it.
func (f *feeder) sequences(tokens, positions, offsets []int32) {
	if f.method.Has("tokens") {
		f.i32("tokens", tokens)
	}
	if f.method.Has("positions") {
		f.i32("positions", positions)
	}
	if f.method.Has("offsets") {
		f.i32("offsets", offsets)
	}
}

func (f *feeder) f32(name string, values []float32) {
	if t := f.tensor(name); t != nil {
		copy(t.F32(), values)
	}
}

func (f *feeder) seed(seed [2]uint32) {
	if t := f.tensor("seed"); t != nil {
		copy(t.U32(), seed[:])
	}
}

// Snapshot copies every B, in the order of the sites, to be given to Restore.
func (m *Model) Snapshot() ([][]float32, error) {
	var all [][]float32
	for _, s := range m.sites {
		b, err := m.session.ReadSlot(s.B)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Clone(b))
	}
	return all, nil
}

// Restore brings back a snapshot.
func (m *Model) Restore(all [][]float32) error {
	for i, s := range m.sites {
		b, err := m.session.WriteSlot(s.B)
		if err != nil {
			return err
		}
		copy(b, all[i])
	}
	return nil
}

// copySlots takes what another model of the same program has at its sites.
// Weights that are trained themselves are one storage for both.
func (m *Model) copySlots(from *Model) error {
	var slots []int
	for _, s := range m.sites {
		slots = append(slots, s.A, s.B)
	}
	for _, i := range slots {
		values, err := from.session.ReadSlot(i)
		if err != nil {
			return err
		}
		slot, err := m.session.WriteSlot(i)
		if err != nil {
			return err
		}
		copy(slot, values)
	}
	return nil
}
