package bench

import (
	"errors"
	"slices"

	"zeroth/graph"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

var errNoTokens = errors.New("the program has no method losses that looks tokens up")

// eager is the program with every activation wide from the tokens' embedding on:
// what it would do if width were not put off until LoRA makes copies differ. A
// LinearLoRA of rank 1 that is zero throughout is added to the embedding, which
// makes it wide for the price of writing it P times.
func eager(p *program.Program) (*program.Program, error) {
	m := graph.Lift(p)
	g := m.Method("losses")
	if g == nil {
		return nil, errNoTokens
	}
	at := slices.IndexFunc(g.Nodes, func(n *graph.Node) bool {
		return n.Op == op.Gather && n.In[1] == g.FindInput("tokens")
	})
	if at < 0 || g.FindInput("seed") == nil {
		return nil, errNoTokens
	}
	embedding := g.Nodes[at].Out[0]
	C := embedding.Type.Shape[1]
	column := op.Type{DType: op.F32, Shape: []op.Dim{C, op.C(1)}}
	weights := &graph.Constant{Name: "eager.zero", Type: column, Data: platform.Aligned(4 * C.Offset)}
	a := &graph.Slot{Name: "eager.A", Type: op.Type{DType: op.F32, Shape: []op.Dim{op.C(1), op.C(1)}}}
	b := &graph.Slot{Name: "eager.B", Type: column}
	m.Constants = append(m.Constants, weights)
	m.Slots = append(m.Slots, a, b)

	node := func(id op.ID, name string, attrs op.Attrs, in ...*graph.Value) *graph.Node {
		n := &graph.Node{Op: id, Name: name, Attrs: attrs, In: in}
		n.Out = []*graph.Value{{Name: name, Def: n}}
		return n
	}
	first := node(op.Slice, "eager.first", op.Attrs{op.IntAttr("start", 0), op.IntAttr("size", 1)}, embedding)
	zeros := node(op.LinearLoRA, "eager.zeros",
		op.Attrs{op.IntAttr("site", 0), op.FloatAttr("scale", 1), op.IntAttr("sampler", int(noise.Rademacher))},
		first.Out[0], weights.Value(), a.Value(), b.Value(), g.FindInput("seed"), g.FindInput("first"), g.FindInput("eps"))
	wide := node(op.Add, "eager.wide", nil, zeros.Out[0], embedding)
	for _, n := range g.Nodes {
		for i, v := range n.In {
			if v == embedding {
				n.In[i] = wide.Out[0]
			}
		}
	}
	g.Nodes = slices.Insert(g.Nodes, at+1, first, zeros, wide)
	if err := g.InferTypes(); err != nil {
		return nil, err
	}
	out, err := m.Lower()
	if err != nil {
		return nil, err
	}
	return out, program.VerifyStructure(out)
}
