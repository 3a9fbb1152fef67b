package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// planted makes rows whose inputs are largest in the given coordinates, by so
// much, and hardly anything elsewhere.
func planted(rows, K int, large map[int]float64) *observed {
	random := rand.New(rand.NewPCG(3, 1))
	o := &observed{rows: rows, K: K}
	for range rows {
		for k := range K {
			size := 1e-3
			if s, ok := large[k]; ok {
				size = s
			}
			o.x = append(o.x, float32(size*random.NormFloat64()))
		}
	}
	return o
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
	const K, r = 40, 3
	o := planted(300, K, map[int]float64{7: 5, 20: 3, 33: 1})
	a, err := o.basis(r, 11, 2)
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
	// Σ ‖xAᵀ‖² is what an A uniform within 1/√K would have on average.
	got, total := 0.0, 0.0
	for _, x := range rowsOf(o.x, K) {
		total += dot(x, x)
		for _, row := range rows {
			got += dot(x, row) * dot(x, row)
		}
	}
	if want := r * total / (3 * K); math.Abs(got/want-1) > 1e-5 {
		t.Errorf("Σ ‖xAᵀ‖² is %g, want %g", got, want)
	}
	again, err := o.basis(r, 11, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(again[i]) {
			t.Fatal("the same inputs give another A")
		}
	}
}

// Fewer directions than r: rows that are left over are zero, none is noise.
func TestBasisOfFewDirections(t *testing.T) {
	o := &observed{rows: 2, K: 5, x: []float32{1, 2, 0, 0, 0, 0, 0, 3, 0, 0}}
	a, err := o.basis(7, 1, 1)
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

func TestBasisOfNothing(t *testing.T) {
	o := &observed{rows: 2, K: 5, x: make([]float32, 10)}
	a, err := o.basis(2, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rowsOf(a, 5) {
		if dot(row, row) == 0 {
			t.Error("A is zero where no input says which directions matter")
		}
	}
	o.x[3] = float32(math.NaN())
	if _, err := o.basis(2, 1, 1); !errors.Is(err, ErrDiverged) {
		t.Errorf("inputs that are no numbers: %v", err)
	}
}
