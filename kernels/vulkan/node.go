package vulkan

import (
	"fmt"

	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// memory says where the tensors of a node lie on the device.
type memory interface {
	in(i int) []part
	out(i int) []part
	// scratch is working memory of the node, as long as it lives.
	scratch(bytes int64) (vk.Span, error)
}

// part is a tensor on the device, or whole rows of a weight matrix: a matrix of
// its own, in its own layout.
type part struct {
	span        vk.Span
	first, rows int // of the first axis, for matrices
}

// stage is one dispatch of a node. What it works on is fixed.
type stage struct {
	binding vk.Binding
	// extents writes the push constants for the extents of the moment and
	// returns the number of work groups; with none there is nothing to do.
	extents func(push []uint32) int
	waits   bool // for the stages before it
	push    int  // words
}

// builder makes a node's stages.
type builder struct {
	*Device
	call   *kernel.Call
	memory memory
	stages []stage
	err    error // the first
}

// add appends a stage. The first error stays in b.err.
func (b *builder) add(s shader, constants []uint32, spans []vk.Span, extents func(push []uint32) int) *stage {
	if b.err != nil {
		return &stage{}
	}
	pipeline, err := b.pipeline(s, constants...)
	if err != nil {
		b.err = err
		return &stage{}
	}
	b.stages = append(b.stages, stage{binding: vk.Binding{Pipeline: pipeline, Spans: spans}, extents: extents, push: s.push})
	return &b.stages[len(b.stages)-1]
}

// in is input i, which must be in one part; the table stands in for one that is
// left out.
func (b *builder) in(i int) vk.Span {
	if i >= len(b.call.In) {
		return b.tableSpan()
	}
	return b.whole(b.memory.in(i), b.call.Spec.Inputs[i].Name)
}

// out is output i, which must be in one part.
func (b *builder) out(i int) vk.Span { return b.whole(b.memory.out(i), "output") }

func (b *builder) whole(parts []part, what string) vk.Span {
	if len(parts) == 1 {
		return parts[0].span
	}
	b.tooLarge("%s has more than the %d bytes that a shader can address", what, b.limit)
	return b.tableSpan()
}

func (b *builder) tooLarge(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: %s: "+format, append([]any{ErrTooLarge, b.call.Spec.Name}, args...)...)
	}
}

// scratch is working memory of that many words.
func (b *builder) scratch(words int) vk.Span {
	span, err := b.memory.scratch(4 * int64(max(words, 1)))
	if err != nil {
		if b.err == nil {
			b.err = err
		}
		return b.tableSpan()
	}
	return span
}

// total is the number of elements of all copies of a tensor.
func total(t *kernel.Tensor) int { return t.Width * t.Elements() }

// weightCode is WEIGHT of weights.glsl.
func weightCode(t op.Type) uint32 {
	if t.Layout == op.Rows {
		return 0
	}
	return map[op.DType]uint32{op.F32: 1, op.BF16: 2, op.I8: 3, op.Q4: 4, op.NF4: 5}[t.DType]
}

// rowWords are the words of a row in panels.
func rowWords(t op.Type) int {
	if t.Layout == op.Rows {
		return 0
	}
	return t.Panels().Words
}

// fill writes push constants.
func fill(push []uint32, values ...int) {
	for i, v := range values {
		push[i] = uint32(v)
	}
}
