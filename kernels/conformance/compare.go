package conformance

import (
	"fmt"
	"math"
)

// compare holds a round's results against the plain kernel's and returns the
// largest NMSE of them, with an error where a case fails. Results of the set half are
// f16 (half.go).
func (c *Case) compare(got, want [][]float32, half uint32) (worst float64, err error) {
	for i := range want {
		a, b := got[i], want[i]
		if half>>i&1 != 0 {
			if a, b, err = c.unrounded(a, b); err != nil {
				return math.MaxFloat64, fmt.Errorf("result %d: %w", i, err)
			}
		}
		e, err := c.compareOne(a, b)
		worst = max(worst, e)
		if err != nil {
			return worst, fmt.Errorf("result %d: %w", i, err)
		}
	}
	return worst, nil
}

// compareOne compares one result.
func (c *Case) compareOne(got, want []float32) (nmse float64, err error) {
	if c.Exact() {
		err = equalBits(got, want)
	} else {
		err = equalClasses(got, want, c.NonFiniteAlike)
	}
	if err != nil {
		return math.MaxFloat64, err
	}
	if c.Exact() {
		return 0, nil
	}
	if nmse = NMSE(got, want, c.Scale); nmse > c.Limit {
		return nmse, fmt.Errorf("NMSE %.3g is above %.3g; %s", nmse, c.Limit, furthest(got, want))
	}
	return nmse, nil
}

// NMSE is Σ(a−b)² / max(Σb², n·scale²) over the n elements that are finite in
// both. With nothing to divide by it is 0 for equal values, else
// math.MaxFloat64.
func NMSE(a, b []float32, scale float64) float64 {
	difference, energy, n := 0.0, 0.0, 0
	for i := range b {
		if class(a[i]) != finite || class(b[i]) != finite {
			continue
		}
		d := float64(a[i]) - float64(b[i])
		difference += d * d
		energy += float64(b[i]) * float64(b[i])
		n++
	}
	switch energy = max(energy, float64(n)*scale*scale); {
	case difference == 0:
		return 0
	case energy == 0:
		return math.MaxFloat64
	}
	return min(difference/energy, math.MaxFloat64)
}

// valueClass is what kind of number a value is.
type valueClass string

const (
	finite   valueClass = "finite"
	notANum  valueClass = "NaN"
	plusInf  valueClass = "+Inf"
	minusInf valueClass = "-Inf"
)

func class(v float32) valueClass {
	switch {
	case v != v:
		return notANum
	case v > math.MaxFloat32:
		return plusInf
	case v < -math.MaxFloat32:
		return minusInf
	}
	return finite
}

// equalClasses wants a number where there is one and what is not finite in the
// same way, or with alike in any way.
func equalClasses(got, want []float32, alike bool) error {
	for i := range want {
		if a, b := class(got[i]), class(want[i]); a != b && !(alike && a != finite && b != finite) {
			return fmt.Errorf("element %d is %g, want %g", i, got[i], want[i])
		}
	}
	return nil
}

func equalBits(got, want []float32) error {
	for i := range want {
		if !sameBits(got[i], want[i]) {
			return fmt.Errorf("element %d is %.9g (%#08x), want %.9g (%#08x)",
				i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
	return nil
}

// sameBits takes all NaNs for equal: IEEE leaves their payload open.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func furthest(got, want []float32) string {
	at, largest := 0, -1.0
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); d > largest {
			at, largest = i, d
		}
	}
	return fmt.Sprintf("furthest is element %d: %g, want %g", at, got[at], want[at])
}
