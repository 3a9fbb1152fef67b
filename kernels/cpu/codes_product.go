package cpu

import (
	"encoding/binary"
	"math"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/quant"
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
	packed   []byte
	scales   []float32 // by matrix and row: what its codes are multiplied with
	zeros    []float32 // a block's bias where there is none
	spaces   perWorker
}

// codeSpace is what one worker needs.
type codeSpace struct {
	row    []float32 // a row of a mean or difference
	mean   []float32 // a row of the first mean
	base   []float32 // the product of a block's first mean, [rows, codeColumns]
	codes  []byte    // codes of MR rows, and room for whole vectors of rows
	c      []float32 // a block of the product
	b      []byte    // slices of panels as the micro-kernel reads them
	raw    []byte    // a slice of a panel of bytes before it is widened
	scales []float32 // [groups, NR]
	start  []int32   // [groups, NR]
	rows   []float32 // the scales of a panel's rows
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
	p.packed = a.takeBytes(p.matrices * p.tiles * p.tileBytes())
	p.scales = a.take(p.matrices * p.tiles * k.MR)
	p.zeros = a.take(codeColumns)
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
		mean:   a.take(p.w.K),
		base:   a.take(p.blockRows() * codeColumns),
		codes:  a.takeBytes(roundUp(k.MR, packRows) * p.words * 4),
		c:      a.take((p.blockRows()*2 + k.MR) * codeColumns),
		b:      a.takeBytes(k.NR * maxCodeWords * 4),
		raw:    a.takeBytes(op.PanelRows * maxCodeWords * 4),
		scales: a.take(mostGroups * k.NR),
		start:  a.takeInts(mostGroups * k.NR),
		rows:   a.take(op.PanelRows),
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

// cut chooses a tiling of the rows of one matrix's copies and the columns of y. A
// task takes a tile of all matrices.
func (p *codeProduct) cut() tiling {
	unit := leastCommonMultiple(p.kernel.MR, p.gemm.MR)
	t := tiling{MC: p.blockRows(), NC: codeColumns, rows: p.N, columns: p.w.M}
	tasks := func() int { return ceilDiv(t.rows, t.MC) * ceilDiv(t.columns, t.NC) }
	for (p.matrices*tasks() < wantTiles || tasks() < wantTiles/3) && t.MC > 2*unit {
		t.MC = roundUp(t.MC/2, unit)
	}
	t.rowBlocks, t.columnBlocks = ceilDiv(t.rows, t.MC), ceilDiv(t.columns, t.NC)
	return t
}

// roundTasks is the number of tasks that round x.
func (p *codeProduct) roundTasks() int {
	clear(p.zeros)
	return p.matrices * ceilDiv(p.tiles, codeTileGroup)
}

// round makes the codes of a few tiles.
func (p *codeProduct) round(worker, task int) {
	s := p.spaceOf(worker)
	groups := ceilDiv(p.tiles, codeTileGroup)
	matrix, first := task/groups, task%groups*codeTileGroup
	for tile := first; tile < min(first+codeTileGroup, p.tiles); tile++ {
		p.roundTile(&s, matrix, tile)
	}
}

func (p *codeProduct) roundTile(s *codeSpace, matrix, tile int) {
	k := p.kernel
	ld := p.words * 4
	codes := signed(s.codes)
	rows := min(k.MR, p.rows-tile*k.MR)
	for i := range rows {
		row := codes[i*ld : (i+1)*ld]
		x := p.row(s, row, matrix, tile*k.MR+i)
		p.scales[(matrix*p.tiles+tile)*k.MR+i] = p.roundRow(row, x)
	}
	k.pack(p.packed[(matrix*p.tiles+tile)*p.tileBytes():][:p.tileBytes()], codes, ld, rows, p.words)
}

// roundRow makes the codes of a row and returns what they are to be multiplied
// with.
func (p *codeProduct) roundRow(codes []int8, x []float32) float32 {
	if p.w.shape.DType == op.BF16 {
		p.roundBF16(brains(codes)[:len(x)], x)
		clear(codes[2*len(x):])
		return 1
	}
	factor, scale := codeScale(p.largest(x))
	if factor == 0 {
		clear(codes)
		return scale
	}
	p.roundCodes(codes[:len(x)], x, factor)
	clear(codes[len(x):])
	return scale
}

// row gives row r of a matrix. It may use codes, the room for the row's.
func (p *codeProduct) row(s *codeSpace, codes []int8, matrix, r int) []float32 {
	a := p.copyRow(2*matrix, r/2)
	if p.paired(matrix) {
		p.halves(s.row, a, p.copyRow(2*matrix+1, r/2), 0.5-float32(r%2))
		if r%2 == 0 {
			p.lessFirst(s, s.row, matrix, r/2)
		}
		return s.row
	}
	if matrix > 0 {
		copy(s.row, a)
		a = s.row
		p.lessFirst(s, a, matrix, r/2)
	}
	if r%2 == 0 {
		return a
	}
	if scale := p.roundRow(codes, a); p.w.shape.DType == op.BF16 {
		restBF16(s.row, a, brains(codes))
	} else {
		restCodes(s.row, a, codes, scale)
	}
	return s.row
}

// copyRow is row n of a copy of x.
func (p *codeProduct) copyRow(number, n int) []float32 {
	return p.x[(number*p.N+n)*p.w.K:][:p.w.K]
}

// lessFirst takes the first matrix's mean of row n from that of another.
func (p *codeProduct) lessFirst(s *codeSpace, row []float32, matrix, n int) {
	if matrix == 0 {
		return
	}
	p.halves(s.mean, p.copyRow(0, n), p.copyRow(1, n), 0.5)
	p.addScaled(row, row, s.mean, -1)
}

// codeScale gives the factor that brings values of a largest magnitude to 127,
// and its inverse. What is too small for the factor is rounded to zero; what is
// not finite makes all products NaN.
func codeScale(most float32) (factor, scale float32) {
	switch {
	case !(most <= math.MaxFloat32):
		return 0, float32(math.NaN())
	case most < 1e-30:
		return 0, 0
	}
	return 127 / most, most / 127
}

// codeBlock is a rectangle of y: rows [r0, r1) of one copy, or of both of a
// pair, and columns [c0, c1).
type codeBlock struct {
	matrix int
	r0, r1 int // r0 begins a tile
	c0, c1 int
	y      [2][]float32 // of the copy, or of the pair's two
	ldy    int
	finish [2]lowRank            // added to each of y, where it has copies
	edge   workspace             // for finish
	clock  *platform.WorkerClock // times it
}

// compute fills the block. That of the first matrix comes first: the others
// need what it leaves in s.base.
func (p *codeProduct) compute(s *codeSpace, t *codeBlock) {
	k := p.kernel
	first, last := 2*t.r0, 2*t.r1
	clear(s.c[:roundUp(last-first, k.MR)*codeColumns])
	if k.shift == 0 {
		clear(s.start)
	}
	depth := k.depth(p.words, p.w.shape.DType)
	for v := 0; v < p.words; v += depth {
		words := min(depth, p.words-v)
		for c := t.c0; c < t.c1; {
			columns := p.codeWidth(c)
			w := p.codePanel(s, c, columns, v, words)
			p.codeTiles(s, t, c, columns, v, &w)
			c += columns
		}
	}
	p.finish(s, t, first)
}

// codeTiles runs the micro-kernel for all rows of the block and columns [c,
// c+columns), with words from v on.
func (p *codeProduct) codeTiles(s *codeSpace, t *codeBlock, c, columns, v int, w *codeSlice) {
	k := p.kernel
	first, stride := 2*t.r0/k.MR, p.tileBytes()
	tiles := ceilDiv(2*t.r1, k.MR) - first
	a := p.packed[(t.matrix*p.tiles+first)*stride+v*k.MR*k.xBytes:]
	y := s.c[c-t.c0:]
	if k.column != nil && columns == k.NR {
		next, step, apart := p.codeAhead(t, c, v, tiles, w)
		k.column(tiles, stride, w.groups, w.words, &a[0], &w.b[0], w.panel, &s.scales[0], &s.start[0], &y[0], codeColumns, next, step, apart)
		return
	}
	fn := k.fn
	if columns < k.NR {
		fn = k.half
	}
	for i := range tiles {
		fn(w.groups, w.words, &a[i*stride], &w.b[0], w.panel, &s.scales[0], &s.start[0], &y[i*k.MR*codeColumns], codeColumns)
	}
}

// codeAhead tells a codeColumn what to bring in: what the block reads of W next,
// of as many words as w has.
func (p *codeProduct) codeAhead(t *codeBlock, c, v, tiles int, w *codeSlice) (next *byte, step, apart int) {
	words := w.groups * w.words
	panels, apart := p.w.ahead(t.c0, t.c1, c, p.kernel.NR, 4*v, 4*words)
	if b := panels[0]; len(b) > 0 {
		return &b[0], ceilDiv(len(b), tiles*max(words/codeColumnStep, 1)), apart
	}
	return &w.b[0], 0, 0
}

// codeWidth is how many columns the micro-kernel takes from column c on.
func (p *codeProduct) codeWidth(c int) int {
	return tileWidth(p.kernel.NR, p.kernel.half != nil, c, p.w.M)
}

// finish scales the block's rows and puts them where they belong.
func (p *codeProduct) finish(s *codeSpace, t *codeBlock, first int) {
	columns := t.c1 - t.c0
	bias := p.zeros[:columns]
	if p.bias != nil {
		bias = p.bias[t.c0:t.c1]
	}
	scales := p.scales[t.matrix*p.tiles*p.kernel.MR:]
	for r := t.r0; r < t.r1; r++ {
		base := s.base[(r-t.r0)*codeColumns:][:columns]
		even, odd := s.c[(2*r-first)*codeColumns:][:columns], s.c[(2*r+1-first)*codeColumns:][:columns]
		y := [2][]float32{even, odd}
		for i := range y {
			if t.y[i] != nil && t.finish[i].copies == 0 {
				y[i] = t.y[i][(r-t.r0)*t.ldy:][:columns]
			}
		}
		switch {
		case t.matrix > 0:
			bias = base
		case p.matrices > 1:
			p.scaleCodes(base, even, bias, scales[2*r])
		}
		if p.paired(t.matrix) {
			p.splitCodes(y[0], y[1], even, odd, bias, scales[2*r], scales[2*r+1])
			continue
		}
		p.scaleCodes(y[0], even, bias, scales[2*r])
		p.scaleCodes(y[0], odd, y[0], scales[2*r+1])
	}
	p.addLowRank(s, t)
}

// addLowRank puts the block where it belongs together with what is added to it.
func (p *codeProduct) addLowRank(s *codeSpace, t *codeBlock) {
	for i := range t.finish {
		if t.finish[i].copies == 0 {
			continue
		}
		began := t.clock.Now()
		for c := t.c0; c < t.c1; {
			width := p.gemm.width(c, p.w.M)
			t.finish[i].tiles(&p.gemm, &t.edge, c, width, &place{
				d: s.c[i*codeColumns+c-t.c0:], ldd: 2 * codeColumns,
				c: t.y[i][c-t.c0:], ldc: t.ldy, rows: t.r1 - t.r0, columns: min(width, t.c1-c),
			})
			c += width
		}
		t.clock.Apart(kernel.PhaseLowRank, began, t.finish[i].ops(t.r1-t.r0, t.c1-t.c0))
	}
}

// codeSlice is a slice of one or two panels of W as bytes.
type codeSlice struct {
	b             []byte
	panel         int
	groups, words int // words of each group
}

// codePanel finds words [v, v+words) of rows [c, c+columns) of W as the
// micro-kernel reads them: in place where they are bytes or bfloat16 in the
// file's order, all else unpacked into s.b. It sets s.scales and s.start.
func (p *codeProduct) codePanel(s *codeSpace, c, columns, v, words int) codeSlice {
	k, w := p.kernel, &p.w.shape
	out := codeSlice{b: s.b, panel: words * op.PanelRows * k.wBytes, groups: 1, words: words}
	if w.Groups > 0 {
		out.words = w.DType.Group() / 4
		out.groups = words / out.words
	}
	if w.Groups == 0 && k.widen == nil && v+words <= w.Words {
		out.b, out.panel = p.w.packed[int64(c/op.PanelRows)*w.PanelBytes()+int64(v)*64:], int(w.PanelBytes())
	}
	for j := 0; j < columns; j += op.PanelRows {
		panel := quant.PanelOf(p.w.packed, w, (c+j)/op.PanelRows)
		to := s.b[j/op.PanelRows*words*op.PanelRows*k.wBytes:][:words*op.PanelRows*k.wBytes]
		b := p.codeBytes(s, to, &panel, v, words)
		if k.widen != nil {
			k.widen(to, b)
		}
		p.groupScales(s, &panel, j, columns, v, &out)
		if k.shift != 0 {
			p.starts(s, b, j, columns, &out)
		}
	}
	return out
}

// codeBytes gives words [v, v+words) of a panel as bytes: in place where they
// are, else in to, or in s.raw where they will be widened.
func (p *codeProduct) codeBytes(s *codeSpace, to []byte, panel *quant.Panel, v, words int) []byte {
	if p.kernel.widen != nil {
		to = s.raw
	}
	to = to[:words*64]
	switch d := p.w.shape.DType; {
	case d == op.Q4:
		p.unpackCodes(to, panel.Words[v*32:(v+words)*32], &quant.LevelsQ4)
	case d == op.NF4:
		p.unpackCodes(to, panel.Words[v*32:(v+words)*32], &quant.LevelsNF4)
	case v+words <= p.w.shape.Words:
		return panel.Words[v*64:][:words*64]
	default:
		clear(to[copy(to, panel.Words[v*64:]):])
	}
	return to
}

// groupScales decodes the scales of one panel's groups to columns [j, j+16) of
// s.scales [groups, NR].
func (p *codeProduct) groupScales(s *codeSpace, panel *quant.Panel, j, NR, v int, out *codeSlice) {
	to, rows := s.scales[j:], s.rows
	switch p.w.shape.DType {
	case op.I8, op.NF4:
		for i := range rows {
			rows[i] = math.Float32frombits(binary.LittleEndian.Uint32(panel.RowScales[i*4:]))
		}
	case op.BF16:
		for i := range rows {
			rows[i] = 1
		}
	}
	first := v / out.words
	switch p.w.shape.DType {
	case op.Q4:
		p.halfScales(to, NR, panel.Scales[first*32:][:out.groups*32])
	case op.NF4:
		for i := range rows {
			rows[i] /= 255 * 127
		}
		p.byteScales(to, NR, panel.Scales[first*16:][:out.groups*16], (*[16]float32)(rows))
	default:
		copy(to, rows)
	}
}

// starts sets columns [j, j+16) of s.start [groups, NR] to −shift·Σ w.
func (p *codeProduct) starts(s *codeSpace, b []byte, j, NR int, out *codeSlice) {
	p.sumCodes(s.start[j:], NR, b, out.words*64, -p.kernel.shift)
}
