package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// codeBlock is a rectangle of y: rows [r0, r1) of the copies of some matrices, and
// columns [c0, c1).
type codeBlock struct {
	first, last int // matrices, of which the first of all is computed before others
	r0, r1      int // r0 begins a tile
	c0, c1      int
	y           []float32 // the block's first element of matrix first
	ldy         int
	apart       int                   // from a copy of y to the next
	lora        *linearLoRA           // added to the product; may be nil
	edge        workspace             // for lora
	clock       *platform.WorkerClock // times it
}

// compute fills the block, panel after panel of W, each for all its matrices. What
// the first of all matrices leaves in s.base, the others need.
func (p *codeProduct) compute(s *codeSpace, t *codeBlock) {
	if p.kernel.shift == 0 {
		clear(s.start)
	}
	clear(s.zeros)
	for v := 0; v == 0 || v < p.words; v += p.depth {
		words := min(p.depth, p.words-v)
		for c := t.c0; c < t.c1; {
			columns := p.codeWidth(c)
			var w codeSlice
			if words > 0 {
				w = p.codePanel(s, c, columns, v, words)
			}
			for m := t.first; m < t.last; m++ {
				sums := p.sums(s, t, m, c, columns)
				if v == 0 {
					clear(sums)
				}
				if words > 0 {
					p.codeTiles(s, t, m, c, columns, v, &w, sums)
				}
				if v+words == p.words {
					p.finish(s, t, m, c, columns, sums)
				}
			}
			c += columns
		}
	}
}

// sums is where the product of matrix m with columns [c, c+columns) lies, [rows,
// columns] with whole tiles of rows: in one place for all where nothing is to be
// kept for a further slice of K.
func (p *codeProduct) sums(s *codeSpace, t *codeBlock, m, c, columns int) []float32 {
	rows, at := roundUp(2*(t.r1-t.r0), p.kernel.MR), 0
	if p.depth < p.words {
		at = (c-t.c0)*(t.last-t.first) + (m-t.first)*columns
	}
	return s.c[at*rows:][:rows*columns]
}

// codeTiles runs the micro-kernel for all rows of the block of matrix m and
// columns [c, c+columns), with words from v on.
func (p *codeProduct) codeTiles(s *codeSpace, t *codeBlock, m, c, columns, v int, w *codeSlice, sums []float32) {
	k := p.kernel
	first, stride := 2*t.r0/k.MR, p.tileBytes()
	tiles := ceilDiv(2*t.r1, k.MR) - first
	a := p.packed[(m*p.tiles+first)*stride+v*k.MR*k.xBytes:]
	if k.column != nil && columns == k.NR {
		next, step, apart := &w.b[0], 0, 0
		if m == t.first {
			next, step, apart = p.codeAhead(t, c, v, tiles, w)
		}
		k.column(tiles, stride, w.groups, w.words, &a[0], &w.b[0], w.panel, &s.scales[0], &s.start[0], &sums[0], columns, next, step, apart)
		return
	}
	fn := k.fn
	if columns < k.NR {
		fn = k.half
	}
	for i := range tiles {
		fn(w.groups, w.words, &a[i*stride], &w.b[0], w.panel, &s.scales[0], &s.start[0], &sums[i*k.MR*columns], columns)
	}
}

// codeAhead tells a codeColumn what to bring in: what the block reads of W next,
// of as many words as w has.
func (p *codeProduct) codeAhead(t *codeBlock, c, v, tiles int, w *codeSlice) (next *byte, step, apart int) {
	words, each := w.groups*w.words, wordColumns(p.w.shape.DType)
	panels, apart := p.w.ahead(t.c0, t.c1, c, p.kernel.NR, each*v, each*words)
	if b := panels[0]; len(b) > 0 {
		return &b[0], ceilDiv(len(b), tiles*max(words/codeColumnStep, 1)), apart
	}
	return &w.b[0], 0, 0
}

// codeWidth is how many columns the micro-kernel takes from column c on.
func (p *codeProduct) codeWidth(c int) int {
	return tileWidth(p.kernel.NR, p.kernel.half != nil, c, p.w.M)
}

// codeSplit makes rows of y of those of products: row r of the first is m + d and
// of the second m − d, with m = c[2r] · scales[2r] + bias[r], which is also left
// in base, and d = c[2r+1] · scales[2r+1].
type codeSplit struct {
	rows, columns int       // columns is a multiple of 16
	c             []float32 // [2·rows, columns]
	scales        []float32 // [2·rows]
	bias          []float32 // rows ldBias apart
	ldBias        int
	base          []float32    // [rows, columns], or nil
	y             [2][]float32 // y[i] is rows ldy[i] apart; its row r may be row 2r+i of c
	ldy           [2]int
}

// finish makes y of the product of matrix m with columns [c, c+columns): in place,
// or over it where something is added or a panel goes past the end of a row.
func (p *codeProduct) finish(s *codeSpace, t *codeBlock, m, c, columns int, sums []float32) {
	rows, valid := t.r1-t.r0, min(columns, t.c1-c)
	base := s.base[(c-t.c0)*rows:][:rows*columns]
	split := codeSplit{
		rows: rows, columns: columns, c: sums, scales: p.scales[m*p.tiles*p.kernel.MR+2*t.r0:][:2*rows],
		y: [2][]float32{sums, sums[columns:]}, ldy: [2]int{2 * columns, 2 * columns},
	}
	switch {
	case m > 0:
		split.bias, split.ldBias = base, columns
	case p.matrices > 1:
		split.base = base
		fallthrough
	default:
		split.bias = p.biasOf(s, c, columns)
	}
	copies := min(p.copies-2*m, 2)
	for i := range copies {
		if y := t.y[(2*(m-t.first)+i)*t.apart+c-t.c0:]; t.lora == nil && valid == columns {
			split.y[i], split.ldy[i] = y, t.ldy
		}
	}
	p.splitCodes(split)
	for i := range copies {
		at := (2*(m-t.first)+i)*t.apart + c - t.c0
		switch {
		case t.lora != nil:
			p.addLowRank(t, 2*m+i, c, valid, sums[i*columns:], 2*columns, t.y[at:])
		case valid < columns:
			for r := range rows {
				copy(t.y[at+r*t.ldy:][:valid], sums[(2*r+i)*columns:])
			}
		}
	}
}

// biasOf is the bias of columns [c, c+columns).
func (p *codeProduct) biasOf(s *codeSpace, c, columns int) []float32 {
	if p.bias == nil {
		return s.zeros
	}
	if c+columns <= len(p.bias) {
		return p.bias[c:]
	}
	clear(s.bias[copy(s.bias, p.bias[c:]):])
	return s.bias
}

// addLowRank puts valid columns from c on of a copy, whose product is d with rows
// ldd apart, at y together with what is added to them.
func (p *codeProduct) addLowRank(t *codeBlock, number, c, valid int, d []float32, ldd int, y []float32) {
	low := t.lora.lowRank(number, t.r0)
	began := t.clock.Now()
	width := op.PanelRows
	for j := 0; j < valid; j += width {
		if width = p.gemm.NR; valid-j <= op.PanelRows {
			width = op.PanelRows
		}
		low.tiles(&p.gemm, &t.edge, c+j, width, &place{
			d: d[j:], ldd: ldd, c: y[j:], ldc: t.ldy, rows: t.r1 - t.r0, columns: min(width, valid-j),
		})
	}
	t.clock.Apart(kernel.PhaseLowRank, began, low.ops(t.r1-t.r0, valid))
}
