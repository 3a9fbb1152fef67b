package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zeroth/runtime/noise"
)

// planted makes rows whose inputs are largest in the given coordinates, by so
// much, and hardly anything elsewhere.
func planted(rows, K int, large map[int]float64) *observed {
	random := rand.New(rand.NewPCG(3, 1))
	o := &observed{keep: true}
	for range rows {
		x := make([]float32, K)
		for k := range x {
			size := 1e-3
			if s, ok := large[k]; ok {
				size = s
			}
			x[k] = float32(size * random.NormFloat64())
		}
		o.take(x, K)
	}
	return o
}

// chooseA finds A for a layer that reads x and gives y.
func chooseA(x, y *observed, r int, s float64, site uint32) ([]float32, error) {
	basis, err := x.basis(r, 11, site)
	if err != nil {
		return nil, err
	}
	return basis.scaled(s, y)
}

func rowsOf(a []float32, K int) (rows [][]float64) {
	for i := 0; i < len(a); i += K {
		row := make([]float64, K)
		for k := range row {
			row[k] = float64(a[i+k])
		}
		rows = append(rows, row)
	}
	return rows
}

func TestBasisSpansTheLargestInputs(t *testing.T) {
	const K, M, r, s = 40, 6, 3, 0.5
	x, y := planted(300, K, map[int]float64{7: 5, 20: 3, 33: 1}), planted(300, M, map[int]float64{1: 4, 2: 3})
	a, err := chooseA(x, y, r, s, 2)
	if err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(a, K)
	length := dot(rows[0], rows[0])
	for i, row := range rows {
		for j, other := range rows[:i] {
			if cos := dot(row, other) / length; math.Abs(cos) > 1e-6 {
				t.Errorf("rows %d and %d are not orthogonal: %g", i, j, cos)
			}
		}
		if got := dot(row, row) / length; math.Abs(got-1) > 1e-6 {
			t.Errorf("row %d is %g times as long as row 0, squared", i, got)
		}
		inside := row[7]*row[7] + row[20]*row[20] + row[33]*row[33]
		if share := inside / length; share < 1-1e-4 {
			t.Errorf("row %d lies to %g in the span of the largest inputs", i, share)
		}
	}
	// Of B of standard normal elements, every output gets Σ (s x·a_j)² in the mean.
	got := 0.0
	for _, x := range rowsOf(x.x, K) {
		for _, row := range rows {
			got += s * s * dot(x, row) * dot(x, row) / 300
		}
	}
	given := y.total / 300 / M
	if want := relativeReach * relativeReach * given; math.Abs(got/want-1) > 1e-5 {
		t.Errorf("B adds %g in the square, want %g", got, want)
	}
	again, err := chooseA(x, y, r, s, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(again[i]) {
			t.Fatal("the same inputs give another A")
		}
	}
}

// Of the rows of a batch those are looked at that are read, and no more than are
// wanted.
func TestObservedRows(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6}
	o := &observed{keep: true}
	o.takeRows(x, 2, []int32{2, 0})
	o.takeRows(x[:2], 2, nil)
	if !slices.Equal(o.x, []float32{5, 6, 1, 2, 1, 2}) || o.rows != 3 || o.total != 71 {
		t.Errorf("%d rows %v, square %g", o.rows, o.x, o.total)
	}
	for range observedRows {
		o.takeRows(x, 2, []int32{0, 1, 2})
	}
	if o.rows != observedRows || len(o.x) != 2*observedRows {
		t.Errorf("%d rows, want %d", o.rows, observedRows)
	}
}

// Fewer directions than r: rows that are left over are zero, none is noise.
func TestBasisOfFewDirections(t *testing.T) {
	x := &observed{keep: true}
	x.take([]float32{1, 2, 0, 0, 0, 0, 0, 3, 0, 0}, 5)
	a, err := chooseA(x, x, 7, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	for _, row := range rowsOf(a, 5) {
		switch size := dot(row, row); {
		case size == 0:
			continue
		case math.IsNaN(size):
			t.Fatal("A is not a number")
		case math.Hypot(row[3], row[4]) > 1e-6*math.Sqrt(size):
			t.Errorf("row %v leaves the span of the inputs", row)
		}
		used++
	}
	if used != 2 {
		t.Errorf("%d rows are not zero, want 2", used)
	}
}

// A layer that reads nothing, or gives nothing, gets Init's A.
func TestBasisOfNothing(t *testing.T) {
	something, nothing := planted(2, 5, map[int]float64{1: 1}), &observed{keep: true}
	nothing.take(make([]float32, 10), 5)
	for _, c := range []struct{ x, y *observed }{{nothing, something}, {something, nothing}, {nothing, nothing}} {
		a, err := chooseA(c.x, c.y, 2, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, len(a))
		noise.FillUniform(want, 11, 1, float32(1/math.Sqrt(5)))
		if !slices.Equal(a, want) {
			t.Errorf("A is %v, want Init's %v", a, want)
		}
	}
	broken := &observed{keep: true}
	broken.take([]float32{1, float32(math.NaN()), 0, 0, 0}, 5)
	for _, c := range []struct{ x, y *observed }{{broken, something}, {something, broken}} {
		if _, err := chooseA(c.x, c.y, 2, 1, 1); !errors.Is(err, ErrDiverged) {
			t.Errorf("values that are no numbers: %v", err)
		}
	}
}
