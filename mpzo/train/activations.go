package train

import (
	"context"
	"fmt"
	"math"

	"zeroth/mpzo/data"
	"zeroth/runtime/executor"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// How much is looked at to choose A: rows of one layer's input, and examples.
const (
	observedRows     = 512
	observedExamples = 64
)

// ObservationBounds are the bounds of a session for ActivationA.
func ObservationBounds(b data.Bounds) op.Extents { return Bounds(b, 1, 1) }

// Observation names the outputs of a method "observe" that show what the layer at
// a site reads and gives.
type Observation struct {
	Input, Output string
	Site          uint32 // whose random numbers the search for A begins with
}

// relativeReach is how much a B of standard normal elements adds to what a layer
// gives, relative to that: about what it is for Init's A, r 8, α 16 and weights of
// variance 1/K, s·√(r/3) = 3.3.
const relativeReach = 4

// ActivationA chooses LoRA's frozen A from what a layer reads, as AGZO does
// (arXiv 2601.17261): a layer's gradient δᵀx lies in the span of its inputs x, so
// perturbations outside of that are wasted. A's rows are an orthonormal basis of
// the r directions in which the inputs x are largest, all times one factor. Only
// the rows that the loss reads are looked at: δ is largest there, elsewhere it
// comes through attention alone.
//
// The factor is a site's own: by it, s x Aᵀ Bᵀ of a B of standard normal elements
// is relativeReach times as large as the layer's output y, in the mean square. A
// step in a random direction costs the loss what all sites add to its curvature,
// and a few layers that give little for what they read (the values of attention,
// and what is added to the residuals) would otherwise set ε and the rate for all.
//
// The session has a method "observe" with the outputs that sites name; s is
// LoRA's scale α/r. The examples are those of the run's first steps. The result
// holds an A [r, K] for each site, and how many rows went forward.
func ActivationA(ctx context.Context, session *executor.Session, set *data.Set, o Settings, r int, s float64, sites map[string]Observation) (chosen map[string][]float32, rows int, err error) {
	method, err := session.Method("observe")
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	order, err := data.NewOrder(o.Seed, len(set.Examples), o.Batch)
	if err != nil {
		return nil, 0, err
	}
	seen := make(map[string]*observed)
	for _, at := range sites {
		seen[at.Output] = &observed{}
	}
	for _, at := range sites {
		seen[at.Input] = &observed{keep: true} // also where it is a layer's output
	}
	var batch data.Batch
	for step := 0; step*o.Batch < observedExamples && !allFull(seen); step++ {
		if err := packStep(&batch, set, o.Loss, order.Batch(uint64(step), nil)); err != nil {
			return nil, 0, err
		}
		if err := observe(ctx, method, &batch, seen); err != nil {
			return nil, 0, err
		}
		rows += len(batch.Tokens)
	}
	chosen, bases := make(map[string][]float32), make(map[string]*basis)
	for name, at := range sites {
		if bases[at.Input] == nil {
			if bases[at.Input], err = seen[at.Input].basis(r, o.Seed, sites[at.Input].Site); err != nil {
				return nil, 0, fmt.Errorf("%s: %w", at.Input, err)
			}
		}
		if chosen[name], err = bases[at.Input].scaled(s, seen[at.Output]); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	return chosen, rows, nil
}

// observed is what was seen of a layer's input or output: rows of K values.
type observed struct {
	rows, K int
	total   float64   // Σ ‖x‖²
	keep    bool      // the rows themselves
	x       []float32 // they
}

// take adds rows of K values.
func (o *observed) take(x []float32, K int) {
	o.K = K
	o.rows += len(x) / K
	for _, v := range x {
		o.total += float64(float64(v) * float64(v))
	}
	if o.keep {
		o.x = append(o.x, x...)
	}
}

// takeRows adds those of some rows of K values that are read, or all if read is
// nil, as many as are wanted still.
func (o *observed) takeRows(x []float32, K int, read []int32) {
	rows := len(read)
	if read == nil {
		rows = len(x) / K
	}
	for i := 0; i < rows && o.rows < observedRows; i++ {
		row := i
		if read != nil {
			row = int(read[i])
		}
		o.take(x[row*K:][:K], K)
	}
}

// square is the mean of ‖x‖² over the rows.
func (o *observed) square() (float64, error) {
	if math.IsNaN(o.total) || math.IsInf(o.total, 0) {
		return 0, fmt.Errorf("%w: what the layer reads or gives is not finite", ErrDiverged)
	}
	return o.total / float64(max(1, o.rows)), nil
}

func allFull(seen map[string]*observed) bool {
	for _, o := range seen {
		if o.rows < observedRows {
			return false
		}
	}
	return true
}

// observe runs a batch forward and keeps the outputs' rows that the loss reads, as
// many as are wanted of each.
func observe(ctx context.Context, m *executor.Method, b *data.Batch, seen map[string]*observed) error {
	err := m.Resize(op.Extents{
		Width: 1, N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows),
		K: len(b.RowOffsets) - 1, G: len(b.ChoiceOffsets) - 1, Q: 1,
	})
	if err != nil {
		return err
	}
	f := feeder{method: m}
	f.sequences(b.Tokens, b.Positions, b.SeqOffsets)
	if m.Has("rows") { // the last layer's alone
		f.i32("rows", b.Rows)
	}
	if f.err != nil {
		return f.err
	}
	if err := m.Run(ctx); err != nil {
		return err
	}
	for name, o := range seen {
		out, err := m.Output(name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProgram, err)
		}
		if len(out.Shape) != 2 {
			return fmt.Errorf("%w: output %s is %s, want rows", ErrProgram, name, out.Type)
		}
		switch out.Shape[0] {
		case len(b.Tokens):
			o.takeRows(out.Copy(0), out.Shape[1], b.Rows)
		case len(b.Rows): // the others were left out before
			o.takeRows(out.Copy(0), out.Shape[1], nil)
		default:
			return fmt.Errorf("%w: output %s has %d rows for %d tokens", ErrProgram, name, out.Shape[0], len(b.Tokens))
		}
	}
	return nil
}

// basisIterations is how often the span is multiplied by XᵀX. Directions that
// matter are apart by then, and those that are not matter alike.
const basisIterations = 8

// basis are directions in which inputs are large.
type basis struct {
	q        []float64 // [r, K] orthonormal rows
	captured float64   // mean of ‖x qᵀ‖² over the rows of x
	start    []float32 // [r, K], Init's A
}

// basis finds the r directions of largest x by orthogonal iteration, from the
// rows that Init would give A. Where the inputs span fewer than r directions, the
// rows left over are zero.
func (o *observed) basis(r int, runSeed uint64, site uint32) (*basis, error) {
	b := &basis{start: make([]float32, r*o.K), q: make([]float64, r*o.K)}
	noise.FillUniform(b.start, runSeed, site, float32(1/math.Sqrt(float64(o.K))))
	if _, err := o.square(); err != nil {
		return nil, err
	}
	for i, v := range b.start {
		b.q[i] = float64(v)
	}
	orthonormalise(b.q, o.K)
	for range basisIterations {
		b.q, _ = o.multiply(b.q)
		orthonormalise(b.q, o.K)
	}
	_, captured := o.multiply(b.q)
	b.captured = captured / float64(max(1, o.rows))
	return b, nil
}

// scaled is A for a layer that gives y. Where x or y is zero there is nothing to
// go by, and A is Init's.
func (b *basis) scaled(s float64, y *observed) ([]float32, error) {
	square, err := y.square()
	if err != nil {
		return nil, err
	}
	factor := relativeReach / s * math.Sqrt(square/float64(max(1, y.K))/b.captured)
	if !(factor > 0) || factor > math.MaxFloat32 {
		return b.start, nil
	}
	a := make([]float32, len(b.q))
	for i, v := range b.q {
		a[i] = float32(factor * v)
	}
	return a, nil
}

// multiply returns q XᵀX, and Σ ‖x qᵀ‖² over the rows x of X. q is [r, K].
func (o *observed) multiply(q []float64) (y []float64, captured float64) {
	y = make([]float64, len(q))
	for n := range o.rows {
		x := o.x[n*o.K:][:o.K]
		for j := 0; j < len(q); j += o.K {
			row, to := q[j:][:o.K], y[j:][:o.K]
			h := 0.0
			for k, v := range x {
				h += row[k] * float64(v)
			}
			for k, v := range x {
				to[k] += h * float64(v)
			}
			captured += h * h
		}
	}
	return y, captured
}

// dependent is the share of a row's length below which what is left of it, once
// the rows above are taken out, is rounding.
const dependent = 1e-7

// orthonormalise makes the rows of q, K values each, orthonormal from the first
// to the last (Gram–Schmidt, twice for each row), and those zero that depend on
// the rows above them.
func orthonormalise(q []float64, K int) {
	for i := 0; i < len(q); i += K {
		row := q[i:][:K]
		least := dependent * math.Sqrt(dot(row, row))
		for range 2 {
			for j := 0; j < i; j += K {
				above := q[j:][:K]
				h := dot(row, above)
				for k, v := range above {
					row[k] -= h * v
				}
			}
		}
		length := math.Sqrt(dot(row, row))
		if length <= least {
			clear(row)
			continue
		}
		for k := range row {
			row[k] /= length
		}
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
