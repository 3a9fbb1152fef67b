package gpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Ops that move weights, word by word.

// movable is a weight that is moved, or a part of it, as trainable.glsl sees it.
type movable struct {
	count       int // words of its storage
	M, K, words int
	first       int // row
}

func movableOf(t *kernel.Tensor, p part) movable {
	if t.Type.Layout == op.Panels16 {
		panels := partType(t.Type, p.rows).Panels()
		return movable{int(panels.Scales / 4), p.rows, panels.K, panels.Words, p.first}
	}
	if len(t.Shape) == 1 {
		return movable{t.Shape[0], 1, t.Shape[0], 0, 0}
	}
	return movable{p.rows * t.Shape[1], p.rows, t.Shape[1], 0, p.first}
}

func movableConstants(b *builder, t op.Type) []uint32 {
	return []uint32{uint32(b.call.Attrs.Int("sampler")), boolean(t.Layout == op.Panels16), boolean(t.DType == op.BF16)}
}

func buildPerturb(b *builder) {
	w, site := b.call.In[0], b.call.Attrs.Int("site")
	out := b.memory.out(0)
	for i, p := range b.memory.in(0) {
		m := movableOf(w, p)
		spans := []Span{p.span, b.in(1), b.in(2), b.in(3), b.table, out[i].span}
		b.add(kernelPerturb, movableConstants(b, w.Type), spans, func(words []uint32) int {
			fill(words, m.count, m.M, m.K, m.words, m.first, site)
			return b.invocations(m.count)
		})
	}
}

func buildUpdateLoRA(b *builder) {
	w, g, site := b.call.In[0], b.call.In[2], b.call.Attrs.Int("site")
	for _, p := range b.memory.in(0) {
		m := movableOf(w, p)
		spans := []Span{p.span, b.in(1), b.in(2), b.in(3), b.table}
		b.add(kernelUpdate, movableConstants(b, w.Type), spans, func(words []uint32) int {
			fill(words, m.count, m.M, m.K, m.words, m.first, site, g.Shape[0])
			if g.Shape[0] == 0 {
				return 0
			}
			return b.invocations(m.count)
		})
	}
}
