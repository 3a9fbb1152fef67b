package conformance

import (
	"math"
	"math/rand/v2"
	"slices"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// normal gives normal values of the given standard deviation.
func normal(deviation float64) Float {
	return func(rng *rand.Rand, _, _ int) float32 { return float32(rng.NormFloat64() * deviation) }
}

// always gives one value.
func always(v float32) Float {
	return func(*rand.Rand, int, int) float32 { return v }
}

// with puts v at one element and lets f make the others.
func with(f Float, row, column int, v float64) Float {
	return func(rng *rand.Rand, r, c int) float32 {
		if other := f(rng, r, c); r != row || c != column {
			return other
		}
		return float32(v)
	}
}

// inRow puts v at each element of a row and lets f make the others.
func inRow(f Float, row int, v float64) Float {
	return func(rng *rand.Rand, r, c int) float32 {
		if other := f(rng, r, c); r != row {
			return other
		}
		return float32(v)
	}
}

// cycle repeats values along the columns.
func cycle(values ...float64) Float {
	return func(_ *rand.Rand, _, column int) float32 { return float32(values[column%len(values)]) }
}

// identity is the identity matrix.
func identity(_ *rand.Rand, row, column int) float32 {
	if row == column {
		return 1
	}
	return 0
}

// angle makes a table of cosines or sines: row is the position, column the pair.
func angle(f func(float64) float64, half int) Float {
	return func(_ *rand.Rand, row, column int) float32 {
		return float32(f(float64(row) * math.Pow(10000, -float64(column)/float64(half))))
	}
}

// anyWord gives any 32 bits: a seed.
func anyWord(rng *rand.Rand, _ int) uint32 { return rng.Uint32() }

// word gives one value.
func word(v uint32) Integer {
	return func(*rand.Rand, int) uint32 { return v }
}

func fillFloats(rng *rand.Rand, f Float, t *kernel.Tensor) error {
	if f == nil {
		f = normal(1)
	}
	if t.Type.Layout == op.Panels16 {
		return fillPanels(rng, f, t)
	}
	columns := 1
	if len(t.Shape) > 0 {
		columns = t.Shape[len(t.Shape)-1]
	}
	for p := range t.Width {
		for i := range t.Copy(p) {
			t.Copy(p)[i] = f(rng, i/columns, i%columns)
		}
	}
	return nil
}

// fillPanels encodes the values of W [M, K] in the tensor's element type.
func fillPanels(rng *rand.Rand, f Float, t *kernel.Tensor) error {
	panels := t.Type.Panels()
	rows := make([]float32, op.PanelRows*panels.K)
	for i := range panels.Count {
		first := i * op.PanelRows
		n := min(op.PanelRows, panels.M-first)
		for j := range n * panels.K {
			rows[j] = f(rng, first+j/panels.K, j%panels.K)
		}
		if err := quant.PanelOf(t.Data, &panels, i).Encode(&panels, rows, n); err != nil {
			return err
		}
	}
	return nil
}

// fillIndex writes random values of input i that keep its rule, and checks
// them as the executor does.
func fillIndex(rng *rand.Rand, spec *op.Spec, in []*kernel.Tensor, i int) error {
	rule, values := *spec.Inputs[i].Index, in[i].I32()
	of := in[rule.Of]
	extent := of.Shape[0] - rule.Less
	var offsets []int32
	switch rule.Kind {
	case op.Below:
		for j := range values {
			values[j] = int32(rng.IntN(max(extent, 1)))
		}
	case op.Offsets:
		fillOffsets(rng, values, extent, choosesFrom(spec, i))
	case op.InGroup:
		offsets = of.I32()
		for j := range values {
			values[j] = int32(rng.IntN(max(int(offsets[j+1]-offsets[j]), 1)))
		}
	}
	return rule.Check(values, extent, offsets)
}

// choosesFrom reports whether another input chooses from the groups that input
// i divides: then none may be empty.
func choosesFrom(spec *op.Spec, i int) bool {
	for _, p := range spec.Inputs {
		if p.Index != nil && p.Index.Kind == op.InGroup && p.Index.Of == i {
			return true
		}
	}
	return false
}

// fillOffsets divides extent into len(values)−1 groups at random places, at
// different ones if no group may be empty.
func fillOffsets(rng *rand.Rand, values []int32, extent int, different bool) {
	cuts := len(values) - 2
	if cuts > 0 && different && extent > cuts {
		for j, cut := range rng.Perm(extent - 1)[:cuts] {
			values[j+1] = int32(cut + 1)
		}
	} else {
		for j := range max(cuts, 0) {
			values[j+1] = int32(rng.IntN(extent + 1))
		}
	}
	values[0], values[len(values)-1] = 0, int32(extent)
	slices.Sort(values)
}
