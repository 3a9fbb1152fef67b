package compare

import (
	"math"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// peak is the largest square over the mean square of a row, of the row of x where
// it is largest: an 8-bit step is set by a row's largest value.
func peak(x *kernel.Tensor) float64 {
	worst := 0.0
	eachRow(x, func(row []float32) {
		largest, sum := squares(row)
		if isFinite(sum) && sum > 0 {
			worst = max(worst, largest*float64(len(row))/sum)
		}
	})
	return worst
}

// spread is the NMSE that rounding x to 8 bits a row costs y = x Wᵀ on average:
// each element of a row is off by s²/12, s being its largest magnitude / 127, and
// that reaches y through all of W, however little of x does:
//
//	Σ s² · ΣW² / (12 · Σy²)
//
// It is 0 where that cannot be told. x [w, N, K], W [M, K] in codes, y [P, N, M]
func spread(x, w, y *kernel.Tensor) float64 {
	if w.Data == nil || w.Type.Layout != op.Panels16 {
		return 0
	}
	steps, energy := 0.0, 0.0
	eachRow(x, func(row []float32) {
		largest, _ := squares(row)
		steps += largest / (127 * 127)
	})
	eachRow(y, func(row []float32) {
		_, sum := squares(row)
		energy += sum
	})
	panels, weights := w.Type.Panels(), 0.0
	row := make([]float32, panels.K)
	for m := range panels.M {
		quant.DecodeRow(row, w.Data, &panels, m)
		_, sum := squares(row)
		weights += sum
	}
	copies := float64(y.Width) / float64(x.Width) // that a narrow x makes
	if e := steps * copies * weights / (12 * energy); energy > 0 && isFinite(e) {
		return e
	}
	return 0
}

// eachRow calls f with each row of all copies of a matrix.
func eachRow(t *kernel.Tensor, f func(row []float32)) {
	columns := t.Shape[len(t.Shape)-1]
	for values := t.F32()[:t.Width*t.Elements()]; len(values) > 0; values = values[columns:] {
		f(values[:columns])
	}
}

// squares are the largest square of a row and the sum of all.
func squares(row []float32) (largest, sum float64) {
	for _, v := range row {
		square := float64(v) * float64(v)
		if math.IsNaN(square) {
			return square, square
		}
		largest, sum = max(largest, square), sum+square
	}
	return largest, sum
}
