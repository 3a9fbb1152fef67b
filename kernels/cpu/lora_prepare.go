package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// prepareLoRA is the first pass of a linearLoRA: B + σεz in panels for every
// copy, and A in panels.
type prepareLoRA struct {
	l          *linearLoRA
	noise      perWorker
	a, b       []float32 // A [r, K] and the master B [M, r]
	eps        float32
	seed       [2]uint32
	site       uint32
	sampler    noise.Sampler
	first      int32
	directions int // distinct z; of one-sided copies those without any counted too
	groups     int // groups of panels of B
}

// panelGroup is how many panels of B one task makes: about 1024 elements, which
// stay in the first cache with their z.
func (l *linearLoRA) panelGroup() int { return max(1, 64/max(l.r, 1)) }

// noiseSize is the elements that a worker needs.
func (l *linearLoRA) noiseSize() int {
	return 3 * (l.panelGroup()*op.PanelRows*l.r + packSlack)
}

// run makes the panels. Without a perturbation all copies share one B.
func (p *prepareLoRA) run(in []*kernel.Tensor) {
	l := p.l
	p.a, p.b = in[2].Copy(0), in[3].Copy(0)
	copy(p.seed[:], in[4].U32())
	p.first = in[5].I32()[0]
	p.eps = in[6].Copy(0)[0]
	p.directions = l.P
	if p.first >= 0 {
		p.directions = (int(p.first)+l.P-1)>>1 - int(p.first)>>1 + 1
	}
	if p.eps == 0 {
		l.bStride, p.directions = 0, 1
	}
	p.groups = ceilDiv(ceilDiv(l.base.w.M, op.PanelRows), l.panelGroup())
	l.call.Pool.RunAs(kernel.PhaseNoise, p, p.directions*p.groups+1)
}

// Tile makes one group of panels of B + σεz for the copies of one direction, or
// the panels of A.
func (p *prepareLoRA) Tile(worker, tile int) {
	if tile == p.directions*p.groups {
		K := p.l.base.w.K
		for c := 0; c < p.l.r; c += op.PanelRows {
			p.l.base.pack(p.l.a[c*K:], p.a[c*K:], K, p.l.r-c, op.PanelRows, K)
		}
		return
	}
	p.perturb(worker, tile/p.groups, tile%p.groups)
}

// perturb makes B + σεz in panels, for one group of panels and the copies of
// one direction: each product and each sum rounded to float32.
func (p *prepareLoRA) perturb(worker, direction, group int) {
	l := p.l
	part := p.noise.of(worker)
	from, to := p.copiesOf(direction)
	query, _ := noise.Copy(p.first, from)
	m0 := group * l.panelGroup() * op.PanelRows
	rows := min(l.panelGroup()*op.PanelRows, l.base.w.M-m0)
	size := roundUp(rows, op.PanelRows) * l.r
	z, zPanels, bPanels := part.take(size), part.take(size+packSlack), part.take(size+packSlack)
	p.inPanels(bPanels, p.b[m0*l.r:], rows)
	if p.eps == 0 {
		copy(l.b[m0*l.r:], bPanels[:size])
		return
	}
	l.base.fillNoise(p.sampler, z[:rows*l.r], p.seed, p.site, query, uint32(m0*l.r))
	p.inPanels(zPanels, z, rows)
	for copyOfB := from; copyOfB < to; copyOfB++ {
		dst := l.b[copyOfB*l.bStride+m0*l.r:][:size]
		if _, sigma := noise.Copy(p.first, copyOfB); sigma == 0 {
			copy(dst, bPanels)
		} else {
			l.base.addScaled(dst, bPanels[:size], zPanels[:size], p.eps*float32(sigma))
		}
	}
}

// inPanels lays rows of src [rows, r] in panels.
func (p *prepareLoRA) inPanels(dst, src []float32, rows int) {
	r := p.l.r
	for m := 0; m < rows; m += op.PanelRows {
		p.l.base.pack(dst[m*r:], src[m*r:], r, rows-m, op.PanelRows, r)
	}
}

// copiesOf are the copies [from, to) of one direction: both of a ± pair unless
// one lies outside the pass, or a single one-sided copy.
func (p *prepareLoRA) copiesOf(direction int) (from, to int) {
	if p.first < 0 {
		return direction, direction + 1
	}
	from = 2*direction - int(p.first&1)
	return max(from, 0), min(from+2, p.l.P)
}
