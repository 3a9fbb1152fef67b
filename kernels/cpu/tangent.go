package cpu

import "zeroth/runtime/kernel"

// tangentChunk is the number of elements in a tile of the elementwise tangents:
// what is found once for all copies, a few times as many values, stays in L1.
const tangentChunk = 2048

// elementTangent computes y_p = Σ_i f_i · d_i,p element by element, the factors
// f_i being derivatives that all copies share: GeluTangent and SwiGLUTangent.
// d_i [P, N, C] → y [P, N, C]; y may be d_0.
type elementTangent struct {
	*routines
	call     *kernel.Call
	tangents []*kernel.Tensor
	// derivatives writes the factors of elements [first, first+len(f)), g being that
	// of the second tangent where there are two.
	derivatives func(f, g []float32, first int)
	spaces      perWorker
	elements    int // of one copy
}

// elementRooms is how many chunks a worker has room for: two factors, and a
// product.
const elementRooms = 3

func (*routines) scratchElementTangent(c *kernel.Call) int {
	var a arena
	a.takePerWorker(elementRooms*tangentChunk, c.Pool.Workers())
	return a.bytes()
}

func (e *elementTangent) Run() error {
	scratch := newArena(e.call.Scratch)
	e.spaces = scratch.takePerWorker(elementRooms*tangentChunk, e.call.Pool.Workers())
	e.elements = e.call.Out[0].Elements()
	e.call.Pool.Run(e, ceilDiv(e.elements, tangentChunk))
	return nil
}

// Tile computes a run of elements of all copies.
func (e *elementTangent) Tile(worker, tile int) {
	first := tile * tangentChunk
	n := min(tangentChunk, e.elements-first)
	part := e.spaces.of(worker)
	f, g, product := part.take(tangentChunk)[:n], part.take(tangentChunk)[:n], part.take(tangentChunk)[:n]
	e.derivatives(f, g, first)
	y := e.call.Out[0]
	for p := range y.Width {
		to := y.Copy(p)[first : first+n]
		e.scaleBy(to, e.tangents[0].Copy(p)[first:first+n], f, 1)
		if len(e.tangents) > 1 {
			e.scaleBy(product, e.tangents[1].Copy(p)[first:first+n], g, 1)
			e.add(to, to, product)
		}
	}
}

// bindGeluTangent computes y = dx · f'(x): dx [P, N, C], x [N, C] → y [P, N, C].
func (r *routines) bindGeluTangent(c *kernel.Call) (kernel.Runner, error) {
	e := &elementTangent{routines: r, call: c, tangents: c.In[:1]}
	slope := r.geluSlopes
	if c.Attrs.Int("approximate") == 1 {
		slope = geluTanhSlopes
	}
	e.derivatives = func(f, _ []float32, first int) { slope(f, c.In[1].Copy(0)[first:first+len(f)]) }
	return e, nil
}

// geluSlopes: dst[i] = Φ(x) + x · φ(x), φ(x) = e^(−x²/2) / √(2π).
func (r *routines) geluSlopes(dst, x []float32) {
	const inverseRoot = 0.3989422804014327 // 1 / √(2π)
	r.scaleBy(dst, x, x, 1)
	r.expSum(dst, 0, -0.5)
	for i, v := range x {
		dst[i] = (0.5 + geluExact.at(v)) + float32(float32(v*inverseRoot)*dst[i])
	}
}

// geluTanhSlopes: dst[i] = ½ + h + ½ (1 − 4h²) x u', h = ½ tanh(u), u' = √(2/π)
// (1 + 3 · 0.044715 x²).
func geluTanhSlopes(dst, x []float32) {
	const root, cubic = 0.7978845608028654, 3 * 0.044715 // √(2/π)
	for i, v := range x {
		h := geluTanh.at(v)
		inner := float32(root * (1 + float32(cubic*float32(v*v))))
		dst[i] = (0.5 + h) + float32(float32(float32(0.5-float32(2*float32(h*h)))*v)*inner)
	}
}

// bindSwiGLUTangent computes y = up · s'(gate) · dgate + s(gate) · dup, s(g) =
// g σ(g), of those tangents that are given.
// d [P, N, C], gate, up [N, C], e [P, N, C] or none → y [P, N, C].
func (r *routines) bindSwiGLUTangent(c *kernel.Call) (kernel.Runner, error) {
	given := c.Attrs.Int("given")
	e := &elementTangent{routines: r, call: c, tangents: append(c.In[:1:1], c.In[3:]...)}
	e.derivatives = func(ofGate, ofUp []float32, first int) {
		n := len(ofGate)
		gate, up := c.In[1].Copy(0)[first:first+n], c.In[2].Copy(0)[first:first+n]
		if given == 2 { // dup is the first
			ofUp = ofGate
		}
		copy(ofUp, gate)
		r.expSum(ofUp, 0, -1)
		for i, g := range gate {
			sigmoid := 1 / (1 + ofUp[i])
			ofUp[i] = g * sigmoid
			if given&1 != 0 {
				ofGate[i] = float32(sigmoid*(1+float32(g*(1-sigmoid)))) * up[i]
			}
		}
	}
	return e, nil
}

// reluTangent computes y = dx where x > 0, 0 where x ≤ 0, NaN where x is.
// dx [P, N, C], x [N, C] → y [P, N, C]; y may be dx.
type reluTangent struct {
	call     *kernel.Call
	elements int // of one copy
}

func (*routines) bindReluTangent(c *kernel.Call) (kernel.Runner, error) {
	return &reluTangent{call: c}, nil
}

func (t *reluTangent) Run() error {
	t.elements = t.call.Out[0].Elements()
	t.call.Pool.Run(t, ceilDiv(t.elements, tangentChunk))
	return nil
}

// Tile computes a run of elements of all copies.
func (t *reluTangent) Tile(_, tile int) {
	first := tile * tangentChunk
	last := min(first+tangentChunk, t.elements)
	x, y := t.call.In[1].Copy(0)[first:last], t.call.Out[0]
	for p := range y.Width {
		dx, to := t.call.In[0].Copy(p)[first:last], y.Copy(p)[first:last]
		for i, v := range x {
			switch {
			case v > 0:
				to[i] = dx[i]
			case v <= 0:
				to[i] = 0
			default:
				to[i] = v
			}
		}
	}
}
