package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// projectLoRA makes t = scale · x Aᵀ of a linearLoRA in panels of MR rows, block by
// block of rows: as a second pass, or before a tile of the third where no other
// needs the same rows, so that x comes from memory but once.
type projectLoRA struct {
	l     *linearLoRA
	scale float32
	t     perWorker // a block of t, row by row: [projectPanels·MR, roundUp(r, 16)]
	// blocks is how many there are of one copy of x.
	blocks int
}

// projectPanels is how many panels of t a block has.
const projectPanels = 8

func (p *projectLoRA) layOut(a *arena, workers int) {
	rows := projectPanels*p.l.base.gemm.MR + stridedSlack
	p.t = a.takePerWorker(rows*roundUp(p.l.r, op.PanelRows), workers)
}

func (p *projectLoRA) run() {
	l := p.l
	p.blocks = ceilDiv(l.N, p.blockRows())
	l.call.Pool.RunAs(kernel.PhaseProject, p, l.xCopies*p.blocks)
}

// blockRows is how many rows a block has.
func (p *projectLoRA) blockRows() int { return projectPanels * p.l.base.gemm.MR }

// Tile makes one block of rows of one copy of t.
func (p *projectLoRA) Tile(worker, tile int) {
	r0 := tile % p.blocks * p.blockRows()
	p.block(worker, tile/p.blocks, r0, min(r0+p.blockRows(), p.l.N))
}

// span makes rows [r0, r1) of one copy of t, r0 beginning a panel.
func (p *projectLoRA) span(worker, copyOfX, r0, r1 int) {
	for ; r0 < r1; r0 += p.blockRows() {
		p.block(worker, copyOfX, r0, min(r0+p.blockRows(), r1))
	}
}

// block makes rows [r0, r1) of one copy of t, at most blockRows of them.
func (p *projectLoRA) block(worker, copyOfX, r0, r1 int) {
	l := p.l
	MR, ld := l.base.gemm.MR, roundUp(l.r, op.PanelRows)
	rows := r1 - r0
	part := p.t.of(worker)
	block := part.take((rows + stridedSlack) * ld)
	p.rows(block, ld, l.x[(copyOfX*l.N+r0)*l.base.w.K:], rows)
	t := l.t[(copyOfX*l.tRows+r0)*l.r:]
	for r := 0; r < rows; r += MR {
		pack := l.base.pack
		if r+MR >= rows {
			pack = packGeneric // writes nothing past the panel, where another block begins
		}
		pack(t[r*l.r:], block[r*ld:], ld, rows-r, MR, l.r)
	}
}

// rows computes t[i*ld+c] = scale · Σ_k x[i*K+k] · A[c*K+k] for i < rows.
func (p *projectLoRA) rows(t []float32, ld int, x []float32, rows int) {
	l := p.l
	K := l.base.w.K
	if K == 0 {
		clear(t)
		return
	}
	for c := 0; c < l.r; c += op.PanelRows {
		if a := l.a[c*K:]; l.base.routines.project != nil {
			l.base.routines.project(t[c:], ld, x, K, rows, min(l.r-c, op.PanelRows), K, a, p.scale)
		} else {
			l.base.strided(t[c:], ld, x, K, 1, rows, K, a, p.scale)
		}
	}
}
