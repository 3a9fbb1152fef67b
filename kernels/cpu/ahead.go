package cpu

import (
	"unsafe"

	"zeroth/runtime/op"
)

// ahead is what is read next of W: the same columns of K of adjacent panels. A
// processor foresees what follows in memory, but the next slice lies elsewhere,
// behind the rest of the panel. So it is brought into the second cache between
// tiles, a piece each. A small W stays there, and what is read next is x, of the next
// block.
type ahead struct {
	fetch  func([]byte) // nil where a microColumn brings in all there is
	panels [2][]byte
	apart  int // bytes from panel to panel
	piece  int // bytes of each panel
}

// leastAhead is the size of a slice of a panel, in bytes, from which on it is
// brought in ahead. Smaller ones are near each other.
const leastAhead = 4096

// ahead finds what a block reads of W after columns [k0, k0+kc) of K of some
// rows from c on: the same of the next rows, or the next columns of its first.
func (p *product) ahead(t *block, c, columns, k0, kc int) ahead {
	if p.fetch == nil && p.gemm.column == nil || kc == 0 {
		return ahead{}
	}
	a := ahead{fetch: p.fetch}
	switch {
	case !p.w.packsOnce():
		a.panels[0] = p.nextRows(t, c, columns, k0, kc)
	case kc*p.w.columnBytes >= leastAhead:
		a.panels, a.apart = p.w.ahead(t.c0, t.c1, c, columns, k0, kc)
	}
	if size := len(a.panels[0]); size > 0 {
		a.piece = roundUp(ceilDiv(size, ceilDiv(t.rows, p.gemm.MR)), 4*lineElements)
	}
	return a
}

// nextRows is the share of columns [k0, k0+kc) of K of columns [c, c+columns) of y in
// the rows that follow the block's in x, as many as it has.
func (p *product) nextRows(t *block, c, columns, k0, kc int) []byte {
	size := t.rows * p.w.K
	next := t.x[min(size, len(t.x)):min(2*size, len(t.x))]
	width := t.c1 - t.c0
	share := func(n int) int { return min(n*len(next)/(p.w.K*width), len(next)) }
	done := k0*width + (c-t.c0)*kc
	next = next[share(done):share(done+min(columns, t.c1-c)*kc)]
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(next))), 4*len(next))
}

// ahead finds what a block with rows [c0, c1) of W reads of them after columns
// [k0, k0+kc) of K of rows [c, c+columns), slices of K being alike but for the last:
// the panels, and the bytes from one to the next.
func (w *weights) ahead(c0, c1, c, columns, k0, kc int) (panels [2][]byte, apart int) {
	if c += columns; c >= c1 {
		c, k0 = c0, k0+kc
	}
	for j := 0; j < columns && c+j < c1; j += op.PanelRows {
		panels[j/op.PanelRows] = w.slice(c+j, k0, kc)
		apart = j / op.PanelRows * int(w.shape.PanelBytes())
	}
	return panels, apart
}

// slice is columns [k0, k0+kc) of K, as far as there are so many, of the panel
// that begins with row c, as it lies in memory.
func (w *weights) slice(c, k0, kc int) []byte {
	words := w.raw[int64(c/op.PanelRows)*w.shape.PanelBytes():][:w.shape.PanelBytes()]
	return words[min(k0*w.columnBytes, len(words)):min((k0+kc)*w.columnBytes, len(words))]
}

// next brings the next piece in.
func (a *ahead) next() {
	if a.fetch == nil {
		return
	}
	for i, rest := range a.panels {
		if n := min(a.piece, len(rest)); n > 0 {
			a.fetch(rest[:n])
			a.panels[i] = rest[n:]
		}
	}
}

// steps tells a microColumn that reads b what to bring in, in about n steps: the
// panels from an address on, which lie apart bytes from each other. Where there is
// nothing, that is what b begins with, again and again.
func (a *ahead) steps(b *float32, n int) (next *byte, step, apart int) {
	if a.piece == 0 || n == 0 {
		return (*byte)(unsafe.Pointer(b)), 0, 0
	}
	return &a.panels[0][0], ceilDiv(len(a.panels[0]), n), a.apart
}
