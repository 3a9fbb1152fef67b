package cpu

import "zeroth/runtime/kernel"

// elementwise computes y = f(a, b) element by element: SwiGLU and Add.
// a, b [w, N, C] → y [w, N, C]; a width-1 input serves all copies; y may be a.
type elementwise struct {
	call     *kernel.Call
	f        func(dst, a, b []float32)
	elements int // of one copy
}

func (r *routines) bindAdd(c *kernel.Call) (kernel.Runner, error) {
	return &elementwise{call: c, f: r.add}, nil
}

func (r *routines) bindSwiGLU(c *kernel.Call) (kernel.Runner, error) {
	return &elementwise{call: c, f: r.swiglu}, nil
}

func (e *elementwise) Run() error {
	y := e.call.Out[0]
	e.elements = y.Elements()
	e.call.Pool.Run(e, y.Width*ceilDiv(e.elements, chunkElements))
	return nil
}

// Tile computes a run of elements of one copy.
func (e *elementwise) Tile(_, tile int) {
	chunks := ceilDiv(e.elements, chunkElements)
	p, first := tile/chunks, tile%chunks*chunkElements
	last := min(first+chunkElements, e.elements)
	in := e.call.In
	e.f(e.call.Out[0].Copy(p)[first:last], in[0].Copy(p)[first:last], in[1].Copy(p)[first:last])
}
