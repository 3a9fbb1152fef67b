package cpu

import "zeroth/runtime/platform"

// packedRows is x [copies, N, K] of a product, packed as a whole in a pass of its
// own, so that not every block of columns packs it anew: block after block of
// rows, of each slice after slice of K, of each panel after panel of MR rows.
type packedRows struct {
	product *product
	x       []float32
	tiling  *tiling // of one copy
	data    []float32
	perCopy int
}

// leastPackedOnce is the number of elements of W from which on x is packed once.
// Smaller ones have few blocks of columns and stay in cache, so that blocks may
// have fewer rows instead.
const leastPackedOnce = 1 << 18

// packsOnce tells whether a product with w packs x once.
func (w *weights) packsOnce() bool { return w.M*w.K >= leastPackedOnce }

// blockSlack lies between blocks, which are packed by several workers.
const blockSlack = 2 * packSlack

// layOut takes the storage for x, which is nothing where each block packs it.
// rows is N: as many blocks as there are panels need no more slack than this.
func (p *packedRows) layOut(a *arena, copies, rows int) {
	p.perCopy, p.data = 0, nil
	if w, MR := &p.product.w, p.product.gemm.MR; w.packsOnce() {
		p.perCopy = roundUp(rows, MR)*w.K + ceilDiv(rows, MR)*blockSlack
		p.data = a.take(copies * p.perCopy)
	}
}

// run packs x, tiled as t says.
func (p *packedRows) run(pool *platform.Pool, x []float32, t *tiling, copies int) {
	p.x, p.tiling = x, t
	if p.data != nil {
		pool.Run(p, copies*t.rowBlocks)
	}
}

// of is the block of rows from r0 on, or nil where it is not packed.
func (p *packedRows) of(number, r0 int) []float32 {
	if p.data == nil {
		return nil
	}
	return p.data[number*p.perCopy+r0*p.product.w.K+r0/p.tiling.MC*blockSlack:]
}

// Tile packs one block of rows.
func (p *packedRows) Tile(_, task int) {
	t, K := p.tiling, p.product.w.K
	number, r0 := task/t.rowBlocks, task%t.rowBlocks*t.MC
	rows := min(t.MC, t.rows-r0)
	to, x := p.of(number, r0), p.x[(number*t.rows+r0)*K:]
	KC := p.product.w.depth()
	for k0 := 0; k0 < K; k0 += KC {
		p.product.packRows(to[k0*roundUp(rows, p.product.gemm.MR):], x[k0:], rows, min(KC, K-k0))
	}
}
