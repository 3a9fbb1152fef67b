package gpu

import (
	"fmt"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// memory says where the tensors of a node lie on the device.
type memory interface {
	in(i int) []part
	out(i int) []part
	// scratch is working memory of the node, as long as it lives.
	scratch(bytes int64) Span
}

// builder makes a node's stages.
type builder struct {
	*Ops
	limits Limits
	call   *kernel.Call
	memory memory
	half   bool // the node's activations are f16
	stages []Stage
	trial  *trial // nil: tiles are not tried
	err    error  // the first
}

// build makes the stages of a call. Where there is a trial, tiles are tried that
// were not before; the same ones are used ever after.
func (o *Ops) build(c *kernel.Call, m memory, t *trial) ([]Stage, error) {
	build, ok := builders[c.Spec.ID]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNoKernel, c.Spec.Name)
	}
	b := &builder{Ops: o, limits: o.device.Limits(), call: c, memory: m, half: halfNode(c.Spec.ID, m), trial: t}
	build(b)
	return b.stages, b.err
}

// halfNode reports whether a node's activations are f16: all are what one is (halves).
func halfNode(id op.ID, m memory) bool {
	switch are := activations[id]; {
	case are.Out != 0:
		return m.out(0)[0].half
	case are.In != 0:
		return m.in(0)[0].half
	}
	return false
}

// add appends a stage.
func (b *builder) add(k Kernel, constants []uint32, spans []Span, extents func(words []uint32) int) *Stage {
	k.Half = b.half && k.hasHalf()
	b.stages = append(b.stages, Stage{Kernel: k, Constants: constants, Spans: spans, Extents: extents})
	return &b.stages[len(b.stages)-1]
}

// in is input i, which must be in one part; the table stands in for one that is
// left out.
func (b *builder) in(i int) Span {
	if i >= len(b.call.In) {
		return b.table
	}
	return b.whole(b.memory.in(i), b.call.Spec.Inputs[i].Name)
}

// out is output i, which must be in one part.
func (b *builder) out(i int) Span { return b.whole(b.memory.out(i), "output") }

func (b *builder) whole(parts []part, what string) Span {
	if len(parts) == 1 {
		return parts[0].span
	}
	b.tooLarge("%s has more than the %d bytes that a kernel can address", what, b.limits.BufferBytes)
	return b.table
}

func (b *builder) tooLarge(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: "+format, append([]any{ErrTooLarge}, args...)...)
	}
}

// scratch is working memory of that many words.
func (b *builder) scratch(words int) Span { return b.memory.scratch(4 * int64(max(words, 1))) }

// groups is the number of work groups for that many items: one each, or as many
// as the device takes at once, each of which then takes several.
func (b *builder) groups(items int) int { return min(items, b.limits.WorkGroups) }

// invocations is the number of work groups for that many invocations.
func (b *builder) invocations(n int) int { return b.groups(ceilDiv(n, Threads)) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// boolean is a constant or a parameter.
func boolean(b bool) uint32 {
	if b {
		return 1
	}
	return 0
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

// fill writes parameters.
func fill(words []uint32, values ...int) {
	for i, v := range values {
		words[i] = uint32(v)
	}
}
