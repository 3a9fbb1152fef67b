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
	l.blocks = p.cut(leastCodeColumns)
	l.prepare.run(l.call.In)
	l.project.run()
	pool.RunAs(kernel.PhaseRound, &l.round, p.roundTasks())
	pool.Run(l, l.blocks.tiles())
	return nil
}

// Tile computes one tile of all copies of y.
func (l *codedLoRA) Tile(worker, tile int) {
	p := &l.product
	space := p.spaceOf(worker)
	part := l.spaces.of(worker)
	finish, clock := l.base.gemm.newWorkspace(&part), l.call.Pool.Clock(worker)
	for first := 0; first < p.matrices; first += p.group {
		block := p.blockOf(&l.blocks, tile, first, l.y)
		block.lora, block.edge, block.clock = &l.linearLoRA, finish, clock
		p.compute(&space, &block)
	}
}
