package cpu

import "zeroth/runtime/kernel"

// codedLoRA is linearLoRA for W of packed elements: the base product is one of
// codes; what is added to it is the same.
type codedLoRA struct {
	linearLoRA
	product codeProduct
	round   roundTask
	blocks  tiling
}

func (r *routines) bindCodedLoRA(c *kernel.Call) (kernel.Runner, error) {
	l := &codedLoRA{product: codeProduct{routines: r}}
	l.init(r, c)
	l.round.codeProduct = &l.product
	return l, nil
}

func (r *routines) scratchCodedLoRA(c *kernel.Call) int {
	l := &codedLoRA{product: codeProduct{routines: r}}
	l.init(r, c)
	var a arena
	l.layOut(&a)
	return a.bytes()
}

func (l *codedLoRA) layOut(a *arena) {
	l.linearLoRA.layOut(a)
	l.product.layOut(a, l.call.In[0], l.call.In[1], l.call.Pool.Workers())
}

func (l *codedLoRA) Run() error {
	p, pool := &l.product, l.call.Pool
	scratch := newArena(l.call.Scratch)
	l.layOut(&scratch)
	l.setOperands()
	p.bias, p.x = l.base.bias, l.x
	if l.P == 0 || l.N == 0 {
		return nil
	}
	l.blocks = p.cut()
	l.prepare.run(l.call.In)
	l.project.run()
	pool.Run(&l.round, p.roundTasks())
	pool.Run(l, l.blocks.tiles())
	return nil
}

// Tile computes one tile of all copies of y.
func (l *codedLoRA) Tile(worker, tile int) {
	p := &l.product
	space := p.spaceOf(worker)
	part := l.spaces.of(worker)
	finish := l.base.gemm.newWorkspace(&part)
	for matrix := range p.matrices {
		block := p.blockOf(&l.blocks, tile, matrix, l.y)
		p.compute(&space, &block)
		l.addLowRank(&finish, &block, block.y[0], 2*matrix)
		if p.paired(matrix) {
			l.addLowRank(&finish, &block, block.y[1], 2*matrix+1)
		}
	}
}

// addLowRank adds to a block of y, that of copy p of x, what the copies of y
// that it is the base of have of their own.
func (l *codedLoRA) addLowRank(s *workspace, t *codeBlock, y []float32, p int) {
	gemm := &l.base.gemm
	finish := l.lowRank(p, t.r0)
	for c := t.c0; c < t.c1; {
		width := l.base.width(c)
		finish.tiles(gemm, s, c, width, &place{
			c: y[c-t.c0:], ldc: t.ldy, rows: t.r1 - t.r0, columns: min(width, t.c1-c),
		})
		c += width
	}
}
