package cpu

import "zeroth/runtime/kernel"

// codedHead is crossEntropyHead for W of packed elements.
type codedHead struct {
	crossEntropyHead
	codes  codeProduct
	round  roundTask
	blocks tiling
}

func (r *routines) bindCodedHead(c *kernel.Call) (kernel.Runner, error) {
	h := &codedHead{codes: codeProduct{routines: r}}
	h.call, h.product.routines = c, r
	h.join.h = &h.crossEntropyHead
	h.round.codeProduct = &h.codes
	return h, nil
}

func (r *routines) scratchCodedHead(c *kernel.Call) int {
	h := &codedHead{codes: codeProduct{routines: r}}
	h.call, h.product.routines = c, r
	var a arena
	h.layOut(&a)
	return a.bytes()
}

// layOut places the codes and the sums; the logits of a block lie behind the
// worker's part of the codes.
func (h *codedHead) layOut(a *arena) {
	x, w, workers := h.call.In[0], h.call.In[1], h.call.Pool.Workers()
	h.codes.layOut(a, x, w, workers)
	h.layOutSums(a)
	h.spaces = a.takePerWorker(2*h.codes.blockRows()*vocabChunk, workers)
}

func (h *codedHead) Run() error {
	p, pool := &h.codes, h.call.Pool
	scratch := newArena(h.call.Scratch)
	h.layOut(&scratch)
	h.setOperands()
	p.bias, p.x = h.product.bias, h.x
	h.blocks = p.cut(vocabChunk)
	pool.RunAs(kernel.PhaseRound, &h.round, p.roundTasks())
	pool.Run(h, h.blocks.tiles())
	pool.Run(&h.join, ceilDiv(h.tiling.rows, joinRows))
	return nil
}

// Tile computes the logits of one block of rows of all copies and one chunk.
func (h *codedHead) Tile(worker, tile int) {
	p := &h.codes
	space := p.spaceOf(worker)
	block := codeBlock{ldy: vocabChunk, y: h.spaces.of(worker).data}
	block.r0, block.r1, block.c0, block.c1 = h.blocks.span(tile)
	rows := block.r1 - block.r0
	block.apart = rows * vocabChunk
	group := min(p.group, max(p.blockRows()/rows, 1))
	for first := 0; first < p.matrices; first += group {
		block.first, block.last = first, min(first+group, p.matrices)
		p.compute(&space, &block)
		for i := 2 * first; i < min(2*block.last, p.copies); i++ {
			logits := block.y[(i-2*first)*block.apart:]
			for r := range rows {
				h.reduce(i*p.N+block.r0+r, block.c0, logits[r*vocabChunk:][:block.c1-block.c0])
			}
		}
	}
}
