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

// ActivationA chooses LoRA's frozen A from what a layer reads, as AGZO does
// (arXiv 2601.17261): a layer's gradient δᵀx lies in the span of its inputs x, so
// perturbations outside of that are wasted. A's rows are an orthonormal basis of
// the r directions in which the inputs x are largest, all times one factor, by
// which ‖xAᵀ‖² is on average what it is for Init's A: the rate and ε that suit
// one suit the other.
//
// The session has a method "inputs", whose outputs are the inputs of layers: the
// result holds an A [r, K] for each of them. The examples are those of the run's
// first steps. An output's random start is that of the site ids gives for it.
func ActivationA(ctx context.Context, s *executor.Session, set *data.Set, o Settings, r int, ids map[string]uint32) (map[string][]float32, error) {
	method, err := s.Method("inputs")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	order, err := data.NewOrder(o.Seed, len(set.Examples), o.Batch)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]*observed)
	for name := range ids {
		seen[name] = &observed{}
	}
	var batch data.Batch
	for step := 0; step*o.Batch < observedExamples; step++ {
		if err := packStep(&batch, set, o.Loss, order.Batch(uint64(step), nil)); err != nil {
			return nil, err
		}
		if err := observe(ctx, method, &batch, seen); err != nil {
			return nil, err
		}
		if allFull(seen) {
			break
		}
	}
	chosen := make(map[string][]float32)
	for name, x := range seen {
		if chosen[name], err = x.basis(r, o.Seed, ids[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return chosen, nil
}

// observed is what was seen of one layer's input: rows of K values.
type observed struct {
	rows, K int
	x       []float32
}

func allFull(seen map[string]*observed) bool {
	for _, o := range seen {
		if o.rows < observedRows {
			return false
		}
	}
	return true
}

// observe runs a batch forward and keeps the outputs' rows, as many as are
// wanted of each.
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
		o.K = out.Shape[1]
		rows := min(out.Shape[0], observedRows-o.rows)
		o.x = append(o.x, out.Copy(0)[:rows*o.K]...)
		o.rows += rows
	}
	return nil
}

// basisIterations is how often the span is multiplied by XᵀX. Directions that
// matter are apart by then, and those that are not matter alike.
const basisIterations = 8

// basis finds the r directions of largest x by orthogonal iteration, from the
// rows that Init would give A. Where the inputs span fewer than r directions, the
// rows left over are zero; where all are zero, A is Init's.
func (o *observed) basis(r int, runSeed uint64, site uint32) ([]float32, error) {
	a := make([]float32, r*o.K)
	bound := 1 / math.Sqrt(float64(o.K))
	noise.FillUniform(a, runSeed, site, float32(bound))
	total := 0.0 // Σ ‖x‖²
	for _, v := range o.x {
		total += float64(v) * float64(v)
	}
	if math.IsNaN(total) || math.IsInf(total, 0) {
		return nil, fmt.Errorf("%w: the layer's inputs are not finite", ErrDiverged)
	}
	q := make([]float64, len(a))
	for i, v := range a {
		q[i] = float64(v)
	}
	orthonormalise(q, o.K)
	for range basisIterations {
		q, _ = o.multiply(q)
		orthonormalise(q, o.K)
	}
	_, captured := o.multiply(q)
	if captured == 0 {
		return a, nil
	}
	// E‖xAᵀ‖² = r ‖x‖² bound² / 3 for A uniform within the bound.
	factor := bound * math.Sqrt(float64(r)/3*total/captured)
	for i, v := range q {
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
