package cpu

import "zeroth/runtime/op"

// projectLoRA is the second pass of a linearLoRA: t = scale · x Aᵀ in panels of
// MR rows, block by block of rows.
type projectLoRA struct {
	l     *linearLoRA
	down  product // x Aᵀ, where routines.project is nil
	scale float32
	t     perWorker // a block of t, row by row: [projectPanels·MR, roundUp(r, 16)]
	// blocks is how many there are of one copy of x.
	blocks int
}

// projectPanels is how many panels of t a block has.
const projectPanels = 8

func (p *projectLoRA) layOut(a *arena, workers int) {
	rows := projectPanels*p.l.base.gemm.MR + projectSlack
	p.t = a.takePerWorker(rows*roundUp(p.l.r, op.PanelRows), workers)
}

func (p *projectLoRA) run() {
	l := p.l
	p.down.w = weights{data: l.a, M: l.r, K: l.base.w.K, panels: true}
	p.blocks = ceilDiv(l.N, projectPanels*l.base.gemm.MR)
	l.call.Pool.Run(p, l.xCopies*p.blocks)
}

// Tile makes one block of rows of one copy of t.
func (p *projectLoRA) Tile(worker, tile int) {
	l := p.l
	MR, ld := l.base.gemm.MR, roundUp(l.r, op.PanelRows)
	copyOfX, r0 := tile/p.blocks, tile%p.blocks*projectPanels*MR
	rows := min(projectPanels*MR, l.N-r0)
	part := p.t.of(worker)
	block := part.take((rows + projectSlack) * ld)
	p.rows(worker, block, ld, l.x[(copyOfX*l.N+r0)*l.base.w.K:], rows)
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
func (p *projectLoRA) rows(worker int, t []float32, ld int, x []float32, rows int) {
	l := p.l
	K := l.base.w.K
	if l.base.project != nil && K > 0 {
		for c := 0; c < l.r; c += op.PanelRows {
			l.base.project(t[c:], ld, x, K, rows, K, l.a[c*K:], p.scale)
		}
		return
	}
	part := l.spaces.of(worker)
	space := l.base.gemm.newWorkspace(&part)
	p.down.compute(&space, &block{x: x, rows: rows, c1: l.r, y: t, ldy: ld})
	for i := range t[:rows*ld] {
		t[i] *= p.scale
	}
}
