package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// codeProduct computes blocks of y = x Wᵀ + bias for W of packed elements, with
// x rounded to 8 bits a row, or to bfloat16. Each row of y comes of two rows that
// are rounded. Copies of x come in ± pairs, of which the mean and half the
// difference are rounded: with few or no bits in common, y₊ and y₋ would lose
// their difference in the noise of rounding. So that no two copies do, of the
// means of further pairs only what they differ by from the first is rounded. A
// copy that has no partner is rounded, and then what rounding left of it.
//
// Rounding is a pass of its own, so that no tile repeats it. The rows of x are
// then those of a matrix for each pair, whose tiles lie packed one after the
// other. Row r of a matrix is the mean or the value (even r), less the first
// matrix's mean in those behind it, or half the difference or the rest (odd r),
// of rows r/2.
type codeProduct struct {
	*routines
	kernel *codeKernel
	w      weights
	bias   []float32 // M elements
	x      []float32 // [copies, N, K]

	N        int // rows of one copy of x
	copies   int // of x
	matrices int // pairs of copies, the last of which may have one alone
	rows     int // rows of a matrix: 2N
	tiles    int // tiles of MR rows of a matrix
	words    int // words of four codes in a row
	depth    int // of them that are multiplied at a time
	group    int // matrices that are
	packed   []byte
	scales   []float32 // by matrix and row: what its codes are multiplied with
	spaces   perWorker
}

// codeSpace is what one worker needs.
type codeSpace struct {
	row    []float32 // a row of a mean
	rest   []float32 // half a difference, or what rounding left of a row
	means  []float32 // a tile's rows of the first mean: [MR/2, K]
	most   []float32 // the greatest magnitudes of two rows
	base   []float32 // the product of a block's first mean: [rows, NR] for each panel
	codes  []byte    // codes of MR rows, and room for whole vectors of rows
	c      []float32 // the product: [rows, NR] for each panel and matrix
	b      []byte    // slices of panels as the micro-kernel reads them
	raw    []byte    // a slice of a panel of bytes before it is widened
	scales []float32 // [groups, NR]
	start  []int32   // [groups, NR]
	rows   []float32 // the scales of a panel's rows
	zeros  []float32 // NR zeros: the bias where there is none
	bias   []float32 // NR elements: that of a panel that goes past the last row of W
}

// layOut reads the extents of x [w, N, K] and W and places everything in the
// scratch.
func (p *codeProduct) layOut(a *arena, x, w *kernel.Tensor, workers int) {
	k := p.codesFor(w.Type.DType)
	p.kernel, p.w = k, weightsOf(w)
	p.N, p.copies = x.Shape[0], x.Width
	p.matrices, p.rows = ceilDiv(p.copies, 2), 2*p.N
	p.tiles = ceilDiv(p.rows, k.MR)
	p.words = k.codeWords(&p.w.shape)
	p.depth = k.depth(p.words, p.w.shape.DType)
	p.packed = a.takeBytes(p.matrices * p.tiles * p.tileBytes())
	p.scales = a.take(p.matrices * p.tiles * k.MR)
	p.spaces = a.takePerWorker(p.spaceSize(), workers)
}

// paired reports whether a matrix is that of two copies.
func (p *codeProduct) paired(matrix int) bool { return 2*matrix+1 < p.copies }

// tileBytes is the size of a tile of packed x.
func (p *codeProduct) tileBytes() int { return p.words * p.kernel.MR * p.kernel.xBytes }

// spaceSize is the elements of a codeSpace.
func (p *codeProduct) spaceSize() int {
	var counter arena
	p.newSpace(&counter)
	return counter.used
}

// spaceOf is a worker's working memory.
func (p *codeProduct) spaceOf(worker int) codeSpace {
	part := p.spaces.of(worker)
	return p.newSpace(&part)
}

func (p *codeProduct) newSpace(a *arena) codeSpace {
	k := p.kernel
	return codeSpace{
		row:    a.take(p.w.K),
		rest:   a.take(p.w.K),
		means:  a.take(k.MR / 2 * p.w.K),
		most:   a.take(2),
		base:   a.take(p.blockRows() * codeColumns),
		codes:  a.takeBytes(roundUp(k.MR, packRows) * p.words * 4),
		c:      a.take((p.blockRows()*2 + k.MR) * codeColumns),
		b:      a.takeBytes(k.NR * maxCodeWords * 4),
		raw:    a.takeBytes(op.PanelRows * maxCodeWords * 4),
		scales: a.take(mostGroups * k.NR),
		start:  a.takeInts(mostGroups * k.NR),
		rows:   a.take(op.PanelRows),
		zeros:  a.take(k.NR),
		bias:   a.take(k.NR),
	}
}

// blockRows is the largest number of rows of one copy in a block: whole tiles of
// this product and of that of float32 that finishes it, half as many as it has
// rows to multiply.
func (p *codeProduct) blockRows() int {
	unit := leastCommonMultiple(p.kernel.MR, p.gemm.MR)
	return max(unit, blockRows/2/unit*unit)
}

func leastCommonMultiple(a, b int) int {
	gcd, rest := a, b
	for rest > 0 {
		gcd, rest = rest, gcd%rest
	}
	return a / gcd * b
}

// cut chooses a tiling of the rows of one matrix's copies and the columns of y, at
// least leastColumns of them, and how many matrices a task takes at a time: as many
// as stay in cache while panel after panel of W passes them.
func (p *codeProduct) cut(leastColumns int) tiling {
	unit := leastCommonMultiple(p.kernel.MR, p.gemm.MR)
	t := tiling{MC: p.blockRows(), NC: codeColumns, rows: p.N, columns: p.w.M}
	few := func() bool {
		tasks := ceilDiv(t.rows, t.MC) * ceilDiv(t.columns, t.NC)
		return p.matrices*tasks < wantTiles || tasks < wantTiles/3
	}
	for few() && t.NC > leastColumns {
		t.NC /= 2
	}
	for few() && t.MC > 2*unit {
		t.MC = roundUp(t.MC/2, unit)
	}
	t.rowBlocks, t.columnBlocks = ceilDiv(t.rows, t.MC), ceilDiv(t.columns, t.NC)
	rows := 2 * p.blockRows()
	if p.depth >= p.words {
		rows = max(rows, rows*maxCodeBytes/(p.depth*p.kernel.xBytes))
	}
	each := roundUp(2*max(min(t.MC, t.rows), 1), p.kernel.MR)
	p.group = min(max(rows/each, 1), p.matrices)
	return t
}
