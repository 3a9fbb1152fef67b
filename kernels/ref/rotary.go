package ref

import "zeroth/runtime/kernel"

// bindRotaryEmbedding turns each pair (a, b) of a head by the angle of its
// token's position: (a cos − b sin, a sin + b cos). Pair i of a head of D
// channels is (2i, 2i+1) when interleaved, (i, i + D/2) otherwise. y may be x.
//
//	x [w, N, H·D], positions [N], cos and sin [S, D/2] → y [w, N, H·D]
func bindRotaryEmbedding(c *kernel.Call) (kernel.Runner, error) {
	x, positions, cos, sin, y := c.In[0], c.In[1], c.In[2], c.In[3], c.Out[0]
	heads, interleaved := c.Attrs.Int("num_heads"), c.Attrs.Int("interleaved") == 1
	return runner(func() {
		C, half := x.Shape[1], cos.Shape[1]
		for p := range y.Width {
			for n, position := range positions.I32() {
				xRow, yRow := row(x.Copy(p), n, C), row(y.Copy(p), n, C)
				cosRow, sinRow := row(cos.Copy(0), int(position), half), row(sin.Copy(0), int(position), half)
				for h := range heads {
					turn(row(yRow, h, 2*half), row(xRow, h, 2*half), cosRow, sinRow, interleaved)
				}
			}
		}
	}), nil
}

// turn rotates one head: y, x [D], cos, sin [D/2].
func turn(y, x, cos, sin []float32, interleaved bool) {
	for i := range cos {
		first, second := i, i+len(cos)
		if interleaved {
			first, second = 2*i, 2*i+1
		}
		a, b := float64(x[first]), float64(x[second])
		y[first] = float32(a*float64(cos[i]) - b*float64(sin[i]))
		y[second] = float32(a*float64(sin[i]) + b*float64(cos[i]))
	}
}
