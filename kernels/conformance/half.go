package conformance

import (
	"fmt"

	"zeroth/internal/half"
	"zeroth/runtime/kernel"
)

// Kernels that keep activations as f16 (kernel.Kernel.Half) are held to as much as all
// others. The plain kernel computes with inputs that are rounded as they must round
// them. Of their results, which are f16, that error is judged which there was before
// they were rounded: the least that explains them.

// roundAll rounds the elements of all copies of a tensor.
func roundAll(t *kernel.Tensor) {
	values := t.F32()[:t.Width*t.Elements()]
	for i, v := range values {
		values[i] = half.Round(v)
	}
}

// unrounded makes of results of f16 those before they were rounded, as near to what is
// wanted as they can have been: where rounding what is wanted gives the result, that
// itself. Exact results must be what is wanted, rounded.
func (c *Case) unrounded(got, want []float32) (before, wanted []float32, err error) {
	before, wanted = make([]float32, len(got)), make([]float32, len(want))
	for i, v := range got {
		switch {
		case v == v && half.Round(v) != v:
			return nil, nil, fmt.Errorf("element %d is %.9g, which is no f16", i, v)
		case c.Exact():
			before[i], wanted[i] = v, half.Round(want[i])
		case v != v || class(want[i]) != finite:
			before[i], wanted[i] = v, want[i]
		default:
			before[i], wanted[i] = nearestSource(v, want[i]), want[i]
			if before[i] == wanted[i] && class(v) != finite { // both are infinite, whatever their size is
				before[i], wanted[i] = v, v
			}
		}
	}
	return before, wanted, nil
}

// The ends of f16.
const (
	largestHalf   = 65504
	firstInfinite = 65520           // and above rounds to infinity
	smallestHalf  = 1.0 / (1 << 24) // subnormal
)

// nearestSource is the value nearest to v of those that round to h, a f16.
func nearestSource(h, v float32) float32 {
	if h < 0 {
		return -nearestSource(-h, -v)
	}
	low, high := -float32(smallestHalf/2), float32(smallestHalf/2)
	switch bits := half.FromFloat(h); {
	case h > largestHalf:
		return max(v, firstInfinite)
	case h == largestHalf:
		low, high = (h+half.ToFloat(bits-1))/2, firstInfinite
	case h != 0:
		low, high = (h+half.ToFloat(bits-1))/2, (h+half.ToFloat(bits+1))/2
	}
	return min(max(v, low), high)
}
