package quant

import (
	"math"

	"zeroth/runtime/op"
)

// Error is how far weights are from what they were before they were encoded.
type Error struct {
	Squared float64 // Σ (decoded − original)²
	Energy  float64 // Σ original²
	Largest float64 // max |decoded − original|
}

// Add joins the errors of two sets of weights.
func (e *Error) Add(other Error) {
	e.Squared += other.Squared
	e.Energy += other.Energy
	e.Largest = max(e.Largest, other.Largest)
}

// Relative is the root of Squared over Energy; 0 where there was nothing to lose.
func (e Error) Relative() float64 {
	if e.Squared == 0 {
		return 0
	}
	return math.Sqrt(e.Squared / e.Energy)
}

// Lost compares a panel with the rows [n, K] that were encoded into it. Weights
// that are not finite do not count.
func (src Panel) Lost(p *op.Panels, rows []float32, n int) Error {
	const step = 64
	var e Error
	var columns [step * op.PanelRows]float32
	for k0 := 0; k0 < p.K; k0 += step {
		k1 := min(k0+step, p.K)
		src.DecodeColumns(columns[:], p, k0, k1)
		for i := range n {
			for j, v := range rows[i*p.K+k0 : i*p.K+k1] {
				d := float64(columns[j*op.PanelRows+i]) - float64(v)
				if d-d != 0 {
					continue
				}
				e.Squared += d * d
				e.Energy += float64(v) * float64(v)
				e.Largest = max(e.Largest, math.Abs(d))
			}
		}
	}
	return e
}
