package cpu

import (
	"zeroth/runtime/kernel"
)

// codedLinear computes y = x Wᵀ + bias for W of packed elements, in two passes:
// it rounds x, then multiplies, by tiles of y.
type codedLinear struct {
	call    *kernel.Call
	product codeProduct
	round   roundTask
	y       []float32
	tiling  tiling
}

// roundTask is the pass that rounds x.
type roundTask struct{ *codeProduct }

// Tile rounds a few tiles of x.
func (t *roundTask) Tile(worker, task int) { t.codeProduct.round(worker, task) }

func (r *routines) bindCodedLinear(c *kernel.Call) (kernel.Runner, error) {
	l := &codedLinear{call: c, product: codeProduct{routines: r}}
	l.round.codeProduct = &l.product
	return l, nil
}

func (r *routines) scratchCodedLinear(c *kernel.Call) int {
	p := codeProduct{routines: r}
	var a arena
	p.layOut(&a, c.In[0], c.In[1], c.Pool.Workers())
	return a.bytes()
}

func (l *codedLinear) Run() error {
	p, pool := &l.product, l.call.Pool
	scratch := newArena(l.call.Scratch)
	p.layOut(&scratch, l.call.In[0], l.call.In[1], pool.Workers())
	p.bias = optional(l.call, 2)
	p.x, l.y = l.call.In[0].F32(), l.call.Out[0].F32()
	l.tiling = p.cut(leastCodeColumns)
	pool.RunAs(kernel.PhaseRound, &l.round, p.roundTasks())
	pool.Run(l, l.tiling.tiles())
	return nil
}

// Tile computes one tile of all copies of y.
func (l *codedLinear) Tile(worker, tile int) {
	p := &l.product
	space := p.spaceOf(worker)
	for first := 0; first < p.matrices; first += p.group {
		block := p.blockOf(&l.tiling, tile, first, l.y)
		p.compute(&space, &block)
	}
}

// blockOf is tile of a group of matrices' copies within y, which holds the copies
// [w, N, M].
func (p *codeProduct) blockOf(t *tiling, tile, first int, y []float32) codeBlock {
	b := codeBlock{first: first, last: min(first+p.group, p.matrices), ldy: p.w.M, apart: p.N * p.w.M}
	b.r0, b.r1, b.c0, b.c1 = t.span(tile)
	b.y = y[2*first*b.apart+b.r0*p.w.M+b.c0:]
	return b
}
