package cpu

import (
	"unsafe"

	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// trainable cuts a weight that is moved as a whole, a vector or a matrix in rows
// or panels, into tiles whose values lie one behind the other: some columns of a
// panel, or a run of elements.
type trainable struct {
	data    []byte
	bf16    bool
	panels  bool
	M, K    int // in rows: 1 and all elements
	words   int // of a row of a panel
	columns int // of a tile
	blocks  int // tiles of one panel, or of all rows
}

// panelColumns is the largest number of columns in a tile of a panel: 16 rows of
// float32 take 8 KiB.
const panelColumns = 128

// tileElements is the largest number of values in a tile.
const tileElements = op.PanelRows * panelColumns

func trainableOf(t *kernel.Tensor) trainable {
	w := trainable{data: t.Data, M: 1, K: t.Elements(), columns: tileElements}
	if t.Type.Layout == op.Panels16 {
		p := t.Type.Panels()
		w.panels, w.bf16 = true, p.DType == op.BF16
		w.M, w.K, w.words, w.columns = p.M, p.K, p.Words, panelColumns
	}
	w.blocks = ceilDiv(w.K, w.columns)
	return w
}

// tiles is the number of tiles.
func (w *trainable) tiles() int { return ceilDiv(w.M, op.PanelRows) * w.blocks }

// region is a tile: rows m … m + rows − 1, columns [k0, k1).
type region struct{ m, rows, k0, k1 int }

func (w *trainable) region(tile int) region {
	b := region{rows: 1, k0: tile % w.blocks * w.columns}
	b.k1 = min(b.k0+w.columns, w.K)
	if w.panels {
		b.m = tile / w.blocks * op.PanelRows
		b.rows = min(op.PanelRows, w.M-b.m)
	}
	return b
}

// width is the number of columns of a tile as it is stored: in words of two
// bfloat16 an odd one has a column of padding.
func (w *trainable) width(b region) int {
	if w.bf16 {
		return roundUp(b.k1-b.k0, 2)
	}
	return b.k1 - b.k0
}

// storage is where a tile's values lie: in rows [columns], in panels
// [columns, 16], of bfloat16 [columns/2, 16, 2].
func (w *trainable) storage(b region) []byte {
	if !w.panels {
		return w.data[b.k0*4 : b.k1*4]
	}
	word, words := b.k0, b.k1-b.k0
	if w.bf16 {
		word, words = word/2, ceilDiv(words, 2)
	}
	const each = op.PanelRows * 4
	return w.data[(b.m/op.PanelRows*w.words+word)*each:][:words*each]
}

// padded reports whether part of a tile stands for no element.
func (w *trainable) padded(b region) bool {
	return w.panels && (b.rows < op.PanelRows || w.width(b) > b.k1-b.k0)
}

// clearPadding zeroes what of a tile stands for no element: the rows past M and
// the column past an odd K.
func (w *trainable) clearPadding(b region) {
	if !w.padded(b) {
		return
	}
	const each = op.PanelRows * 4
	data := w.storage(b)
	for at := 0; at < len(data); at += each {
		clear(data[at+b.rows*4 : at+each])
	}
	if w.width(b) > b.k1-b.k0 {
		for last := data[len(data)-each:]; len(last) > 0; last = last[4:] {
			last[2], last[3] = 0, 0
		}
	}
}

// inOrder brings noise, row by row of a tile [rows, width], into the order of its
// values. dst has room for tileElements and packSlack, z for tileElements.
func (r *routines) inOrder(w *trainable, b region, dst, z []float32) []float32 {
	n := w.width(b)
	if !w.panels {
		return z[:n]
	}
	clear(z[b.rows*n : op.PanelRows*n])
	r.pack(dst, z[:op.PanelRows*n], n, op.PanelRows, op.PanelRows, n)
	return dst[:op.PanelRows*n]
}

// eachRow calls fill for each row of a tile: with its part of z [rows, width],
// padding not counted, and the row-major index of its first element.
func (w *trainable) eachRow(b region, z []float32, fill func(z []float32, index uint32)) {
	n := w.width(b)
	for i := range b.rows {
		row := z[i*n : (i+1)*n]
		clear(row[b.k1-b.k0:])
		fill(row[:b.k1-b.k0], uint32(uint64(b.m+i)*uint64(w.K)+uint64(b.k0)))
	}
}

// moved computes x + factor·z over a tile's values in float32: from w to y where
// that is f32, else to x, which is returned.
func (r *routines) moved(w, y *trainable, b region, x, z []float32, factor float32) []float32 {
	from, to := floats(w.storage(b)), floats(y.storage(b))
	if w.bf16 {
		from, to = x[:len(z)], x[:len(z)]
		r.widenBrains(from, w.storage(b))
	}
	r.addScaled(to, from, z, factor)
	return to
}

// floats views bytes that hold float32.
func floats(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// words32 views float32 as 32-bit words.
func words32(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// trainableSpace is the elements that a worker needs: of a tile its values, its
// noise by rows and in order.
const trainableSpace = 3*tileElements + packSlack

func (r *routines) scratchTrainable(c *kernel.Call) int {
	var a arena
	a.takePerWorker(trainableSpace, c.Pool.Workers())
	return a.bytes()
}

// tiled is what the kernels share that go over weights tile by tile, with noise.
type tiled struct {
	*routines
	call    *kernel.Call
	site    uint32
	sampler noise.Sampler
	spaces  perWorker
	w       trainable
	seed    [2]uint32
}

func (r *routines) newTiled(c *kernel.Call) tiled {
	return tiled{routines: r, call: c, site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler"))}
}

// begin reads the extents of W, input 0, and the seed, input 1.
func (t *tiled) begin() {
	scratch := newArena(t.call.Scratch)
	t.spaces = scratch.takePerWorker(trainableSpace, t.call.Pool.Workers())
	t.w = trainableOf(t.call.In[0])
	copy(t.seed[:], t.call.In[1].U32())
}

// buffers are a worker's: of a tile's values, of its noise by rows, and of that in
// the order of the values.
func (t *tiled) buffers(worker int) (x, byRows, ordered []float32) {
	part := t.spaces.of(worker)
	return part.take(tileElements), part.take(tileElements), part.take(tileElements + packSlack)
}

// perturb computes y = W + σεz for one copy, tile by tile: the product and the
// sum are rounded to float32, then to W's type.
type perturb struct {
	tiled
	y     trainable
	query uint32
	eps   float32
}

func (r *routines) bindPerturb(c *kernel.Call) (kernel.Runner, error) {
	return &perturb{tiled: r.newTiled(c)}, nil
}

func (p *perturb) Run() error {
	in, y := p.call.In, p.call.Out[0]
	p.begin()
	p.y = trainableOf(y)
	query, sigma := noise.Copy(in[2].I32()[0], 0)
	p.query, p.eps = query, in[3].Copy(0)[0]*float32(sigma)
	if p.eps == 0 {
		copy(y.Data, in[0].Data)
		return nil
	}
	p.call.Pool.Run(p, p.w.tiles())
	return nil
}

// Tile perturbs one tile.
func (p *perturb) Tile(worker, tile int) {
	x, byRows, ordered := p.buffers(worker)
	b := p.w.region(tile)
	p.w.eachRow(b, byRows, func(z []float32, index uint32) {
		p.fillNoise(p.sampler, z, p.seed, p.site, p.query, index)
	})
	z := p.inOrder(&p.w, b, ordered, byRows)
	x = p.moved(&p.w, &p.y, b, x, z, p.eps)
	if p.y.bf16 {
		p.narrowBrains(p.y.storage(b), x)
	}
	p.y.clearPadding(b)
}

// updateWeights is updateLoRA for panels and bf16, tile by tile.
type updateWeights struct {
	tiled
	g []float32
	c float32
}

func (r *routines) bindUpdateWeights(c *kernel.Call) (kernel.Runner, error) {
	return &updateWeights{tiled: r.newTiled(c)}, nil
}

func (u *updateWeights) Run() error {
	in := u.call.In
	u.begin()
	u.g = in[2].Copy(0)
	if len(u.g) == 0 {
		return nil
	}
	u.c = in[3].Copy(0)[0] / float32(len(u.g))
	u.call.Pool.Run(u, u.w.tiles())
	return nil
}

// Tile updates one tile.
func (u *updateWeights) Tile(worker, tile int) {
	x, byRows, ordered := u.buffers(worker)
	b := u.w.region(tile)
	u.w.eachRow(b, byRows, func(sum []float32, index uint32) {
		z := ordered[:len(sum)]
		clear(sum)
		for i, g := range u.g {
			u.fillNoise(u.sampler, z, u.seed, u.site, uint32(i), index)
			u.addScaled(sum, sum, z, g)
		}
	})
	x = u.moved(&u.w, &u.w, b, x, u.inOrder(&u.w, b, ordered, byRows), -u.c)
	if u.w.bf16 {
		u.w.eachRow(b, byRows, func(d []float32, index uint32) {
			u.dither(words32(d), u.seed, u.site, index)
		})
		u.ditherBrains(u.w.storage(b), x, words32(u.inOrder(&u.w, b, ordered, byRows)))
	}
	u.w.clearPadding(b)
}
