package ref

import (
	"math"

	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
)

// bindLoRATangent computes y_p = x_p + h z_pᵀ, element m·r + c of z_p at index
// m·r + c. y may be x.
//
//	x [P, N, M], h [N, r] → y [P, N, M]
func bindLoRATangent(c *kernel.Call) (kernel.Runner, error) {
	x, h, y := c.In[0], c.In[1], c.Out[0]
	sampler, site := noise.Sampler(c.Attrs.Int("sampler")), uint32(c.Attrs.Int("site"))
	z := make([]float32, x.Shape[1]*h.Shape[1]) // of one copy, [M, r]
	return runner(func() {
		N, M, r := x.Shape[0], x.Shape[1], h.Shape[1]
		seed := [2]uint32{c.In[2].U32()[0], c.In[2].U32()[1]}
		for p := range y.Width {
			sampler.Fill(z, seed, site, uint32(p), 0)
			for n := range N {
				xRow, yRow := row(x.Copy(p), n, M), row(y.Copy(p), n, M)
				for m := range M {
					yRow[m] = float32(float64(xRow[m]) + dot(row(h.Copy(0), n, r), row(z, m, r)))
				}
			}
		}
	}), nil
}

// dot is Σ_i a[i] · b[i].
func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// bindRMSNormalizationTangent computes, for each row of each head, with v =
// mean(x²) + epsilon, y = (dx − x · mean(x · dx) / v) / sqrt(v) · scale. y may
// be dx.
//
//	dx [P, N, H·D], x [N, H·D], scale [D] → y [P, N, H·D]
func bindRMSNormalizationTangent(c *kernel.Call) (kernel.Runner, error) {
	dx, x, scale, y := c.In[0], c.In[1], c.In[2], c.Out[0]
	epsilon := c.Attrs.Float("epsilon")
	return runner(func() {
		D := scale.Shape[0]
		heads := 0
		if D > 0 {
			heads = x.Shape[0] * x.Shape[1] / D
		}
		for p := range y.Width {
			for h := range heads {
				centred := deviation{x: row(x.Copy(0), h, D)}
				centred.tangent(row(y.Copy(p), h, D), row(dx.Copy(p), h, D), 0, scale.Copy(0), epsilon)
			}
		}
	}), nil
}

// bindLayerNormalizationTangent computes, for each row with c = x − mean(x) and
// v = mean(c²) + epsilon, y = (dx − mean(dx) − c · mean(c · dx) / v) / sqrt(v) ·
// scale. y may be dx.
//
//	dx [P, N, C], x [N, C], scale [C] → y [P, N, C]
func bindLayerNormalizationTangent(c *kernel.Call) (kernel.Runner, error) {
	dx, x, scale, y := c.In[0], c.In[1], c.In[2], c.Out[0]
	epsilon := c.Attrs.Float("epsilon")
	return runner(func() {
		N, C := x.Shape[0], x.Shape[1]
		for p := range y.Width {
			for n := range N {
				from := row(dx.Copy(p), n, C)
				centred := deviation{x: row(x.Copy(0), n, C), mean: average(row(x.Copy(0), n, C))}
				centred.tangent(row(y.Copy(p), n, C), from, average(from), scale.Copy(0), epsilon)
			}
		}
	}), nil
}

func average(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}

// deviation is c[k] = x[k] − mean.
type deviation struct {
	x    []float32
	mean float64
}

func (d *deviation) at(k int) float64 { return float64(d.x[k]) - d.mean }

// tangent is that of c / sqrt(mean(c²) + epsilon) · scale for a tangent of x
// whose mean, or 0, is taken away.
func (d *deviation) tangent(y, dx []float32, mean float64, scale []float32, epsilon float64) {
	squares, along := 0.0, 0.0
	for k := range dx {
		squares += d.at(k) * d.at(k)
		along += d.at(k) * float64(dx[k])
	}
	C := float64(len(dx))
	v := squares/C + epsilon
	for k, to := range dx {
		y[k] = float32((float64(to) - mean - d.at(k)*(along/C/v)) / math.Sqrt(v) * float64(scale[k]))
	}
}

// bindGeluTangent computes y = dx · f'(x), f being Gelu or its approximation. y
// may be dx.
//
//	dx [P, N, C], x [N, C] → y [P, N, C]
func bindGeluTangent(c *kernel.Call) (kernel.Runner, error) {
	derivative := func(x float64) float64 { // Φ(x) + x φ(x)
		return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	}
	if c.Attrs.Int("approximate") == 1 {
		derivative = func(x float64) float64 { // ½ (1 + t) + ½ (1 − t²) x u', t = tanh(u)
			root := math.Sqrt(2 / math.Pi)
			t := math.Tanh(root * (x + 0.044715*x*x*x))
			return (1+t)/2 + (1-t*t)/2*x*root*(1+3*0.044715*x*x)
		}
	}
	return elementwise(c, func(dx, x float64) float64 { return dx * derivative(x) }), nil
}

// bindReluTangent computes y = dx where x > 0, 0 where x ≤ 0, NaN where x is. y
// may be dx.
//
//	dx [P, N, C], x [N, C] → y [P, N, C]
func bindReluTangent(c *kernel.Call) (kernel.Runner, error) {
	return elementwise(c, func(dx, x float64) float64 {
		switch {
		case x > 0:
			return dx
		case x <= 0:
			return 0
		}
		return x
	}), nil
}

// bindSwiGLUTangent computes y = up · s'(gate) · dgate + s(gate) · dup, with
// s(g) = g σ(g), s'(g) = σ(g) (1 + g (1 − σ(g))) and σ(g) = 1 / (1 + e^−g). What
// is not given is left out of the sum. y may be the first tangent.
//
//	d [P, N, C], gate, up [N, C], e [P, N, C] or none → y [P, N, C]
func bindSwiGLUTangent(c *kernel.Call) (kernel.Runner, error) {
	gate, up, y := c.In[1], c.In[2], c.Out[0]
	tangents := givenTangents(c, 2, c.In[:1], c.In[3:])
	return runner(func() {
		for p := range y.Width {
			to := y.Copy(p)
			for i := range to {
				g := float64(gate.Copy(0)[i])
				sigmoid := 1 / (1 + math.Exp(-g))
				sum := 0.0
				if d := tangents[0]; d != nil {
					sum += sigmoid * (1 + g*(1-sigmoid)) * float64(up.Copy(0)[i]) * float64(d.Copy(p)[i])
				}
				if d := tangents[1]; d != nil {
					sum += g * sigmoid * float64(d.Copy(p)[i])
				}
				to[i] = float32(sum)
			}
		}
	}), nil
}

// givenTangents puts the tangents of a call where the bits of its attribute
// given say: of n inputs, nil for those that have none.
func givenTangents(c *kernel.Call, n int, lists ...[]*kernel.Tensor) []*kernel.Tensor {
	var there []*kernel.Tensor
	for _, list := range lists {
		there = append(there, list...)
	}
	tangents := make([]*kernel.Tensor, n)
	for i := range tangents {
		if c.Attrs.Int("given")>>i&1 != 0 {
			tangents[i], there = there[0], there[1:]
		}
	}
	return tangents
}
