package gpu

import (
	"math"
)

// Ops that work element by element or row by row.

// The functions of elementwise.comp.
const (
	functionAdd      = 0
	functionSwiGLU   = 1
	functionGelu     = 2
	functionGeluTanh = 3
	functionRelu     = 4
)

// buildElementwise: y = f(a, b), or f(a).
func buildElementwise(function uint32) func(b *builder) {
	return func(b *builder) {
		x, y, last := b.call.In[0], b.call.Out[0], b.call.In[len(b.call.In)-1]
		f := function
		if f == functionGelu && b.call.Attrs.Int("approximate") == 1 {
			f = functionGeluTanh
		}
		b.add(kernelElementwise, []uint32{f}, []Span{b.in(0), b.in(len(b.call.In) - 1), b.out(0)}, func(words []uint32) int {
			fill(words, total(y), total(x), total(last))
			return b.invocations(total(y))
		})
	}
}

// buildNormalization: one row of scale's channels a work group.
func buildNormalization(b *builder) {
	x, scale := b.call.In[0], b.call.In[1]
	centred := len(b.call.In) > 2
	bias := b.in(len(b.call.In) - 1)
	epsilon := math.Float32bits(float32(b.call.Attrs.Float("epsilon")))
	b.add(kernelNormalize, []uint32{boolean(centred)}, []Span{b.in(0), b.in(1), bias, b.out(0)}, func(words []uint32) int {
		C := scale.Shape[0]
		if C == 0 {
			return 0
		}
		rows := total(x) / C
		fill(words, rows, C)
		words[2], words[3] = math.Float32bits(1/float32(C)), epsilon
		return b.groups(rows)
	})
}

// buildRotary: a pair an invocation.
func buildRotary(b *builder) {
	x, cos := b.call.In[0], b.call.In[2]
	heads, interleaved := b.call.Attrs.Int("num_heads"), b.call.Attrs.Int("interleaved")
	b.add(kernelRotary, nil, []Span{b.in(0), b.in(1), b.in(2), b.in(3), b.out(0)}, func(words []uint32) int {
		pairs := total(x) / 2
		fill(words, pairs, x.Shape[0], heads, cos.Shape[1], interleaved)
		return b.invocations(pairs)
	})
}

func buildSlice(b *builder) {
	x, y, start := b.call.In[0], b.call.Out[0], b.call.Attrs.Int("start")
	b.add(kernelSlice, nil, []Span{b.in(0), b.out(0)}, func(words []uint32) int {
		fill(words, total(y), x.Shape[1], start, y.Shape[1])
		return b.invocations(total(y))
	})
}

// buildGather looks rows up in each part of the table.
func buildGather(b *builder) {
	data, y := b.call.In[0], b.call.Out[0]
	for _, p := range b.memory.in(0) {
		constants := []uint32{weightCode(data.Type)}
		if b.half {
			constants = append(constants, boolean(p.half))
		}
		b.add(kernelGather, constants, []Span{p.span, b.in(1), b.out(0)}, func(words []uint32) int {
			M := p.rows
			if !data.Type.Constant() {
				M = data.Shape[0]
			}
			fill(words, total(y), y.Shape[0], y.Shape[1], M, rowWords(data.Type), p.first)
			return b.invocations(total(y))
		})
	}
}

// maxHeadChannels bounds the channels of a head: one query of them is held in
// shared memory.
const maxHeadChannels = 2048

// buildAttention: up to 8 tokens of a head a work group.
func buildAttention(b *builder) {
	q, k, v, offsets, y := b.call.In[0], b.call.In[1], b.call.In[2], b.call.In[3], b.call.Out[0]
	heads, kvHeads := b.call.Attrs.Int("num_heads"), b.call.Attrs.Int("kv_num_heads")
	D := q.Shape[1] / heads
	if D > maxHeadChannels {
		b.tooLarge("heads of %d channels, at most %d", D, maxHeadChannels)
		return
	}
	tokens := max(1, min(8, 1024/D))
	causal, scale := b.call.Attrs.Int("causal"), math.Float32bits(float32(b.call.Attrs.Float("scale")))
	b.add(kernelAttention, []uint32{uint32(tokens), uint32(D)}, []Span{b.in(0), b.in(1), b.in(2), b.in(3), b.out(0)}, func(words []uint32) int {
		N := y.Shape[0]
		fill(words, y.Width, N, offsets.Shape[0]-1, heads, kvHeads, int(boolean(q.Type.Wide)), int(boolean(k.Type.Wide)), int(boolean(v.Type.Wide)), causal)
		words[9] = scale
		return b.groups(y.Width * heads * ceilDiv(N, tokens))
	}).Work = float64(total(y)) * float64(y.Shape[0])
}
