package cpu

import (
	"math"

	"zeroth/internal/elementary"
	"zeroth/runtime/kernel"
)

// crossEntropyHead computes y[r] = logsumexp(l_r) − l_r[labels[r]] of logits
// l_r = x_r Wᵀ + bias: x [w·R, C], W [V, C], labels [R], bias [V] or none →
// y [w·R]. The vocabulary is cut into chunks;
// a tile computes the logits of some rows and one chunk in the worker's own
// scratch and leaves only their maximum and the sum of their exponentials. The
// chunks of a row are then joined in order.
type crossEntropyHead struct {
	call    *kernel.Call
	product product
	join    joinChunks
	packed  packedRows

	spaces perWorker
	x, y   []float32
	most   []float32 // [w·R, chunks] largest logit
	sum    []float32 // [w·R, chunks] Σ exp(logit − most)
	gold   []float32 // [w·R] the label's logit
	labels []int32
	tiling tiling
}

// joinChunks is the second pass of a crossEntropyHead.
type joinChunks struct{ h *crossEntropyHead }

// vocabChunk is the number of logits of a row that exist at a time.
const vocabChunk = 256

// joinRows is the number of rows in one tile of the second pass.
const joinRows = 64

func (r *routines) bindCrossEntropyHead(c *kernel.Call) (kernel.Runner, error) {
	h := &crossEntropyHead{call: c, product: product{routines: r}}
	h.join.h, h.packed.product = h, &h.product
	return h, nil
}

func (r *routines) scratchCrossEntropyHead(c *kernel.Call) int {
	h := &crossEntropyHead{call: c, product: product{routines: r}}
	h.packed.product = &h.product
	var a arena
	h.layOut(&a)
	return a.bytes()
}

func (h *crossEntropyHead) layOut(a *arena) {
	x, w := h.call.In[0], h.call.In[1]
	gemm := &h.product.gemm
	h.product.w = weightsOf(w)
	rows := x.Width * x.Shape[0]
	h.tiling = tiling{MC: gemm.blockRows(), NC: vocabChunk, rows: rows, columns: w.Shape[0]}
	for h.tiling.MC > 4*gemm.MR && ceilDiv(rows, h.tiling.MC)*ceilDiv(w.Shape[0], vocabChunk) < wantTiles {
		h.tiling.MC = roundUp(h.tiling.MC/2, gemm.MR)
	}
	h.tiling.rowBlocks, h.tiling.columnBlocks = ceilDiv(rows, h.tiling.MC), ceilDiv(w.Shape[0], vocabChunk)
	h.spaces = a.takePerWorker(gemm.workspaceSize()+gemm.blockRows()*vocabChunk, h.call.Pool.Workers())
	h.packed.layOut(a, 1, rows)
	h.layOutSums(a)
}

// layOutSums places what is kept of each row and chunk.
func (h *crossEntropyHead) layOutSums(a *arena) {
	x, w := h.call.In[0], h.call.In[1]
	rows := x.Width * x.Shape[0]
	h.tiling.rows, h.tiling.columnBlocks = rows, ceilDiv(w.Shape[0], vocabChunk)
	h.most = a.take(rows * h.tiling.columnBlocks)
	h.sum = a.take(rows * h.tiling.columnBlocks)
	h.gold = a.take(rows)
}

// setOperands takes the tensors of the call.
func (h *crossEntropyHead) setOperands() {
	in := h.call.In
	h.product.bias = optional(h.call, 3)
	h.x, h.labels, h.y = in[0].F32(), in[2].I32(), h.call.Out[0].F32()
}

func (h *crossEntropyHead) Run() error {
	scratch := newArena(h.call.Scratch)
	h.layOut(&scratch)
	h.setOperands()
	h.packed.run(h.call.Pool, h.x, &h.tiling, 1)
	h.call.Pool.Run(h, h.tiling.tiles())
	h.call.Pool.Run(&h.join, ceilDiv(h.tiling.rows, joinRows))
	return nil
}

// Tile computes the logits of one block of rows and one chunk.
func (h *crossEntropyHead) Tile(worker, tile int) {
	part := h.spaces.of(worker)
	gemm := &h.product.gemm
	space := gemm.newWorkspace(&part)
	logits := part.take(gemm.blockRows() * vocabChunk)
	r0, r1, c0, c1 := h.tiling.span(tile)
	h.product.compute(&space, &block{
		x: h.x[r0*h.product.w.K:], packed: h.packed.of(0, r0), rows: r1 - r0, c0: c0, c1: c1, y: logits, ldy: vocabChunk,
	})
	for r := r0; r < r1; r++ {
		h.reduce(r, c0, logits[(r-r0)*vocabChunk:][:c1-c0])
	}
}

// reduce takes what is wanted of row r's logits from column c0 on, and
// overwrites them.
func (h *crossEntropyHead) reduce(r, c0 int, logits []float32) {
	at := r*h.tiling.columnBlocks + c0/vocabChunk
	if label := int(h.labels[r%len(h.labels)]) - c0; label >= 0 && label < len(logits) {
		h.gold[r] = logits[label]
	}
	most := h.product.maximum(logits)
	h.most[at] = most
	h.sum[at] = h.product.expSum(logits, finite(most), 1)
}

// finite replaces −Inf, the maximum of a chunk without a finite logit, by 0, so
// that such a chunk sums to 0, or to NaN where it holds NaN.
func finite(most float32) float32 {
	if math.IsInf(float64(most), -1) {
		return 0
	}
	return most
}

// Tile joins the chunks of some rows.
func (j *joinChunks) Tile(_, tile int) {
	h := j.h
	chunks := h.tiling.columnBlocks
	for r := tile * joinRows; r < min((tile+1)*joinRows, h.tiling.rows); r++ {
		chunkMost, chunkSum := h.most[r*chunks:(r+1)*chunks], h.sum[r*chunks:(r+1)*chunks]
		most := math.Inf(-1)
		for _, m := range chunkMost {
			most = max(most, float64(m))
		}
		sum := 0.0
		for i, s := range chunkSum {
			sum += float64(float64(s) * elementary.Exp(float64(finite(chunkMost[i]))-most))
		}
		h.y[r] = float32(most + elementary.Log(sum) - float64(h.gold[r]))
	}
}
