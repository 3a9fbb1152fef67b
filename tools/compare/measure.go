package compare

import (
	"fmt"
	"math"
	"slices"

	"zeroth/runtime/kernel"
)

// Error says how far a value is from the reference's.
type Error struct {
	// NMSE is Σ(a−b)² / Σb² over the elements that are finite in both.
	NMSE float64 `json:"nmse"`
	// Row and Column are the largest NMSE of a row and of a column: an error in
	// a few elements hardly shows in that of all. 0 where there are too few to
	// tell.
	Row    float64 `json:"worst_row"`
	Column float64 `json:"worst_column"`
	// Pair is the NMSE of what training reads: of the differences between the two
	// copies of a ± pair.
	Pair float64 `json:"pairs"`
	Max  float64 `json:"max_error"` // largest |a − b|
	At   string  `json:"at"`        // where that is, and both values
	// Odd counts the elements that are finite in one and not in the other, or not
	// in the same way; FirstOdd says where the first one is.
	Odd      int    `json:"odd"`
	FirstOdd string `json:"first_odd,omitempty"`
}

// grid is a value as a matrix: the rows of all copies, one below the other.
type grid struct {
	a, b          []float32
	copies        int // P, or 1
	rows, columns int // rows of all copies
}

func newGrid(a, b *kernel.Tensor) grid {
	g := grid{copies: b.Width, rows: b.Width, columns: 1}
	if rank := len(b.Shape); rank > 0 {
		g.columns = b.Shape[rank-1]
		for _, d := range b.Shape[:rank-1] {
			g.rows *= d
		}
	}
	n := g.rows * g.columns
	g.a, g.b = a.F32()[:n], b.F32()[:n]
	return g
}

// place names element i.
func (g *grid) place(i int) string {
	text := ""
	if g.copies > 1 {
		text = fmt.Sprintf("copy %d ", i/g.columns/(g.rows/g.copies))
	}
	return fmt.Sprintf("%srow %d column %d: %g, want %g", text, i/g.columns%(g.rows/g.copies), i%g.columns, g.a[i], g.b[i])
}

// fewSamples is what a row or column of rounded products must have for its NMSE
// to mean something: the energy of fewer elements is small by chance.
const fewSamples = 16

// measure compares a with the reference b, which have the same type and extents.
func measure(a, b *kernel.Tensor, l Limit) Error {
	g := newGrid(a, b)
	e := Error{}
	rowError, rowEnergy := make([]float64, g.rows), make([]float64, g.rows)
	columnError, columnEnergy := make([]float64, g.columns), make([]float64, g.columns)
	difference, energy := 0.0, 0.0
	at := -1
	for i := range g.b {
		x, y := float64(g.a[i]), float64(g.b[i])
		if !isFinite(x) || !isFinite(y) {
			if !l.alike(x, y) {
				if e.Odd == 0 {
					e.FirstOdd = g.place(i)
				}
				e.Odd++
			}
			continue
		}
		d := x - y
		if math.Abs(d) > e.Max {
			e.Max, at = math.Abs(d), i
		}
		d, y = d*d, max(y*y, l.scale*l.scale)
		row, column := i/g.columns, i%g.columns
		difference, energy = difference+d, energy+y
		rowError[row], rowEnergy[row] = rowError[row]+d, rowEnergy[row]+y
		columnError[column], columnEnergy[column] = columnError[column]+d, columnEnergy[column]+y
	}
	if at >= 0 {
		e.At = g.place(at)
	}
	e.NMSE = ratio(difference, energy)
	if l.judgesLines(g.columns) {
		e.Row = worstLine(rowError, rowEnergy)
	}
	if l.judgesLines(g.rows / g.copies) {
		e.Column = worstLine(columnError, columnEnergy)
	}
	e.Pair = g.pairs(l)
	return e
}

// smallLine is the share of the median line's energy that a line counts for at
// least, and tinyLine of the mean one's: lines that cancel to nearly nothing
// cannot be more precise than the others. The median is not moved by the few
// tokens whose activations are thousands of times the others'.
const smallLine, tinyLine = 1e-2, 1e-6

// worstLine is the largest NMSE of a row or column.
func worstLine(difference, energy []float64) float64 {
	if len(energy) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(energy))
	mean := 0.0
	for _, e := range energy {
		mean += e / float64(len(energy))
	}
	least := max(smallLine*sorted[len(sorted)/2], tinyLine*mean)
	worst := 0.0
	for i := range difference {
		worst = max(worst, ratio(difference[i], max(energy[i], least)))
	}
	return worst
}

// steadyShare is the share of the copies' energy that a pair's difference counts
// for at least. Below it f32 cannot tell the copies apart.
const steadyShare = 1e-7

// pairs is the NMSE of the differences between copies 2i and 2i + 1.
func (g *grid) pairs(l Limit) float64 {
	if !l.pairs || g.copies < 2 {
		return 0
	}
	n := g.rows / g.copies * g.columns // elements of a copy
	difference, energy := 0.0, 0.0
	for first := 0; first+2*n <= len(g.b); first += 2 * n {
		for i := first; i < first+n; i++ {
			a, b := float64(g.a[i])-float64(g.a[i+n]), float64(g.b[i])-float64(g.b[i+n])
			if !isFinite(a) || !isFinite(b) {
				continue
			}
			y := max(math.Abs(float64(g.b[i])), l.scale)
			difference += (a - b) * (a - b)
			energy += b*b + l.steady*2*y*y
		}
	}
	return ratio(difference, energy)
}

// ratio is d/e; nothing over nothing is 0, and something over nothing, or what no
// JSON can hold, the largest number.
func ratio(d, e float64) float64 {
	switch {
	case d == 0:
		return 0
	case e == 0:
		return math.MaxFloat64
	}
	return min(d/e, math.MaxFloat64)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
