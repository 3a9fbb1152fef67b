package ref

import "zeroth/runtime/kernel"

// bindSlice copies channels: y[n, c] = x[n, start + c].
//
//	x [w, N, C] → y [w, N, size]
func bindSlice(c *kernel.Call) (kernel.Runner, error) {
	x, y := c.In[0], c.Out[0]
	start := c.Attrs.Int("start")
	return runner(func() {
		C, size := x.Shape[1], y.Shape[1]
		for p := range y.Width {
			for n := range y.Shape[0] {
				copy(row(y.Copy(p), n, size), row(x.Copy(p), n, C)[start:])
			}
		}
	}), nil
}
