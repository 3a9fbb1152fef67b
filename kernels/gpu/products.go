package gpu

import (
	"math"

	"zeroth/runtime/kernel"
)

// Ops that multiply with a weight matrix.

// product is one use of linear.comp: y = scale · x Wᵀ + bias + low-rank part.
type product struct {
	x, y    *kernel.Tensor
	weights *kernel.Tensor
	parts   []part // of the weights
	input   Span
	output  Span
	bias    Span
	hidden  Span
	loraB   Span
	hasBias bool
	r       int // rank of the low-rank part, or 0
	scale   float64
	// working says that y is working memory, which stays f32 and for which x is not
	// rounded.
	working bool
	// copies gives w and P of y for the extents of the moment, N the rows of one.
	copies func() (w, P, N int)
}

// addProduct computes a product part by part of the weights.
func (b *builder) addProduct(p product) {
	m := b.multiplier(p.weights.Type, p.parts)
	if m == nil || p.working {
		b.addProductIn(b.tile(nil, p.weights, p.x), p)
		return
	}
	b.addRounded(m, b.tile(m, p.weights, p.x), b.round(m, p.x, p.input), p)
}

// addProductIn computes a product in tiles of that size.
func (b *builder) addProductIn(t Tile, p product) {
	constants := []uint32{weightCode(p.weights.Type), uint32(t.A), uint32(t.B), boolean(p.hasBias), boolean(p.r > 0)}
	if b.half {
		constants = append(constants, boolean(p.working))
	}
	all, perRow := p.weights.Shape[0], rowWords(p.weights.Type)
	for _, part := range p.parts {
		spans := []Span{p.input, part.span, p.bias, p.output, p.hidden, p.loraB}
		b.add(kernelLinear, constants, spans, func(words []uint32) int {
			w, P, N := p.copies()
			if p.r == 0 { // the copies of x are one matrix
				w, P, N = 1, 1, w*N
			}
			fill(words, w, P, N, p.weights.Shape[1], part.rows, perRow, part.first, all, p.r)
			words[9] = math.Float32bits(float32(p.scale))
			return b.groups(w * ceilDiv(N, t.rows()) * ceilDiv(part.rows, t.columns()))
		}).Work = float64(total(p.x)) * float64(part.rows)
	}
}

func buildLinear(b *builder) {
	x, y := b.call.In[0], b.call.Out[0]
	b.addProduct(product{
		x: x, y: y, weights: b.call.In[1], parts: b.memory.in(1),
		input: b.in(0), output: b.out(0), bias: b.in(2), hasBias: len(b.call.In) > 2, hidden: b.table, loraB: b.table, scale: 1,
		copies: func() (w, P, N int) { return x.Width, x.Width, x.Shape[0] },
	})
}

// buildLinearLoRA: scale · x Aᵀ and the copies of B + σεz first, then the
// product, to which each copy adds its own.
func buildLinearLoRA(b *builder) {
	call := b.call
	x, A, B, y := call.In[0], call.In[2], call.In[3], call.Out[0]
	r := B.Shape[1]
	hidden, perturbed := b.scratch(x.Width*x.Shape[0]*r), b.scratch(y.Width*B.Elements())
	b.addProduct(product{
		x: x, weights: A, parts: b.memory.in(2),
		input: b.in(0), output: hidden, bias: b.table, hidden: b.table, loraB: b.table, scale: call.Attrs.Float("scale"), working: true,
		copies: func() (w, P, N int) { return x.Width, x.Width, x.Shape[0] },
	})
	site := call.Attrs.Int("site")
	b.add(kernelAdapt, []uint32{uint32(call.Attrs.Int("sampler"))},
		[]Span{b.in(3), b.in(4), b.in(5), b.in(6), b.table, perturbed}, func(words []uint32) int {
			fill(words, y.Width, B.Elements(), site)
			return b.invocations(y.Width * B.Elements())
		})
	b.addProduct(product{
		x: x, y: y, weights: call.In[1], parts: b.memory.in(1),
		input: b.in(0), output: b.out(0), bias: b.in(7), hasBias: len(call.In) > 7, hidden: hidden, loraB: perturbed, r: r, scale: 1,
		copies: func() (w, P, N int) { return x.Width, y.Width, x.Shape[0] },
	})
}

// maxChunks bounds the chunks into which a part of the vocabulary is cut.
const maxChunks = 64

// chunks are those of a part of the vocabulary: the first of them and their count,
// and the tiles that one has.
type chunks struct{ first, count, tiles int }

// cutVocabulary cuts the parts of the vocabulary into chunks of tiles of so many
// tokens, and counts them.
func cutVocabulary(parts []part, columns int) (list []chunks, count int) {
	for _, p := range parts {
		tiles := ceilDiv(p.rows, columns)
		perChunk := max(ceilDiv(tiles, maxChunks), 1)
		list = append(list, chunks{count, ceilDiv(tiles, perChunk), perChunk})
		count += ceilDiv(tiles, perChunk)
	}
	return list, count
}

// mostHeadElements is the most elements of a tile that an invocation of the head's
// kernels has: a sum of exponentials for each takes compilers minutes.
const mostHeadElements = 32

// headTile is tile, unless the head's kernels would have too many elements with it.
func (b *builder) headTile(m *multiplier, w, x *kernel.Tensor) Tile {
	t := b.tile(m, w, x)
	elements := t.A * t.B
	if m != nil {
		for _, copies := range widths(x) {
			s := b.shape(m, t, copies)
			elements = max(elements, s.slots*s.U*s.B)
		}
	}
	if elements > mostHeadElements {
		return usualTile(x.Width * x.Shape[0])
	}
	return t
}

// buildCrossEntropyHead: head.comp for each part of the vocabulary, headsum.comp
// to join what it leaves.
func buildCrossEntropyHead(b *builder) {
	x, w, labels := b.call.In[0], b.call.In[1], b.call.In[2]
	parts, C := b.memory.in(1), w.Shape[1]
	m := b.multiplier(w.Type, parts)
	t := b.headTile(m, w, x)
	cut, count := cutVocabulary(parts, t.columns())
	bound := x.Width * x.Shape[0]
	partial, chosen := b.scratch(2*count*bound), b.scratch(bound)
	if m != nil {
		b.addRoundedHead(m, t, b.round(m, x, b.in(0)), cut, partial, chosen)
	} else {
		constants := []uint32{weightCode(w.Type), uint32(t.A), uint32(t.B), boolean(len(b.call.In) > 3)}
		for i, p := range parts {
			c := cut[i]
			b.add(kernelHead, constants, []Span{b.in(0), p.span, b.in(3), b.in(2), partial, chosen}, func(words []uint32) int {
				rows := x.Width * x.Shape[0]
				fill(words, rows, labels.Shape[0], C, p.rows, rowWords(w.Type), p.first, c.count, c.tiles, c.first)
				return b.groups(ceilDiv(rows, t.rows()) * c.count)
			}).Work = float64(total(x)) * float64(p.rows)
		}
	}
	b.add(kernelHeadSum, nil, []Span{partial, chosen, b.out(0)}, func(words []uint32) int {
		rows := x.Width * x.Shape[0]
		fill(words, rows, count)
		return b.invocations(rows)
	})
}
