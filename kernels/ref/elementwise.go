package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindSwiGLU computes y = gate / (1 + e^−gate) · up. y may be gate.
//
//	gate, up [w, N, C] → y [w, N, C], wide if either is
func bindSwiGLU(c *kernel.Call) (kernel.Runner, error) {
	return elementwise(c, func(gate, up float64) float64 {
		return gate / (1 + math.Exp(-gate)) * up
	}), nil
}

// bindAdd computes y = a + b. y may be a.
//
//	a, b [w, N, C] → y [w, N, C], wide if either is
func bindAdd(c *kernel.Call) (kernel.Runner, error) {
	return elementwise(c, func(a, b float64) float64 { return a + b }), nil
}

func elementwise(c *kernel.Call, f func(a, b float64) float64) runner {
	left, right, y := c.In[0], c.In[1], c.Out[0]
	return func() {
		for p := range y.Width {
			a, b, to := left.Copy(p), right.Copy(p), y.Copy(p)
			for i := range to {
				to[i] = float32(f(float64(a[i]), float64(b[i])))
			}
		}
	}
}
