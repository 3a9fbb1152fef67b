package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// linear computes y = x Wᵀ + bias: x [w·N, K], W [M, K], bias [M] → y [w·N, M],
// by tiles of y. The copies of x lie one after the other and are one matrix.
type linear struct {
	call    *kernel.Call
	product product
	spaces  perWorker
	x, y    []float32
	tiling  tiling
	packed  packedRows
}

func (r *routines) bindLinear(c *kernel.Call) (kernel.Runner, error) {
	l := &linear{call: c, product: product{routines: r}}
	l.packed.product = &l.product
	return l, nil
}

func (r *routines) scratchLinear(c *kernel.Call) int {
	l := &linear{call: c, product: product{routines: r}}
	l.packed.product = &l.product
	var a arena
	l.layOut(&a)
	return a.bytes()
}

// layOut reads the extents and places everything in the scratch.
func (l *linear) layOut(a *arena) {
	x := l.call.In[0]
	l.product.w = weightsOf(l.call.In[1])
	l.spaces = a.takePerWorker(l.product.gemm.workspaceSize(), l.call.Pool.Workers())
	l.packed.layOut(a, 1, x.Width*x.Shape[0])
}

func (l *linear) Run() error {
	x, y := l.call.In[0], l.call.Out[0]
	scratch := newArena(l.call.Scratch)
	l.layOut(&scratch)
	l.product.bias = optional(l.call, 2)
	l.x, l.y = x.F32(), y.F32()
	l.tiling = l.product.cut(1, x.Width*x.Shape[0])
	l.packed.run(l.call.Pool, l.x, &l.tiling, 1)
	l.call.Pool.Run(l, l.tiling.tiles())
	return nil
}

// Tile computes one tile of y.
func (l *linear) Tile(worker, tile int) {
	part := l.spaces.of(worker)
	space := l.product.gemm.newWorkspace(&part)
	r0, r1, c0, c1 := l.tiling.span(tile)
	M, K := l.product.w.M, l.product.w.K
	l.product.compute(&space, &block{
		x: l.x[r0*K:], packed: l.packed.of(0, r0), rows: r1 - r0, c0: c0, c1: c1, y: l.y[r0*M+c0:], ldy: M,
	})
}

// weightsOf views W [M, K] in either layout.
func weightsOf(t *kernel.Tensor) weights {
	w := weights{M: t.Shape[0], K: t.Shape[1], panels: t.Type.Layout == op.Panels16}
	if w.panels {
		w.raw, w.shape = t.Data, t.Type.Panels()
		w.columnBytes = 4 * op.PanelRows / t.Type.DType.Word()
	}
	if t.Type.DType.Packed() {
		w.packed = t.Data
		return w
	}
	w.data = t.F32()
	return w
}

// optional views input i, which the node may lack.
func optional(c *kernel.Call, i int) []float32 {
	if len(c.In) <= i || c.In[i] == nil {
		return nil
	}
	return c.In[i].Copy(0)
}
