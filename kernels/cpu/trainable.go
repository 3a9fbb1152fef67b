package cpu

import (
	"encoding/binary"
	"math"

	"zeroth/internal/half"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// trainable cuts a weight that is moved as a whole, a vector or a matrix in rows
// or panels, into tiles, and each tile into runs of consecutive elements.
type trainable struct {
	data    []byte
	bf16    bool
	panels  bool
	M, K    int
	words   int // of a row of a panel
	columns int // of a tile
	blocks  int // tiles of one panel, or of all rows
}

// runColumns is the largest number of columns in a tile: its 16 rows of float32
// take 16 KiB.
const runColumns = 256

func trainableOf(t *kernel.Tensor) trainable {
	w := trainable{data: t.Data, M: 1, K: t.Elements(), columns: op.PanelRows * runColumns}
	if t.Type.Layout == op.Panels16 {
		p := t.Type.Panels()
		w.panels, w.bf16 = true, p.DType == op.BF16
		w.M, w.K, w.words, w.columns = p.M, p.K, p.Words, runColumns
	}
	w.blocks = ceilDiv(w.K, w.columns)
	return w
}

// tiles is the number of tiles.
func (w *trainable) tiles() int {
	if w.panels {
		return ceilDiv(w.M, op.PanelRows) * w.blocks
	}
	return w.blocks
}

// run is a run of a tile: row m, columns [k0, k1).
type run struct{ m, k0, k1 int }

// index is the row-major index of its first element.
func (w *trainable) index(r run) uint32 { return uint32(uint64(r.m)*uint64(w.K) + uint64(r.k0)) }

// runs gives the first run of a tile and the number of rows that have one.
func (w *trainable) runs(tile int) (r run, rows int) {
	k0 := tile % w.blocks * w.columns
	r = run{k0: k0, k1: min(k0+w.columns, w.K)}
	if !w.panels {
		return r, 1
	}
	r.m = tile / w.blocks * op.PanelRows
	return r, min(op.PanelRows, w.M-r.m)
}

// at is the offset in bytes of an element of the row's word that holds column k.
func (w *trainable) at(m, k int) int {
	if !w.panels {
		return k * 4
	}
	if w.bf16 {
		return ((m/op.PanelRows*w.words+k/2)*op.PanelRows+m%op.PanelRows)*4 + k%2*2
	}
	return ((m/op.PanelRows*w.words+k)*op.PanelRows + m%op.PanelRows) * 4
}

// load reads a run.
func (w *trainable) load(x []float32, r run) {
	switch {
	case w.bf16:
		for k := r.k0; k < r.k1; k++ {
			x[k-r.k0] = half.BrainToFloat(binary.LittleEndian.Uint16(w.data[w.at(r.m, k):]))
		}
	default:
		at, step := w.at(r.m, r.k0), 4
		if w.panels {
			step = op.PanelRows * 4
		}
		for k := range r.k1 - r.k0 {
			x[k] = math.Float32frombits(binary.LittleEndian.Uint32(w.data[at+k*step:]))
		}
	}
}

// store writes a run of float32.
func (w *trainable) store(x []float32, r run) {
	at, step := w.at(r.m, r.k0), 4
	if w.panels {
		step = op.PanelRows * 4
	}
	for k, v := range x {
		binary.LittleEndian.PutUint32(w.data[at+k*step:], math.Float32bits(v))
	}
}

// storeBF16 writes a run of bfloat16.
func (w *trainable) storeBF16(x []uint16, r run) {
	for k, v := range x {
		binary.LittleEndian.PutUint16(w.data[w.at(r.m, r.k0+k):], v)
	}
}

// perturb computes y = W + σεz for one copy, run by run: the product and the sum
// are rounded to float32, then to W's type.
type perturb struct {
	*routines
	call    *kernel.Call
	site    uint32
	sampler noise.Sampler
	spaces  perWorker
	w, y    trainable
	seed    [2]uint32
	query   uint32
	eps     float32
}

func (r *routines) bindPerturb(c *kernel.Call) (kernel.Runner, error) {
	return &perturb{
		routines: r, call: c, site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler")),
	}, nil
}

func (r *routines) scratchTrainable(c *kernel.Call) int {
	var a arena
	a.takePerWorker(trainableSpace, c.Pool.Workers())
	return a.bytes()
}

// trainableSpace is the elements that a worker needs for a run and its z.
const trainableSpace = 4 * op.PanelRows * runColumns

func (p *perturb) Run() error {
	in, y := p.call.In, p.call.Out[0]
	scratch := newArena(p.call.Scratch)
	p.spaces = scratch.takePerWorker(trainableSpace, p.call.Pool.Workers())
	p.w, p.y = trainableOf(in[0]), trainableOf(y)
	copy(p.seed[:], in[1].U32())
	first := in[2].I32()[0]
	p.query, p.eps = uint32(first>>1), in[3].Copy(0)[0]
	if first%2 != 0 {
		p.eps = -p.eps
	}
	if p.eps == 0 {
		copy(y.Data, in[0].Data)
		return nil
	}
	p.call.Pool.Run(p, p.w.tiles())
	return nil
}

// Tile perturbs one tile.
func (p *perturb) Tile(worker, tile int) {
	part := p.spaces.of(worker)
	x, z := part.take(op.PanelRows*runColumns), part.take(op.PanelRows*runColumns)
	bits := uint16s(part.take(op.PanelRows * runColumns))
	r, rows := p.w.runs(tile)
	p.y.clearPadding(r, rows)
	for range rows {
		n := r.k1 - r.k0
		p.w.load(x[:n], r)
		p.fillNoise(p.sampler, z[:n], p.seed, p.site, p.query, p.w.index(r))
		p.addScaled(x[:n], x[:n], z[:n], p.eps)
		if p.y.bf16 {
			for e, v := range x[:n] {
				bits[e] = half.BrainFromFloat(v)
			}
			p.y.storeBF16(bits[:n], r)
		} else {
			p.y.store(x[:n], r)
		}
		r.m++
	}
}

// clearPadding zeroes what of a tile stands for no element: the rows past M and
// the column past an odd K.
func (w *trainable) clearPadding(r run, rows int) {
	if !w.panels {
		return
	}
	odd := w.bf16 && r.k1 == w.K && w.K%2 == 1
	if rows == op.PanelRows && !odd {
		return
	}
	clear(w.data[w.at(r.m, r.k0):min(w.at(r.m, r.k1-1)/64*64+64, len(w.data))])
}

// updateWeights is updateLoRA for panels and bf16: run by run.
type updateWeights struct {
	*routines
	call    *kernel.Call
	site    uint32
	sampler noise.Sampler
	spaces  perWorker
	w       trainable
	g       []float32
	seed    [2]uint32
	c       float32
}

func (r *routines) bindUpdateWeights(c *kernel.Call) (kernel.Runner, error) {
	return &updateWeights{
		routines: r, call: c, site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler")),
	}, nil
}

func (u *updateWeights) Run() error {
	in := u.call.In
	scratch := newArena(u.call.Scratch)
	u.spaces = scratch.takePerWorker(trainableSpace, u.call.Pool.Workers())
	u.w, u.g = trainableOf(in[0]), in[2].Copy(0)
	copy(u.seed[:], in[1].U32())
	if len(u.g) == 0 {
		return nil
	}
	u.c = in[3].Copy(0)[0] / float32(len(u.g))
	u.call.Pool.Run(u, u.w.tiles())
	return nil
}

// Tile updates one tile.
func (u *updateWeights) Tile(worker, tile int) {
	part := u.spaces.of(worker)
	x, z, sum := part.take(op.PanelRows*runColumns), part.take(op.PanelRows*runColumns), part.take(op.PanelRows*runColumns)
	bits := uint16s(part.take(op.PanelRows * runColumns))
	r, rows := u.w.runs(tile)
	for range rows {
		n, index := r.k1-r.k0, u.w.index(r)
		u.w.load(x[:n], r)
		clear(sum[:n])
		for i, g := range u.g {
			u.fillNoise(u.sampler, z[:n], u.seed, u.site, uint32(i), index)
			u.addScaled(sum[:n], sum[:n], z[:n], g)
		}
		u.addScaled(x[:n], x[:n], sum[:n], -u.c)
		if u.w.bf16 {
			noise.RoundBF16(bits[:n], x[:n], u.seed, u.site, index)
			u.w.storeBF16(bits[:n], r)
		} else {
			u.w.store(x[:n], r)
		}
		r.m++
	}
}
