package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindRMSNormalization computes y = x / sqrt(mean(x²) + epsilon) · scale for
// each row of each head: H·D = C, with one head where scale has all channels. y
// may be x.
//
//	x [w, N, H·D], scale [D] → y [w, N, H·D]
func bindRMSNormalization(c *kernel.Call) (kernel.Runner, error) {
	x, scale, y := c.In[0], c.In[1], c.Out[0]
	epsilon := c.Attrs.Float("epsilon")
	return runner(func() {
		D := scale.Shape[0]
		heads := 0
		if D > 0 {
			heads = x.Shape[0] * x.Shape[1] / D
		}
		for p := range y.Width {
			for h := range heads {
				normalise(row(y.Copy(p), h, D), row(x.Copy(p), h, D), scale.Copy(0), epsilon)
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

// bindLayerNormalization computes, for each row with mean m and variance v, the
// mean of (x − m)²: y = (x − m) / sqrt(v + epsilon) · scale + bias. y may be x.
//
//	x [w, N, C], scale and bias [C] → y [w, N, C]
func bindLayerNormalization(c *kernel.Call) (kernel.Runner, error) {
	x, scale, bias, y := c.In[0], c.In[1], c.In[2], c.Out[0]
	epsilon := c.Attrs.Float("epsilon")
	return runner(func() {
		N, C := x.Shape[0], x.Shape[1]
		for p := range y.Width {
			for n := range N {
				standardise(row(y.Copy(p), n, C), row(x.Copy(p), n, C), scale.Copy(0), bias.Copy(0), epsilon)
			}
		}
	}), nil
}

func standardise(y, x, scale, bias []float32, epsilon float64) {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	root := math.Sqrt(squares/float64(len(x)) + epsilon)
	for k, v := range x {
		y[k] = float32((float64(v)-mean)/root*float64(scale[k]) + float64(bias[k]))
	}
}
