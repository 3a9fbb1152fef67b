package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// loraTangent computes y_p = x_p + h z_pᵀ, z_p [M, r] being noise of copy p:
// x [P, N, M], h [N, r] → y [P, N, M]; y may be x. A tile is a block of columns
// of one copy: it makes the rows of z that these take, and no others do.
type loraTangent struct {
	product product // for the widths of tiles; W is z
	call    *kernel.Call
	site    uint32
	sampler noise.Sampler
	spaces  perWorker
	seed    [2]uint32
	N, M, r int
}

// loraColumns is the number of columns of y in a tile, a multiple of every NR.
const loraColumns = 128

func (r *routines) bindLoRATangent(c *kernel.Call) (kernel.Runner, error) {
	return &loraTangent{
		product: product{routines: r}, call: c,
		site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler")),
	}, nil
}

// loraTangentSpace is what one worker needs.
type loraTangentSpace struct {
	workspace workspace
	z         []float32 // 16 rows of z, [16, r]
	panels    []float32 // of z: [loraColumns/16][r][16]
	h         []float32 // a panel of h: [r][MR]
}

func (l *loraTangent) newSpace(a *arena) loraTangentSpace {
	gemm := &l.product.gemm
	return loraTangentSpace{
		workspace: gemm.newWorkspace(a), z: a.take(op.PanelRows * l.r),
		panels: a.take(loraColumns*l.r + packSlack), h: a.take(gemm.MR*l.r + packSlack),
	}
}

func (r *routines) scratchLoRATangent(c *kernel.Call) int {
	l := &loraTangent{product: product{routines: r}, call: c}
	var a arena
	l.layOut(&a)
	return a.bytes()
}

// layOut reads the extents and places the spaces in the scratch.
func (l *loraTangent) layOut(a *arena) {
	x, h := l.call.In[0], l.call.In[1]
	l.N, l.M, l.r = x.Shape[0], x.Shape[1], h.Shape[1]
	l.product.w = weights{M: l.M, K: l.r}
	var counter arena
	l.newSpace(&counter)
	l.spaces = a.takePerWorker(counter.used, l.call.Pool.Workers())
}

func (l *loraTangent) Run() error {
	scratch := newArena(l.call.Scratch)
	l.layOut(&scratch)
	copy(l.seed[:], l.call.In[2].U32())
	if l.N == 0 {
		return nil
	}
	l.call.Pool.Run(l, l.call.Out[0].Width*ceilDiv(l.M, loraColumns))
	return nil
}

// Tile computes some columns of one copy.
func (l *loraTangent) Tile(worker, tile int) {
	part := l.spaces.of(worker)
	s := l.newSpace(&part)
	blocks := ceilDiv(l.M, loraColumns)
	p, c0 := tile/blocks, tile%blocks*loraColumns
	c1 := min(c0+loraColumns, l.M)
	for m := c0; m < c1; m += op.PanelRows {
		rows := min(op.PanelRows, l.M-m)
		l.product.fillNoise(l.sampler, s.z[:rows*l.r], l.seed, l.site, uint32(p), uint32(m*l.r))
		l.product.pack(s.panels[(m-c0)*l.r:], s.z, l.r, rows, op.PanelRows, l.r)
	}
	gemm, h := &l.product.gemm, l.call.In[1].Copy(0)
	x, y := l.call.In[0].Copy(p), l.call.Out[0].Copy(p)
	for n := 0; n < l.N; n += gemm.MR {
		rows := min(gemm.MR, l.N-n)
		l.product.pack(s.h, h[n*l.r:], l.r, rows, gemm.MR, l.r)
		for c := c0; c < c1; {
			width := l.product.width(c)
			at := n*l.M + c
			gemm.tiles(&s.workspace, l.r, s.h, s.panels[(c-c0)*l.r:], l.r*op.PanelRows, width, &place{
				c: y[at:], d: x[at:], ldc: l.M, ldd: l.M, rows: rows, columns: min(width, c1-c),
			})
			c += width
		}
	}
}
