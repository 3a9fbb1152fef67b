package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// lowRank is what LinearLoRA adds to a tile of the base product: r further
// columns of K, with t = scale · x Aᵀ in place of x and B + σεz in place of W.
type lowRank struct {
	r       int
	t       []float32 // packed panels of the block's rows: MR × r each
	b       []float32 // first copy's B + σεz in panels: [M/16][r][16]
	bStride int       // from one copy's to the next; 0 where all are equal
	copies  int       // copies of y to write, from the one base product
	yStride int       // from one copy of y to the next
}

// tile finishes the tile at row r, column c of the block, whose base product
// lies at base.c. It writes the further copies first, since the first one lies
// where the base product does.
func (l *lowRank) tile(m *microKernel, s *workspace, r, c, width int, base *place) {
	out := *base
	out.d, out.ldd = base.c, base.ldc
	for p := l.copies - 1; p >= 0; p-- {
		out.c = base.c[p*l.yStride:]
		m.tile(s, l.r, l.t[r*l.r:], l.b[p*l.bStride+c*l.r:], l.r*op.PanelRows, width, &out)
	}
}

// linearLoRA computes LinearLoRA in two passes. The first makes t for every
// block of rows and B + σεz for every panel and copy; the second is a Linear
// whose tiles are finished by them.
type linearLoRA struct {
	call    *kernel.Call
	base    product // x Wᵀ + bias
	down    product // x Aᵀ
	prepare prepareLoRA
	scale   float32

	spaces  perWorker
	x, y    []float32
	t, b    []float32
	bStride int
	N, r, P int
	xCopies int // 1, or P
	tRows   int // rows of one copy of t, whole panels
	tiling  tiling
}

// prepareLoRA is the first pass of a linearLoRA.
type prepareLoRA struct {
	l          *linearLoRA
	noise      perWorker
	b          []float32 // the master B [M, r]
	eps        float32
	seed       [2]uint32
	site       uint32
	sampler    noise.Sampler
	first      int // direction and sign of the first copy: j = first + p
	tBlocks    int // blocks of rows of one copy of x
	directions int
	groups     int // groups of panels
}

// What one task of the first pass makes: so many panels of rows of t, or so
// many panels of B.
const (
	projectRows = 8
	panelGroup  = 4
)

func (r *routines) bindLinearLoRA(c *kernel.Call) (kernel.Runner, error) {
	l := &linearLoRA{}
	l.init(r, c)
	return l, nil
}

func (l *linearLoRA) init(r *routines, c *kernel.Call) {
	l.call, l.scale = c, float32(c.Attrs.Float("scale"))
	l.base.routines, l.down.routines = r, r
	l.prepare = prepareLoRA{
		l: l, site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler")),
	}
}

func (r *routines) scratchLinearLoRA(c *kernel.Call) int {
	l := &linearLoRA{}
	l.init(r, c)
	var a arena
	l.layOut(&a)
	return a.bytes()
}

// layOut reads the extents and places everything in the scratch.
func (l *linearLoRA) layOut(a *arena) {
	x, w, loraA := l.call.In[0], l.call.In[1], l.call.In[2]
	gemm := &l.base.gemm
	workers := l.call.Pool.Workers()
	l.N, l.r, l.P, l.xCopies = x.Shape[0], loraA.Shape[0], l.call.Out[0].Width, x.Width
	l.tRows = roundUp(l.N, gemm.MR)
	l.bStride = roundUp(w.Shape[0], op.PanelRows) * l.r
	l.spaces = a.takePerWorker(gemm.workspaceSize()+projectRows*gemm.MR*roundUp(l.r, lineElements), workers)
	l.prepare.noise = a.takePerWorker(3*(op.PanelRows*l.r+packSlack), workers)
	l.t = a.take(l.xCopies*l.tRows*l.r + packSlack)
	l.b = a.take(l.P * l.bStride)
}

// setOperands takes the tensors of the call.
func (l *linearLoRA) setOperands() {
	in := l.call.In
	l.base.w = weightsOf(in[1])
	l.base.bias = optional(l.call, 7)
	l.down.w = weightsOf(in[2])
	l.x, l.y = in[0].F32(), l.call.Out[0].F32()
}

func (l *linearLoRA) Run() error {
	in := l.call.In
	scratch := newArena(l.call.Scratch)
	l.layOut(&scratch)
	l.setOperands()
	l.tiling = l.base.gemm.cut(l.xCopies, l.N, l.base.w.M)
	if l.P == 0 || l.N == 0 {
		return nil
	}
	l.prepare.run(in)
	l.call.Pool.Run(l, l.xCopies*l.tiling.tiles())
	return nil
}

// Tile computes one tile of a copy of y, or of all copies where x is narrow.
// Copies of one column block follow each other.
func (l *linearLoRA) Tile(worker, tile int) {
	part := l.spaces.of(worker)
	space := l.base.gemm.newWorkspace(&part)
	perColumn := l.tiling.rowBlocks * l.xCopies
	p := tile % perColumn / l.tiling.rowBlocks
	r0, r1, c0, c1 := l.tiling.span(tile/perColumn*l.tiling.rowBlocks + tile%l.tiling.rowBlocks)
	M, K := l.base.w.M, l.base.w.K
	l.base.compute(&space, &block{
		x: l.x[(p*l.N+r0)*K:], rows: r1 - r0, c0: c0, c1: c1,
		y: l.y[(p*l.N+r0)*M+c0:], ldy: M, finish: l.lowRank(p, r0),
	})
}

// lowRank is what is added to the rows from r0 on of copy p of x.
func (l *linearLoRA) lowRank(p, r0 int) lowRank {
	return lowRank{
		r: l.r, t: l.t[(p*l.tRows+r0)*l.r:], b: l.b[p*l.bStride:],
		bStride: l.bStride, copies: l.P / l.xCopies, yStride: l.N * l.base.w.M,
	}
}

// run makes t and the perturbed copies of B. Without a perturbation all copies
// share one.
func (p *prepareLoRA) run(in []*kernel.Tensor) {
	l := p.l
	p.b = in[3].Copy(0)
	copy(p.seed[:], in[4].U32())
	p.first = int(in[5].I32()[0])
	p.eps = in[6].Copy(0)[0]
	p.directions = (p.first+l.P-1)>>1 - p.first>>1 + 1
	if p.eps == 0 {
		l.bStride, p.directions = 0, 1
	}
	p.tBlocks = ceilDiv(l.N, projectRows*l.base.gemm.MR)
	p.groups = ceilDiv(ceilDiv(l.base.w.M, op.PanelRows), panelGroup)
	l.call.Pool.Run(p, l.xCopies*p.tBlocks+p.directions*p.groups)
}

// Tile makes one block of rows of t, or one group of panels of B + σεz for both
// signs of one direction.
func (p *prepareLoRA) Tile(worker, tile int) {
	if n := p.l.xCopies * p.tBlocks; tile >= n {
		p.perturb(worker, (tile-n)/p.groups, (tile-n)%p.groups)
		return
	}
	p.project(worker, tile/p.tBlocks, tile%p.tBlocks)
}

// project makes t = scale · x Aᵀ for one block of rows of one copy, in panels.
func (p *prepareLoRA) project(worker, copyOfX, rowBlock int) {
	l := p.l
	part := l.spaces.of(worker)
	gemm := &l.base.gemm
	space := gemm.newWorkspace(&part)
	r0 := rowBlock * projectRows * gemm.MR
	rows := min(projectRows*gemm.MR, l.N-r0)
	rows16 := roundUp(l.r, lineElements)
	y := part.take(projectRows * gemm.MR * rows16)
	l.down.compute(&space, &block{
		x: l.x[(copyOfX*l.N+r0)*l.base.w.K:], rows: rows, c1: l.r, y: y, ldy: rows16,
	})
	for i := range y[:rows*rows16] {
		y[i] *= l.scale
	}
	t := l.t[(copyOfX*l.tRows+r0)*l.r:]
	for r := 0; r < rows; r += gemm.MR {
		packGeneric(t[r*l.r:], y[r*rows16:], rows16, rows-r, gemm.MR, l.r)
	}
}

// perturb makes B + σεz in panels, for one group of panels and the copies of
// one direction: each product and each sum rounded to float32.
func (p *prepareLoRA) perturb(worker, direction, group int) {
	l := p.l
	part := p.noise.of(worker)
	size := op.PanelRows * l.r
	z, epsZ, b := part.take(size), part.take(size+packSlack), part.take(size+packSlack)
	i := p.first>>1 + direction
	for panel := group * panelGroup; panel < min((group+1)*panelGroup, ceilDiv(l.base.w.M, op.PanelRows)); panel++ {
		m := panel * op.PanelRows
		rows := min(op.PanelRows, l.base.w.M-m)
		l.base.pack(b, p.b[m*l.r:], l.r, rows, op.PanelRows, l.r)
		if p.eps == 0 {
			copy(l.b[m*l.r:], b[:size])
			continue
		}
		l.base.fillNoise(p.sampler, z[:rows*l.r], p.seed, p.site, uint32(i), uint32(m*l.r))
		l.base.pack(epsZ, z[:rows*l.r], l.r, rows, op.PanelRows, l.r)
		scaled := epsZ[:size]
		for sign, eps := range [2]float32{p.eps, -1} {
			for e := range scaled { // εz, then −εz
				scaled[e] *= eps
			}
			if copyOfB := 2*i + sign - p.first; copyOfB >= 0 && copyOfB < l.P {
				l.base.add(l.b[copyOfB*l.bStride+m*l.r:][:size], b[:size], scaled)
			}
		}
	}
}
