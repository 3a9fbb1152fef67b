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

// tiles finishes the tiles of the block from column c on, whose base product lies
// at base.d, and puts the copies at base.c, the further ones behind the first. It
// begins with the last, since the first may lie where the base product does.
func (l *lowRank) tiles(m *microKernel, s *workspace, c, width int, base *place) {
	to := *base
	for p := l.copies - 1; p >= 0; p-- {
		to.c = base.c[p*l.yStride:]
		m.tiles(s, l.r, l.t, l.b[p*l.bStride+c*l.r:], l.r*op.PanelRows, width, &to)
	}
}

// ops is the multiply-adds for a part of a block.
func (l *lowRank) ops(rows, columns int) int { return rows * columns * l.r * l.copies }

// linearLoRA computes LinearLoRA in three passes. The first makes B + σεz for
// every panel and copy and lays A in panels; the second makes t for every block
// of rows, unless the third does; that is a Linear whose tiles are finished by them.
type linearLoRA struct {
	call    *kernel.Call
	base    product // x Wᵀ + bias
	prepare prepareLoRA
	project projectLoRA
	packed  packedRows

	spaces  perWorker
	x, y    []float32
	a       []float32 // A in panels: [r/16][K][16]
	t, b    []float32
	bStride int
	N, r, P int
	xCopies int // 1, or P
	tRows   int // rows of one copy of t, whole panels
	tiling  tiling
}

func (r *routines) bindLinearLoRA(c *kernel.Call) (kernel.Runner, error) {
	l := &linearLoRA{}
	l.init(r, c)
	return l, nil
}

func (l *linearLoRA) init(r *routines, c *kernel.Call) {
	l.call, l.base.routines = c, r
	l.packed.product = &l.base
	l.prepare = prepareLoRA{
		l: l, site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler")),
	}
	l.project = projectLoRA{l: l, scale: float32(c.Attrs.Float("scale"))}
}

func (r *routines) scratchLinearLoRA(c *kernel.Call) int {
	l := &linearLoRA{}
	l.init(r, c)
	var a arena
	l.layOut(&a)
	l.packed.layOut(&a, l.xCopies, l.N)
	return a.bytes()
}

// layOut reads the extents and places everything in the scratch.
func (l *linearLoRA) layOut(a *arena) {
	x, w, loraA := l.call.In[0], l.call.In[1], l.call.In[2]
	l.base.w = weightsOf(w)
	gemm := &l.base.gemm
	workers := l.call.Pool.Workers()
	l.N, l.r, l.P, l.xCopies = x.Shape[0], loraA.Shape[0], l.call.Out[0].Width, x.Width
	l.tRows = roundUp(l.N, gemm.MR)
	l.bStride = roundUp(w.Shape[0], op.PanelRows) * l.r
	l.spaces = a.takePerWorker(gemm.workspaceSize(), workers)
	l.project.layOut(a, workers)
	l.prepare.noise = a.takePerWorker(l.noiseSize(), workers)
	l.a = a.take(roundUp(l.r, op.PanelRows)*w.Shape[1] + packSlack)
	l.t = a.take(l.xCopies*l.tRows*l.r + packSlack)
	l.b = a.take(l.P * l.bStride)
}

// setOperands takes the tensors of the call.
func (l *linearLoRA) setOperands() {
	in := l.call.In
	l.base.bias = optional(l.call, 7)
	l.x, l.y = in[0].F32(), l.call.Out[0].F32()
}

func (l *linearLoRA) Run() error {
	in := l.call.In
	scratch := newArena(l.call.Scratch)
	l.layOut(&scratch)
	l.packed.layOut(&scratch, l.xCopies, l.N)
	l.setOperands()
	l.tiling = l.base.cut(l.xCopies, l.N)
	if l.P == 0 || l.N == 0 {
		return nil
	}
	l.prepare.run(in)
	if !l.projectsInTiles() {
		l.project.run()
	}
	l.packed.run(l.call.Pool, l.x, &l.tiling, l.xCopies)
	l.call.Pool.Run(l, l.xCopies*l.tiling.tiles())
	return nil
}

// projectsInTiles tells whether each row of t is wanted in one tile alone.
func (l *linearLoRA) projectsInTiles() bool {
	return l.tiling.columnBlocks == 1 && !l.base.w.packsOnce()
}

// Tile computes one tile of a copy of y, or of all copies where x is narrow.
// Copies of one column block follow each other.
func (l *linearLoRA) Tile(worker, tile int) {
	part := l.spaces.of(worker)
	space := l.base.gemm.newWorkspace(&part)
	perColumn := l.tiling.rowBlocks * l.xCopies
	p := tile % perColumn / l.tiling.rowBlocks
	r0, r1, c0, c1 := l.tiling.span(tile/perColumn*l.tiling.rowBlocks + tile%l.tiling.rowBlocks)
	M, K, clock := l.base.w.M, l.base.w.K, l.call.Pool.Clock(worker)
	if l.projectsInTiles() {
		began := clock.Now()
		l.project.span(worker, p, r0, r1)
		clock.Apart(kernel.PhaseProject, began, (r1-r0)*K*l.r)
	}
	l.base.compute(&space, &block{
		x: l.x[(p*l.N+r0)*K:], packed: l.packed.of(p, r0), rows: r1 - r0, c0: c0, c1: c1,
		y: l.y[(p*l.N+r0)*M+c0:], ldy: M, finish: l.lowRank(p, r0), clock: clock,
	})
}

// lowRank is what is added to the rows from r0 on of copy p of x.
func (l *linearLoRA) lowRank(p, r0 int) lowRank {
	return lowRank{
		r: l.r, t: l.t[(p*l.tRows+r0)*l.r:], b: l.b[p*l.bStride:],
		bStride: l.bStride, copies: l.P / l.xCopies, yStride: l.N * l.base.w.M,
	}
}
