package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/quant"
)

// Blocking of the matrix product, in elements. A block of x is packed into
// about blockRows·maxKC·4 = 180 KiB of L2, beside which its sums take
// blockRows·blockColumns·4 = 216 KiB, and a slice of one weight panel,
// 16·maxKC·4 = 20 KiB, stays in L1 while all rows of the block pass it.
const (
	maxKC        = 320
	blockRows    = 144
	blockColumns = 384
	leastColumns = 96
	leastRows    = 72 // that make up for reading W from the second cache
	wantTiles    = 48 // tiles that keep many workers evenly busy
)

// tiling cuts y [rows, columns] into tiles. It follows from the shapes alone.
type tiling struct {
	MC, NC                  int
	rowBlocks, columnBlocks int
	rows, columns           int
}

// cut chooses a tiling of y [rows, M] of each of some copies of x. Narrow blocks
// are for x that is packed once: otherwise each of them packs it.
func (p *product) cut(copies, rows int) tiling {
	MR := p.gemm.MR
	t := tiling{MC: p.gemm.blockRows(), NC: blockColumns, rows: rows, columns: p.w.M}
	count := func() int { return copies * ceilDiv(rows, t.MC) * ceilDiv(t.columns, t.NC) }
	lower := func(least int) {
		for count() < wantTiles && t.MC > least {
			t.MC = roundUp(t.MC/2, MR)
		}
	}
	if !p.w.packsOnce() {
		lower(leastRows)
	}
	for count() < wantTiles && t.NC > leastColumns {
		t.NC /= 2
	}
	lower(4 * MR)
	t.rowBlocks, t.columnBlocks = ceilDiv(rows, t.MC), ceilDiv(t.columns, t.NC)
	return t
}

// blockRows is the largest MC: a multiple of MR.
func (m *microKernel) blockRows() int { return blockRows / m.MR * m.MR }

// tiles is the number of tiles of one matrix.
func (t *tiling) tiles() int { return t.rowBlocks * t.columnBlocks }

// span is the rectangle of tile i: rows [r0, r1), columns [c0, c1). Tiles next
// to each other share their columns, so that the weights stay in cache.
func (t *tiling) span(i int) (r0, r1, c0, c1 int) {
	r0, c0 = i%t.rowBlocks*t.MC, i/t.rowBlocks*t.NC
	return r0, min(r0+t.MC, t.rows), c0, min(c0+t.NC, t.columns)
}

// weights is a matrix W [M, K] in either layout.
type weights struct {
	data   []float32 // nil where the elements are packed
	M, K   int
	panels bool
	packed []byte    // words and scales of packed elements
	raw    []byte    // all of the panels, where there are some
	shape  op.Panels // of the panels
	// columnBytes is the size of a column of K of a panel.
	columnBytes int
}

// product computes blocks of y = x Wᵀ + bias.
type product struct {
	*routines
	w    weights
	bias []float32 // M elements, or nil
}

// workspace is what one worker needs to compute a block.
type workspace struct {
	a     []float32 // packed x: blockRows × KC
	b     []float32 // packed panels of a row-major W: NR × KC
	c     []float32 // sums of the block: a column of tiles after the other
	edge  []float32 // a tile of y that does not fit its place, or its bias
	zeros []float32 // NR zeros: the bias where there is none
}

// workspaceSize is the elements of a workspace.
func (m *microKernel) workspaceSize() int {
	var counter arena
	m.newWorkspace(&counter)
	return counter.used
}

// newWorkspace cuts a workspace from a worker's scratch.
func (m *microKernel) newWorkspace(a *arena) workspace {
	return workspace{
		a:     a.take(m.blockRows()*maxKC + packSlack),
		b:     a.take(m.NR*maxKC + packSlack),
		c:     a.take(roundUp(blockRows, m.MR) * blockColumns),
		edge:  a.take(m.MR * m.NR),
		zeros: a.take(m.NR),
	}
}

// depth cuts K into equal parts of at most maxKC, which begin with a group of
// packed elements.
func (w *weights) depth() int {
	part := ceilDiv(w.K, ceilDiv(max(w.K, 1), maxKC))
	if w.packed != nil {
		return roundUp(part, packedGroup)
	}
	return part
}

// packedGroup is a multiple of every weight type's group, and a divisor of maxKC.
const packedGroup = 64

// block is one rectangle of y to compute: y[i*ldy+j] for i < rows and
// columns c0 ≤ c0+j < c1, from row i at x[i*K]. x may go on past the rows.
type block struct {
	x      []float32
	rows   int
	c0, c1 int
	y      []float32
	ldy    int
	packed []float32             // x in panels, slice after slice of K; nil where it is not
	finish lowRank               // added to each tile while it is hot, where it has copies
	clock  *platform.WorkerClock // times it
}

// compute fills the block.
func (p *product) compute(s *workspace, t *block) {
	clear(s.zeros)
	if p.w.K == 0 {
		p.step(s, t, nil, 0, 0)
		return
	}
	KC := p.w.depth()
	for k0 := 0; k0 < p.w.K; k0 += KC {
		kc := min(KC, p.w.K-k0)
		a := s.a
		if t.packed != nil {
			a = t.packed[roundUp(t.rows, p.gemm.MR)*k0:]
		} else {
			p.packRows(a, t.x[k0:], t.rows, kc)
		}
		p.step(s, t, a, k0, kc)
	}
}

// packRows packs kc columns of rows of x [rows, K].
func (p *product) packRows(a, x []float32, rows, kc int) {
	for r := 0; r < rows; r += p.gemm.MR {
		p.pack(a[r*kc:], x[r*p.w.K:], p.w.K, rows-r, p.gemm.MR, kc)
	}
}

// step adds columns [k0, k0+kc) of K to the block, whose x is packed in a. Until
// the last of them are there, the sums lie in s.c, a column of tiles after the
// other: rows of y are far from each other, and would have to come from memory
// and go back for each slice of K. Tiles that are wider than what is left of y
// stay there.
func (p *product) step(s *workspace, t *block, a []float32, k0, kc int) {
	last := k0+kc == p.w.K
	for c := t.c0; c < t.c1; {
		columns := p.width(c)
		b, panel := p.panel(s, c, columns, k0, kc)
		valid := min(columns, t.c1-c)
		rows := roundUp(t.rows, p.gemm.MR)
		sums := s.c[(c-t.c0)*rows:]
		tiles := place{c: sums, ldc: columns, rows: rows, columns: columns, ahead: p.ahead(t, c, columns, k0, kc)}
		switch {
		case k0 > 0:
			tiles.d, tiles.ldd = sums, columns
		case p.bias == nil:
			tiles.d = s.zeros
		case valid < columns:
			copy(s.edge, p.bias[c:c+valid])
			tiles.d = s.edge
		default:
			tiles.d = p.bias[c:]
		}
		direct := last && valid == columns
		y := place{d: sums, ldd: columns, c: t.y[c-t.c0:], ldc: t.ldy, rows: t.rows, columns: valid}
		if direct {
			tiles.c, tiles.ldc, tiles.rows = y.c, y.ldc, y.rows
			y.d, y.ldd = y.c, y.ldc
		}
		p.gemm.tiles(s, kc, a, b, panel, columns, &tiles)
		switch {
		case !last:
		case t.finish.copies > 0:
			began := t.clock.Now()
			t.finish.tiles(&p.gemm, s, c, columns, &y)
			t.clock.Apart(kernel.PhaseLowRank, began, t.finish.ops(t.rows, valid))
		case !direct:
			for i := range t.rows {
				copy(y.c[i*y.ldc:][:valid], sums[i*columns:])
			}
		}
		c += columns
	}
}

// width is how many columns the micro-kernel takes from column c on: NR, or
// one panel where no second one follows.
func (p *product) width(c int) int { return p.gemm.width(c, p.w.M) }

// width is how many of M columns the micro-kernel takes from column c on.
func (m *microKernel) width(c, M int) int {
	return tileWidth(m.NR, m.half != nil, c, M)
}

// tileWidth is how many of M columns a micro-kernel takes from column c on: NR, or
// one panel where no second one follows and there is a half of it for that.
func tileWidth(NR int, half bool, c, M int) int {
	if half && c+op.PanelRows >= M {
		return op.PanelRows
	}
	return NR
}

// panel finds rows [c, c+columns) of W for K's columns [k0, k0+kc): in place
// in panel layout, packed or decoded into s.b otherwise. It returns the distance
// of panels.
func (p *product) panel(s *workspace, c, columns, k0, kc int) ([]float32, int) {
	if p.w.packed != nil {
		for j := 0; j < columns && c+j < p.w.M; j += op.PanelRows {
			p.decode(s.b[j*kc:], quant.PanelOf(p.w.packed, &p.w.shape, (c+j)/op.PanelRows), k0, kc)
		}
		return s.b, kc * op.PanelRows
	}
	if p.w.panels {
		return p.w.data[c*p.w.K+k0*op.PanelRows:], p.w.K * op.PanelRows
	}
	if kc == 0 {
		return s.b, 0
	}
	for j := 0; j < columns; j += op.PanelRows {
		if c+j < p.w.M {
			p.pack(s.b[j*kc:], p.w.data[(c+j)*p.w.K+k0:], p.w.K, p.w.M-c-j, op.PanelRows, kc)
		}
	}
	return s.b, kc * op.PanelRows
}

// decode writes columns [k0, k0+kc) of a panel to dst [kc, 16]. k0 begins a word.
func (p *product) decode(dst []float32, panel quant.Panel, k0, kc int) {
	whole := 0
	if p.w.shape.DType == op.BF16 {
		whole = kc / 2 * 2
		p.widenBrains(dst[:whole*op.PanelRows], panel.Words[k0*32:][:whole*32])
	}
	if whole < kc {
		panel.DecodeColumns(dst[whole*op.PanelRows:], &p.w.shape, k0+whole, k0+kc)
	}
}

// place is where tiles of the product, one below the other, go: c = d + a b, with
// only rows and columns of it valid.
type place struct {
	c, d          []float32
	ldc, ldd      int
	rows, columns int
	ahead         ahead // what to bring in meanwhile
}

// tiles runs the micro-kernel of the given width for all rows of the place,
// through s.edge where a tile is smaller than a whole one.
func (m *microKernel) tiles(s *workspace, kc int, a, b []float32, panel, width int, t *place) {
	whole := 0
	if t.columns == width {
		whole = t.rows / m.MR
	}
	switch {
	case whole == 0:
	case m.column != nil && width == m.NR:
		next, step, apart := t.ahead.steps(start(b), whole*(kc/columnStep))
		m.column(whole, kc, start(a), start(b), panel, &t.d[0], t.ldd, &t.c[0], t.ldc, next, step, apart)
	default:
		fn := m.of(width)
		for r := 0; r < whole*m.MR; r += m.MR {
			t.ahead.next()
			fn(kc, start(a[r*kc:]), start(b), panel, &t.d[r*t.ldd], t.ldd, &t.c[r*t.ldc], t.ldc)
		}
	}
	for r := whole * m.MR; r < t.rows; r += m.MR {
		m.edge(s, kc, a[r*kc:], b, panel, width, &place{
			c: t.c[r*t.ldc:], d: t.d[r*t.ldd:], ldc: t.ldc, ldd: t.ldd, rows: min(m.MR, t.rows-r), columns: t.columns,
		})
	}
}

// edge runs the micro-kernel for a part of a tile.
func (m *microKernel) edge(s *workspace, kc int, a, b []float32, panel, width int, t *place) {
	for i := range t.rows {
		copy(s.edge[i*width:], t.d[i*t.ldd:][:t.columns])
	}
	m.of(width)(kc, start(a), start(b), panel, &s.edge[0], width, &s.edge[0], width)
	for i := range t.rows {
		copy(t.c[i*t.ldc:][:t.columns], s.edge[i*width:])
	}
}

// of is the micro-kernel of the given width.
func (m *microKernel) of(width int) microFunc {
	if width < m.NR {
		return m.half
	}
	return m.fn
}

// start points to the first element, or is nil for an empty operand, which a
// micro-kernel does not read.
func start(s []float32) *float32 {
	if len(s) == 0 {
		return nil
	}
	return &s[0]
}
