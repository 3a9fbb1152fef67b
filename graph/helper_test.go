package graph_test

import (
	"testing"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// constant is a small frozen matrix or vector without data.
func constant(name string, dims ...int) *graph.Constant {
	c := &graph.Constant{Name: name, Type: op.Type{DType: op.F32}}
	for _, n := range dims {
		c.Type.Shape = append(c.Type.Shape, op.C(n))
	}
	return c
}

// small is a module of two methods over shared constants and a slot: an
// embedding, a norm, a LoRA layer with a residual, and the layer's update.
func small(t *testing.T) *graph.Module {
	t.Helper()
	m := &graph.Module{Meta: map[string]string{"arch": "small", "a": "b"}}
	table, scale, w := constant("table", 7, 4), constant("scale", 4), constant("w", 4, 4)
	m.Constants = []*graph.Constant{table, scale, w}
	a := &graph.Slot{Name: "proj.lora_A", Type: op.Type{DType: op.F32, Shape: []op.Dim{op.C(2), op.C(4)}}}
	b := &graph.Slot{Name: "proj.lora_B", Type: op.Type{DType: op.F32, Shape: []op.Dim{op.C(4), op.C(2)}}}
	m.Slots = []*graph.Slot{a, b}
	m.Sites = []*graph.Site{
		{ID: 3, Name: "proj", Module: "q", Layer: 0, Out: 4, In: 4, A: a, B: b},
		{ID: 4, Name: "bare", Module: "k", Layer: 1, Out: 4, In: 4},
	}

	g := graph.NewGraph("forward")
	tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
	seed := g.Input("seed", op.U32, op.C(2))
	first := g.Input("first", op.I32, op.C(1))
	eps := g.Input("eps", op.F32, op.C(1))
	x := g.Apply(op.Gather, "embedding", nil, table.Value(), tokens)
	h := g.Apply(op.RMSNormalization, "norm", op.Attrs{op.FloatAttr("epsilon", 1e-5)}, x, scale.Value())
	y := g.Apply(op.LinearLoRA, "proj", op.Attrs{op.IntAttr("site", 3), op.FloatAttr("scale", 2), op.IntAttr("sampler", 1)},
		h, w.Value(), a.Value(), b.Value(), seed, first, eps)
	g.Output("y", g.Apply(op.Add, "residual", nil, x, y))

	u := graph.NewGraph("update")
	uSeed := u.Input("seed", op.U32, op.C(2))
	u.Apply(op.UpdateLoRA, "proj", op.Attrs{op.IntAttr("site", 3), op.IntAttr("sampler", 1)},
		b.Value(), uSeed, u.Input("g", op.F32, op.S(op.Queries, 0)), u.Input("lr", op.F32, op.C(1)))
	m.Methods = []*graph.Graph{g, u}
	for _, g := range m.Methods {
		if err := g.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return m
}
