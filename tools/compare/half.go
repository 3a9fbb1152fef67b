package compare

import (
	"slices"

	"zeroth/internal/half"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// A backend that keeps activations as f16 rounds what it is given and what it gives.
// A node alone is judged by what the reference makes of the same rounded inputs,
// rounded: so what is left is what two f32 computations differ by, and for few
// elements one step of f16, where they lie to either side of a middle.

// keepsHalf reports whether value v of a type, which is all or some of a node's
// operands, is f16: those of the set are.
func keepsHalf(t op.Type, operands []int, v int, set uint32) bool {
	for i, operand := range operands {
		if operand == v && set>>i&1 == 0 {
			return false
		}
	}
	return t.DType == op.F32 && t.Layout == op.Rows
}

func roundToHalf(values []float32) {
	for i, v := range values {
		values[i] = half.Round(v)
	}
}

// halfOf are the operands of an op that are f16.
func (w *Work) halfOf(id op.ID) kernel.Operands {
	if w.Half == nil {
		return kernel.Operands{}
	}
	return w.Half(id)
}

// inHalf is a copy of a value, rounded where it is f16.
func inHalf(t *kernel.Tensor, is bool) *kernel.Tensor {
	copied := *t
	copied.Shape, copied.Data = slices.Clone(t.Shape), slices.Clone(t.Data)
	if is {
		roundToHalf(copied.F32())
	}
	return &copied
}

// Halves reports whether a backend keeps values of any node as f16.
func Halves(nodes []Node) bool {
	return slices.ContainsFunc(nodes, func(n Node) bool { return n.Half })
}
