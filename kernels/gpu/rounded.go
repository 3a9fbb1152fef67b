package gpu

import (
	"cmp"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Products of an x that is rounded to 8 bits or to f16, for devices that multiply
// those faster. A stage rounds x in pairs of copies (round.comp), so that the small
// differences which training reads keep all their bits.

// Arithmetic says what a device multiplies quickly beside f32, and has kernels for.
type Arithmetic struct {
	Dot bool // four signed bytes at a time: lineardot, headdot
	// Half are matrices of f16 with sums of f32: linearmatrix, headmatrix.
	Half Matrix
	// Bytes are matrices of signed bytes: linearbytematrix, headbytematrix.
	Bytes Matrix
	// RoundFloats says that Half is for weights of bf16 and f32, too, with which
	// products are else as exact as those of f32.
	RoundFloats bool
	// Store16 keeps activations in memory as f16 (half.go). A device's Limits say so
	// where it can and the user wants it.
	Store16 bool
}

// Matrix is the product that a subgroup computes together, of M × K by K × N
// elements; the zero value is none.
type Matrix struct{ M, N, K, Subgroup int }

// multiplier is a way to multiply with a rounded x.
type multiplier struct {
	linear, head Kernel
	bytes        bool    // x is rounded to 8 bits; else to f16
	matrix       *Matrix // that the kernels are compiled for, if they are
}

// mostByteColumns is the most columns whose products of bytes, up to 127·128, add up
// to 32 bits.
const mostByteColumns = 1 << 17

// multiplierFor picks the way for weights of a type, or nil where there is none.
func (a *Arithmetic) multiplierFor(w op.Type) *multiplier {
	if w.Layout != op.Panels16 {
		return nil
	}
	coded := w.DType.Coded()
	summed := w.DType == op.I8 && w.Shape[1].Offset <= mostByteColumns // else a scale belongs to a few columns
	switch {
	case summed && a.Bytes != Matrix{}:
		return &multiplier{linear: kernelLinearByteMatrix, head: kernelHeadByteMatrix, bytes: true, matrix: &a.Bytes}
	case a.Half != Matrix{} && (coded || a.RoundFloats):
		return &multiplier{linear: kernelLinearMatrix, head: kernelHeadMatrix, matrix: &a.Half}
	case coded && a.Dot && (summed || w.DType != op.I8):
		return &multiplier{linear: kernelLinearDot, head: kernelHeadDot, bytes: true}
	}
	return nil
}

// dotNumber is the number of dot products; those of matrices are higher.
const dotNumber = 1

// number tells multipliers apart, from 1.
func (m *multiplier) number() uint32 {
	switch {
	case m.matrix == nil:
		return dotNumber
	case m.bytes:
		return 2
	}
	return 3
}

// instruction is what its kernels multiply with: the name of a Peak.
func (m *multiplier) instruction() string {
	switch {
	case m == nil:
		return floatMultiplyAdds
	case m.matrix == nil:
		return byteDots
	case m.bytes:
		return byteMatrices
	}
	return halfMatrices
}

// kinds are the rows that are rounded for each row of so many copies.
func (m *multiplier) kinds(copies int) int {
	if m.bytes {
		return (copies + 1) / 2 * 2
	}
	return copies
}

// roundedColumns divides the columns of a rounded row, which has zeros behind K.
const roundedColumns = 64

// words of a row of K columns.
func (m *multiplier) words(K int) int {
	padded := ceilDiv(K, roundedColumns) * roundedColumns
	if m.bytes {
		return padded / 4
	}
	return padded / 2
}

// mostSlots is the most kinds that one tile has rows of. Of more it has those of a
// group: kind 0 and as many pairs as fit.
const mostSlots = 8

// mostTokens, times 8, is the most tokens of a tile: an invocation has the low-rank
// product of each in a register beside the sums.
const mostTokens = 8

// shape is how a tile holds the kinds of so many copies (rounded.glsl).
type shape struct {
	slots, U, B int
	grouped     bool
}

func (b *builder) shape(m *multiplier, t Tile, copies int) shape {
	most := cmp.Or(b.options.Slots, mostSlots)
	slots, grouped := m.kinds(copies), false
	if slots > most {
		slots, grouped = (most-1)/2*2+1, true
	}
	return shape{slots, min(max(t.A/slots, 1), mostTokens), t.B, grouped}
}

func (s shape) rows() int    { return 8 * s.U }
func (s shape) columns() int { return 16 * s.B }

// groups is the number of groups of so many copies.
func (s shape) groups(copies int) int {
	if s.grouped {
		return ceilDiv(copies, s.slots-1)
	}
	return 1
}

// constants are those that the kernels of a product are compiled for.
func (m *multiplier) constants(s shape, w op.Type, bias, lora bool) []uint32 {
	list := []uint32{weightCode(w), uint32(s.slots), uint32(s.U), uint32(s.B), boolean(bias), boolean(lora), boolean(s.grouped)}
	if x := m.matrix; x != nil {
		list = append(list, uint32(x.Subgroup), uint32(x.M), uint32(x.N), uint32(x.K))
	}
	return list
}

// rounded is x as a stage has rounded it.
type rounded struct {
	codes, scales Span
}

// round rounds x [copies, N, K] for a product.
func (b *builder) round(m *multiplier, x *kernel.Tensor, input Span) rounded {
	N, K := x.Shape[0], x.Shape[1]
	rows := m.kinds(x.Width) * N
	out := rounded{b.scratch(rows * m.words(K)), b.scratch(rows)}
	b.add(kernelRound, []uint32{boolean(m.bytes)}, []Span{input, out.codes, out.scales}, func(words []uint32) int {
		fill(words, x.Width, x.Shape[0], K, m.words(K))
		return b.groups(x.Shape[0])
	}).Work = float64(total(x)) * 8
	return out
}

// widths are the numbers of copies that a tile is made for: those of x at the
// bounds, and one, which an evaluation has.
func widths(x *kernel.Tensor) []int {
	if x.Width > 1 {
		return []int{1, x.Width}
	}
	return []int{1}
}

// addRounded computes a product with a rounded x. Of the stages for one copy and for
// several those of the moment have work groups.
func (b *builder) addRounded(m *multiplier, t Tile, r rounded, p product) {
	for _, copies := range widths(p.x) {
		b.addRoundedFor(m, t, copies, r, p)
	}
}

// addRoundedFor computes it for so many copies, part by part of the weights.
func (b *builder) addRoundedFor(m *multiplier, t Tile, copies int, r rounded, p product) {
	all, perRow, K := p.weights.Shape[0], rowWords(p.weights.Type), p.weights.Shape[1]
	s := b.shape(m, t, copies)
	constants := m.constants(s, p.weights.Type, p.hasBias, p.r > 0)
	for _, part := range p.parts {
		spans := []Span{r.codes, r.scales, part.span, p.bias, p.output, p.hidden, p.loraB}
		b.add(m.linear, constants, spans, func(words []uint32) int {
			w, P, N := p.copies()
			if (w == 1) != (copies == 1) {
				return 0
			}
			fill(words, w, P, m.kinds(w), N, K, part.rows, m.words(K), perRow, part.first, all, p.r)
			return b.groups(s.groups(w) * ceilDiv(N, s.rows()) * ceilDiv(part.rows, s.columns()))
		}).Work = float64(copies) * float64(p.x.Elements()) * float64(part.rows)
	}
}

// addRoundedHead computes the SumExp of each row over the parts of the vocabulary,
// each cut into chunks; see buildCrossEntropyHead.
func (b *builder) addRoundedHead(m *multiplier, t Tile, r rounded, cut []chunks, partial, chosen Span) {
	x, w, labels, C := b.call.In[0], b.call.In[1], b.call.In[2], b.call.In[1].Shape[1]
	for _, copies := range widths(x) {
		s := b.shape(m, t, copies)
		constants := m.constants(s, w.Type, len(b.call.In) > 3, false)
		for i, p := range b.memory.in(1) {
			c := cut[i]
			b.add(m.head, constants, []Span{r.codes, r.scales, p.span, b.in(3), b.in(2), partial, chosen}, func(words []uint32) int {
				if (x.Width == 1) != (copies == 1) {
					return 0
				}
				fill(words, x.Width, m.kinds(x.Width), labels.Shape[0], C, p.rows, m.words(C), rowWords(w.Type), p.first, c.count, c.tiles, c.first)
				return b.groups(s.groups(x.Width) * ceilDiv(labels.Shape[0], s.rows()) * c.count)
			}).Work = float64(copies) * float64(x.Elements()) * float64(p.rows)
		}
	}
}
