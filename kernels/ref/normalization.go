package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindRMSNormalization computes y = x / sqrt(mean(x²) + epsilon) · scale for
// each row. y may be x.
//
//	x [w, N, C], scale [C] → y [w, N, C]
func bindRMSNormalization(c *kernel.Call) (kernel.Runner, error) {
	x, scale, y := c.In[0], c.In[1], c.Out[0]
	epsilon := c.Attrs.Float("epsilon")
	return runner(func() {
		N, C := x.Shape[0], x.Shape[1]
		for p := range y.Width {
			for n := range N {
				normalise(row(y.Copy(p), n, C), row(x.Copy(p), n, C), scale.Copy(0), epsilon)
			}
		}
	}), nil
}

func normalise(y, x, scale []float32, epsilon float64) {
	squares := 0.0
	for _, v := range x {
		squares += float64(v) * float64(v)
	}
	root := math.Sqrt(squares/float64(len(x)) + epsilon)
	for k, v := range x {
		y[k] = float32(float64(v) / root * float64(scale[k]))
	}
}
