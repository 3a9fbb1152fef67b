package bench

import (
	"fmt"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// work is what a node does in one run.
type work struct {
	shape string  // of its first input and its output, copies first: "8×256×2048 → 8×256×5632 i8"
	ops   float64 // of matrix products and attention, a multiply-add being two; 0 for others
	bytes float64 // of its inputs and outputs, each counted once
}

// workOf finds what node n of a method does at the extents e. offsets say where
// the sequences begin, half are the operands that are kept as f16.
func workOf(m *program.Method, n *program.Node, e op.Extents, offsets []int32, half kernel.Operands) (work, error) {
	var w work
	in, out := types(m, n.In), types(m, n.Out)
	for i, t := range append(append([]op.Type(nil), in...), out...) {
		size, err := t.Bytes(e)
		if err != nil {
			return w, err
		}
		if inHalf(half, i, len(in), t) {
			size /= 2
		}
		// Of a table, rows are looked up: as many as are written.
		if lookup := n.Op == op.Gather && i == 0 || n.Op == op.RotaryEmbedding && (i == 2 || i == 3); !lookup {
			w.bytes += float64(size)
		}
	}
	x := in[0]
	rows := copies(x, e)
	if len(x.Shape) > 0 {
		rows *= float64(e.Of(x.Shape[0]))
	}
	switch n.Op {
	case op.Gather:
		w.bytes *= 2
	case op.UpdateLoRA:
		w.bytes *= 2 // B is read and written
	case op.Linear, op.CrossEntropyHead:
		w.ops = 2 * rows * elements(in[1], e)
	case op.LinearLoRA:
		rank := float64(e.Of(in[2].Shape[0]))
		M := float64(e.Of(in[1].Shape[0]))
		wideRows := float64(e.Width) * float64(e.Of(x.Shape[0]))
		w.ops = 2 * (rows*(elements(in[1], e)+elements(in[2], e)) + wideRows*M*rank)
	case op.Attention:
		pairs := 0.0
		for i := range len(offsets) - 1 {
			length := float64(offsets[i+1] - offsets[i])
			if n.Attrs.Int("causal") == 1 {
				pairs += length * (length + 1) / 2
			} else {
				pairs += length * length
			}
		}
		w.ops = 4 * copies(out[0], e) * pairs * float64(e.Of(x.Shape[1]))
	}
	w.shape = shapeText(n, in, out, e)
	return w, nil
}

// inHalf reports whether operand i of a node with so many inputs, behind which the
// outputs follow, is kept as f16.
func inHalf(half kernel.Operands, i, inputs int, t op.Type) bool {
	if i >= inputs {
		return kernel.KeepsHalf(half.Out, i-inputs, t)
	}
	return kernel.KeepsHalf(half.In, i, t)
}

func types(m *program.Method, values []int) []op.Type {
	list := make([]op.Type, len(values))
	for i, v := range values {
		list[i] = m.Values[v].Type
	}
	return list
}

// copies is P for a wide value, else 1.
func copies(t op.Type, e op.Extents) float64 {
	if t.Wide {
		return float64(e.Width)
	}
	return 1
}

// elements is the number of elements of one copy.
func elements(t op.Type, e op.Extents) float64 {
	n := 1.0
	for _, d := range t.Shape {
		n *= float64(e.Of(d))
	}
	return n
}

// shapeText prints the shapes, and the type of a product's weights.
func shapeText(n *program.Node, in, out []op.Type, e op.Extents) string {
	text := func(t op.Type) string {
		fields := []string{fmt.Sprint(copies(t, e))}
		for _, d := range t.Shape {
			fields = append(fields, fmt.Sprint(e.Of(d)))
		}
		return strings.Join(fields, "×")
	}
	s := text(in[0])
	if len(out) > 0 && text(out[0]) != s {
		s += " → " + text(out[0])
	}
	if n.Op == op.Linear || n.Op == op.LinearLoRA || n.Op == op.CrossEntropyHead {
		s += " " + in[1].DType.String()
	}
	return s
}
