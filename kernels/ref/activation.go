package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindGelu computes y = x · Φ(x) with Φ(x) = ½ (1 + erf(x/√2)), or the
// approximation y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))). y may be x.
//
//	x [w, N, C] → y [w, N, C]
func bindGelu(c *kernel.Call) (kernel.Runner, error) {
	if c.Attrs.Int("approximate") == 1 {
		return unary(c, func(x float64) float64 {
			return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}), nil
	}
	return unary(c, func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }), nil
}

// bindRelu computes y = max(x, 0), NaN for NaN. y may be x.
//
//	x [w, N, C] → y [w, N, C]
func bindRelu(c *kernel.Call) (kernel.Runner, error) {
	return unary(c, func(x float64) float64 { return max(x, 0) }), nil
}

func unary(c *kernel.Call, f func(x float64) float64) runner {
	x, y := c.In[0], c.Out[0]
	return func() {
		for p := range y.Width {
			from, to := x.Copy(p), y.Copy(p)
			for i := range to {
				to[i] = float32(f(float64(from[i])))
			}
		}
	}
}
