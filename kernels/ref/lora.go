package ref

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
)

// bindLinearLoRA computes
//
//	y_p = x_p Wᵀ + bias + scale · (x_p Aᵀ)(B + σ_p ε z_i)ᵀ
//
// for copies p, with i and σ_p as noise.Copy has them.
//
//	x [w, N, K], W [M, K], A [r, K], B [M, r], bias [M] or none → y [P, N, M]
//
// B + σεz is made by perturb; the rest is float64 and rounded once.
func bindLinearLoRA(c *kernel.Call) (kernel.Runner, error) {
	x, a, b, y := c.In[0], c.In[2], c.In[3], c.Out[0]
	scale := c.Attrs.Float("scale")
	perturbed := make([]float32, b.Elements()) // B + σεz of one copy, [M, r]
	hidden := make([]float64, b.Shape[1])      // x_n Aᵀ of one row, [r]
	weights := weightsOf(c.In[1])
	return runner(func() {
		N, K, M, r := x.Shape[0], x.Shape[1], y.Shape[1], b.Shape[1]
		w, loraA, bias := weights(0), matrixOf(a, 0), optional(c, 7)
		for p := range y.Width {
			perturb(perturbed, c, p)
			for n := range N {
				xRow, yRow := row(x.Copy(p), n, K), row(y.Copy(p), n, M)
				for j := range r {
					hidden[j] = loraA.dot(j, xRow)
				}
				for m := range M {
					low := 0.0
					for j, v := range row(perturbed, m, r) {
						low += hidden[j] * float64(v)
					}
					yRow[m] = float32(w.dot(m, xRow) + at(bias, m) + scale*low)
				}
			}
		}
	}), nil
}

// perturb writes B + σεz of copy p: [M, r], element m·r + c of z at index
// m·r + c. The product and the sum are each rounded to f32. With σε = 0 a
// copy is exactly B.
func perturb(to []float32, c *kernel.Call, p int) {
	b, seed, first, eps := c.In[3].Copy(0), c.In[4].U32(), c.In[5].I32()[0], c.In[6].Copy(0)[0]
	query, sigma := noise.Copy(first, p)
	eps *= float32(sigma)
	if eps == 0 {
		copy(to, b)
		return
	}
	sampler := noise.Sampler(c.Attrs.Int("sampler"))
	sampler.Fill(to, [2]uint32{seed[0], seed[1]}, uint32(c.Attrs.Int("site")), query, 0)
	for e, z := range to {
		to[e] = float32(b[e] + float32(eps*z))
	}
}
