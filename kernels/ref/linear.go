package ref

import "zeroth/runtime/kernel"

// bindLinear computes y[n, m] = Σ_k x[n, k] · W[m, k] + bias[m].
//
//	x [w, N, K], W [M, K], bias [M] or none → y [w, N, M]
func bindLinear(c *kernel.Call) (kernel.Runner, error) {
	x, y := c.In[0], c.Out[0]
	weights := weightsOf(c.In[1])
	return runner(func() {
		N, K, M := x.Shape[0], x.Shape[1], y.Shape[1]
		w, bias := weights(0), optional(c, 2)
		for p := range y.Width {
			for n := range N {
				xRow, yRow := row(x.Copy(p), n, K), row(y.Copy(p), n, M)
				for m := range M {
					yRow[m] = float32(w.dot(m, xRow) + at(bias, m))
				}
			}
		}
	}), nil
}

// optional views the elements of input i, or nil where it is left out.
func optional(c *kernel.Call, i int) []float32 {
	if i >= len(c.In) {
		return nil
	}
	return c.In[i].Copy(0)
}

// at is element m of the bias, or 0 where there is none.
func at(bias []float32, m int) float64 {
	if bias == nil {
		return 0
	}
	return float64(bias[m])
}
