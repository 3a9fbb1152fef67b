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
	first      int // direction and sign of the first copy: j = first + p
	directions int
	groups     int // groups of panels of B
}

// panelGroup is how many panels of B one task makes.
const panelGroup = 4

// run makes the panels. Without a perturbation all copies share one B.
func (p *prepareLoRA) run(in []*kernel.Tensor) {
	l := p.l
	p.a, p.b = in[2].Copy(0), in[3].Copy(0)
	copy(p.seed[:], in[4].U32())
	p.first = int(in[5].I32()[0])
	p.eps = in[6].Copy(0)[0]
	p.directions = (p.first+l.P-1)>>1 - p.first>>1 + 1
	if p.eps == 0 {
		l.bStride, p.directions = 0, 1
	}
	p.groups = ceilDiv(ceilDiv(l.base.w.M, op.PanelRows), panelGroup)
	l.call.Pool.Run(p, p.directions*p.groups+1)
}

// Tile makes one group of panels of B + σεz for both signs of one direction, or
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
	size := op.PanelRows * l.r
	z, zPanel, bPanel := part.take(size), part.take(size+packSlack), part.take(size+packSlack)
	i := p.first>>1 + direction
	for panel := group * panelGroup; panel < min((group+1)*panelGroup, ceilDiv(l.base.w.M, op.PanelRows)); panel++ {
		m := panel * op.PanelRows
		rows := min(op.PanelRows, l.base.w.M-m)
		l.base.pack(bPanel, p.b[m*l.r:], l.r, rows, op.PanelRows, l.r)
		if p.eps == 0 {
			copy(l.b[m*l.r:], bPanel[:size])
			continue
		}
		l.base.fillNoise(p.sampler, z[:rows*l.r], p.seed, p.site, uint32(i), uint32(m*l.r))
		l.base.pack(zPanel, z, l.r, rows, op.PanelRows, l.r)
		for sign, eps := range [2]float32{p.eps, -p.eps} {
			if copyOfB := 2*i + sign - p.first; copyOfB >= 0 && copyOfB < l.P {
				l.base.addScaled(l.b[copyOfB*l.bStride+m*l.r:][:size], bPanel[:size], zPanel[:size], eps)
			}
		}
	}
}
