package cpu

import (
	"math"

	"zeroth/internal/elementary"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// headTangent computes y[p, r] = Σ_c dx[p, r, c] · g[r, c], g_r being the
// gradient Σ_v softmax(l_r)[v] · W_v − W_labels[r] of CrossEntropyHead's loss:
// x [R, C], W [V, C], labels [R], dx [P, R, C], bias [V] or none → y [P, R].
//
// The gradient is found once for all copies. A tile is a block of rows and a
// group of chunks of the vocabulary: it makes the logits of one chunk after the
// other as crossEntropyHead does, turns them into exponentials less the largest
// so far, and multiplies these with the same rows of W, turned. The groups of a
// row are joined in order.
type headTangent struct {
	call    *kernel.Call
	product product // x Wᵀ + bias
	turned  product // for the widths of tiles of the gradient [R, C]
	join    joinGradient

	spaces    perWorker
	MC        int       // most rows of a block
	rowBlocks int       // of all rows
	perGroup  int       // chunks of a group
	groups    int       // of all chunks
	gradients []float32 // [groups, R, C]: Σ exp(logit − most) · W_v
	most      []float32 // [groups, R] largest logit
	sum       []float32 // [groups, R] Σ exp(logit − most)
}

// Of how many rows, all groups counted, gradients are kept before they are
// joined, where there are fewer rows than that; the most groups; and how many
// tiles are wanted, which is few, since each turns the weights that it reads.
const (
	gradientRows   = 1024
	gradientGroups = 16
	gradientTiles  = 8
)

func (r *routines) newHeadTangent(c *kernel.Call) *headTangent {
	h := &headTangent{call: c, product: product{routines: r}, turned: product{routines: r}}
	h.join.h = h
	return h
}

func (r *routines) bindHeadTangent(c *kernel.Call) (kernel.Runner, error) {
	return r.newHeadTangent(c), nil
}

func (r *routines) scratchHeadTangent(c *kernel.Call) int {
	var a arena
	r.newHeadTangent(c).layOut(&a)
	return a.bytes()
}

// gradientSpace is what one worker needs.
type gradientSpace struct {
	workspace workspace // whose parts hold W turned and the exponentials, too
	logits    []float32 // [MC, vocabChunk]
	square    []float32 // 16 columns of a panel of packed W
}

func (h *headTangent) newSpace(a *arena) gradientSpace {
	gemm := &h.product.gemm
	return gradientSpace{
		workspace: gemm.newWorkspace(a), logits: a.take(gemm.blockRows() * vocabChunk),
		square: a.take(op.PanelRows * op.PanelRows),
	}
}

// layOut reads the extents and places everything in the scratch.
func (h *headTangent) layOut(a *arena) {
	x, w := h.call.In[0], h.call.In[1]
	R, C, gemm := x.Shape[0], x.Shape[1], &h.product.gemm
	h.product.w, h.turned.w = weightsOf(w), weights{M: C}
	chunks := ceilDiv(w.Shape[0], vocabChunk)
	h.perGroup = ceilDiv(chunks, max(1, min(gradientGroups, gradientRows/max(R, 1))))
	h.groups = ceilDiv(chunks, max(h.perGroup, 1))
	h.MC = gemm.blockRows()
	for h.MC > 4*gemm.MR && ceilDiv(R, h.MC)*h.groups < gradientTiles {
		h.MC = roundUp(h.MC/2, gemm.MR)
	}
	h.rowBlocks = ceilDiv(R, h.MC)
	var counter arena
	h.newSpace(&counter)
	h.spaces = a.takePerWorker(max(counter.used, 2*roundUp(C, lineElements)), h.call.Pool.Workers())
	// Fewer rows may have more groups: room is for the most that any run has.
	kept := max(R, min(gradientGroups*R, gradientRows))
	h.gradients, h.most, h.sum = a.take(kept*C), a.take(kept), a.take(kept)
}

func (h *headTangent) Run() error {
	scratch := newArena(h.call.Scratch)
	h.layOut(&scratch)
	h.product.bias = optional(h.call, 4)
	h.call.Pool.Run(h, h.rowBlocks*h.groups)
	h.call.Pool.Run(&h.join, ceilDiv(h.call.In[0].Shape[0], joinRows))
	return nil
}

// Tile makes what one group of chunks has of the gradients of a block of rows.
func (h *headTangent) Tile(worker, tile int) {
	part := h.spaces.of(worker)
	s := h.newSpace(&part)
	w := &h.product.w
	R, C := h.call.In[0].Shape[0], w.K
	group, r0 := tile/h.rowBlocks, tile%h.rowBlocks*h.MC
	rows := min(h.MC, R-r0)
	at := group*R + r0
	gradients, most, sum := h.gradients[at*C:][:rows*C], h.most[at:][:rows], h.sum[at:][:rows]
	clear(gradients)
	clear(sum)
	fill(most, float32(math.Inf(-1)))
	x := h.call.In[0].Copy(0)[r0*C:]
	for chunk := group * h.perGroup; chunk < min((group+1)*h.perGroup, ceilDiv(w.M, vocabChunk)); chunk++ {
		c0 := chunk * vocabChunk
		c1 := min(c0+vocabChunk, w.M)
		h.product.compute(&s.workspace, &block{x: x, rows: rows, c0: c0, c1: c1, y: s.logits, ldy: vocabChunk})
		for r := range rows {
			logits := s.logits[r*vocabChunk:][:c1-c0]
			before := most[r]
			most[r] = max(before, h.product.maximum(logits))
			shift := finite(most[r])
			if factor := exp32(before - shift); factor != 1 {
				sum[r] *= factor
				scaleRow(gradients[r*C:][:C], factor)
			}
			sum[r] += h.product.expSum(logits, shift, 1)
		}
		h.multiply(&s, gradients, rows, c0, c1)
	}
}

// scaleRow: x[i] = x[i] · factor.
func scaleRow(x []float32, factor float32) {
	for i := range x {
		x[i] *= factor
	}
}

// multiply adds logits [rows, c1−c0] times rows [c0, c1) of W to the gradients.
func (h *headTangent) multiply(s *gradientSpace, gradients []float32, rows, c0, c1 int) {
	gemm, C, depth := &h.product.gemm, h.product.w.K, c1-c0
	panel := roundUp(depth, op.PanelRows) * op.PanelRows
	for r := 0; r < rows; r += gemm.MR {
		h.product.pack(s.workspace.a[r*depth:], s.logits[r*vocabChunk:], vocabChunk, rows-r, gemm.MR, depth)
	}
	for c := 0; c < C; {
		width := h.turned.width(c)
		for j := 0; j < width && c+j < C; j += op.PanelRows {
			h.turn(s, s.workspace.b[j/op.PanelRows*panel:], c0, c1, c+j)
		}
		to := gradients[c:]
		gemm.tiles(&s.workspace, depth, s.workspace.a, s.workspace.b, panel, width, &place{
			c: to, d: to, ldc: C, ldd: C, rows: rows, columns: min(width, C-c),
		})
		c += width
	}
}

// turn writes dst[(v−c0)*16+i] = W[v, k+i] for v in [c0, c1) and i < 16, k+i < K.
func (h *headTangent) turn(s *gradientSpace, dst []float32, c0, c1, k int) {
	w := &h.product.w
	n := min(op.PanelRows, w.K-k)
	if w.packed == nil && !w.panels {
		for v := c0; v < c1; v++ {
			copy(dst[(v-c0)*op.PanelRows:][:n], w.data[v*w.K+k:])
		}
		return
	}
	for v := c0; v < c1; v += op.PanelRows {
		columns := s.square
		if w.packed != nil {
			h.product.decode(columns, quant.PanelOf(w.packed, &w.shape, v/op.PanelRows), k, n)
		} else {
			columns = w.data[v*w.K+k*op.PanelRows:]
		}
		h.product.pack(dst[(v-c0)*op.PanelRows:], columns, op.PanelRows, n, op.PanelRows, op.PanelRows)
	}
}

// joinGradient is the second pass of a headTangent.
type joinGradient struct{ h *headTangent }

// Tile joins the groups of some rows and takes the products with the tangents.
func (j *joinGradient) Tile(worker, tile int) {
	h := j.h
	part := h.spaces.of(worker)
	R, C := h.call.In[0].Shape[0], h.product.w.K
	gradient, room := part.take(C), part.take(C)
	labels, dx, y := h.call.In[2].I32(), h.call.In[3], h.call.Out[0]
	for r := tile * joinRows; r < min((tile+1)*joinRows, R); r++ {
		j.gradient(gradient, r)
		h.product.w.row(room, int(labels[r]))
		h.product.addScaled(gradient, gradient, room, -1)
		for p := range y.Width {
			h.product.scaleBy(room, dx.Copy(p)[r*C:(r+1)*C], gradient, 1)
			y.Copy(p)[r] = float32(h.product.sum(room))
		}
	}
}

// gradient makes Σ_v softmax(l_r)[v] · W_v.
func (j *joinGradient) gradient(to []float32, r int) {
	h := j.h
	R, C := h.call.In[0].Shape[0], h.product.w.K
	most, total := math.Inf(-1), 0.0
	for group := range h.groups {
		most = max(most, float64(h.most[group*R+r]))
	}
	for group := range h.groups {
		total += float64(float64(h.sum[group*R+r]) * weightOf(h.most[group*R+r], most))
	}
	clear(to)
	for group := range h.groups {
		h.product.addScaled(to, to, h.gradients[(group*R+r)*C:][:C], float32(weightOf(h.most[group*R+r], most)/total))
	}
}

// weightOf is what exponentials less a group's own maximum are multiplied with to
// be less the row's.
func weightOf(own float32, most float64) float64 { return elementary.Exp(float64(finite(own)) - most) }
