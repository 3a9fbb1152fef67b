package ref

import "zeroth/runtime/kernel"

// bindGather computes y[i, :] = data[indices[i], :], bit for bit.
//
//	data [w, D, C], indices [I] → y [w, I, C]
func bindGather(c *kernel.Call) (kernel.Runner, error) {
	data, indices, y := c.In[0], c.In[1], c.Out[0]
	weights := weightsOf(data)
	return runner(func() {
		C := data.Shape[1]
		if C == 0 {
			return
		}
		for p := range y.Width {
			from, to := weights(p), y.Copy(p)
			for i, index := range indices.I32() {
				elements, stride := from.row(int(index))
				for k := range C {
					to[i*C+k] = elements[k*stride]
				}
			}
		}
	}), nil
}
