package pass_test

import (
	"slices"
	"testing"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/runtime/op"
)

func frozen(name string, dims ...int) *graph.Constant {
	c := &graph.Constant{Name: name, Type: op.Type{DType: op.F32}}
	for _, n := range dims {
		c.Type.Shape = append(c.Type.Shape, op.C(n))
	}
	return c
}

func names(g *graph.Graph) []string {
	var list []string
	for _, n := range g.Nodes {
		list = append(list, n.Name)
	}
	return list
}

func TestRemoveDead(t *testing.T) {
	used, unused, slot := frozen("used", 9, 4), frozen("unused", 4), &graph.Slot{Name: "b", Type: frozen("", 4, 2).Type}
	g := graph.NewGraph("forward")
	tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
	g.Input("nobody", op.I32, op.S(op.Tokens, 0))
	only := g.Input("only dead", op.I32, op.S(op.Tokens, 0))
	x := g.Apply(op.Gather, "x", nil, used.Value(), tokens)
	dead := g.Apply(op.Gather, "dead 1", nil, used.Value(), only)
	g.Apply(op.RMSNormalization, "dead 2", op.Attrs{op.FloatAttr("epsilon", 0)}, dead, unused.Value())
	y := g.Apply(op.Add, "y", nil, x, x)
	g.Apply(op.Add, "dead 3", nil, y, dead)
	g.Output("y", y)
	u := graph.NewGraph("update")
	u.Apply(op.UpdateLoRA, "b", op.Attrs{op.IntAttr("site", 0), op.IntAttr("sampler", 1)},
		slot.Value(), u.Input("seed", op.U32, op.C(2)), u.Input("g", op.F32, op.S(op.Queries, 0)), u.Input("lr", op.F32, op.C(1)))
	if g.Err() != nil || u.Err() != nil {
		t.Fatal(g.Err(), u.Err())
	}
	m := &graph.Module{Constants: []*graph.Constant{unused, used}, Slots: []*graph.Slot{slot}, Methods: []*graph.Graph{g, u}}
	pass.RemoveDead(m)
	if got := names(g); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("nodes %v are left", got)
	}
	if got := names(u); !slices.Equal(got, []string{"b"}) {
		t.Errorf("nodes %v of update are left", got)
	}
	if len(g.Inputs) != 1 || g.Inputs[0] != tokens || len(u.Inputs) != 3 {
		t.Errorf("%d and %d inputs are left", len(g.Inputs), len(u.Inputs))
	}
	if len(m.Constants) != 1 || m.Constants[0] != used {
		t.Errorf("%d constants are left", len(m.Constants))
	}
}

// gathered is a chain x → norm → add(x, ·) → gather, with what of it is also
// an output.
func gathered(t *testing.T, outputs ...string) *graph.Module {
	t.Helper()
	table, scale := frozen("table", 9, 4), frozen("scale", 4)
	g := graph.NewGraph("forward")
	tokens, rows := g.Input("tokens", op.I32, op.S(op.Tokens, 0)), g.Input("rows", op.I32, op.S(op.LossRows, 0))
	values := make(map[string]*graph.Value)
	values["x"] = g.Apply(op.Gather, "x", nil, table.Value(), tokens)
	values["norm"] = g.Apply(op.RMSNormalization, "norm", op.Attrs{op.FloatAttr("epsilon", 0)}, values["x"], scale.Value())
	values["sum"] = g.Apply(op.Add, "sum", nil, values["x"], values["norm"])
	for _, name := range outputs {
		g.Output(name, values[name])
	}
	g.Output("picked", g.Apply(op.Gather, "picked", nil, values["sum"], rows))
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	return &graph.Module{Meta: map[string]string{}, Constants: []*graph.Constant{table, scale}, Methods: []*graph.Graph{g}}
}

func TestHoistGathers(t *testing.T) {
	for _, c := range []struct {
		outputs, nodes []string
	}{
		// x is read twice, but its rows are gathered once.
		{nil, []string{"x", "x.rows", "norm", "sum"}},
		// What is an output as a whole stays whole, and with it what it needs.
		{[]string{"sum"}, []string{"x", "norm", "sum", "picked"}},
		{[]string{"norm"}, []string{"x", "norm", "x.rows", "norm.rows", "sum"}},
		{[]string{"x"}, []string{"x", "x.rows", "norm", "sum"}},
	} {
		m := gathered(t, c.outputs...)
		if err := pass.HoistGathers(m); err != nil {
			t.Fatal(err)
		}
		g := m.Methods[0]
		got := names(g)
		slices.Sort(got)
		want := slices.Sorted(slices.Values(c.nodes))
		if !slices.Equal(got, want) {
			t.Errorf("outputs %v: nodes %v, want %v", c.outputs, got, want)
		}
		listing(t, m) // lowered, so in a right order, and verified
		for _, v := range g.Outputs {
			rows := op.S(op.Tokens, 0)
			if v.Name == "picked" {
				rows = op.S(op.LossRows, 0)
			}
			if v.Type.Shape[0] != rows {
				t.Errorf("outputs %v: %s is %s", c.outputs, v.Name, v.Type)
			}
		}
		again := listing(t, m)
		if err := pass.HoistGathers(m); err != nil {
			t.Fatal(err)
		}
		if listing(t, m) != again {
			t.Errorf("outputs %v: a second pass changes more", c.outputs)
		}
	}
}

// The same value gathered by two nodes for different rows: both are kept.
func TestHoistGathersOfDifferentRows(t *testing.T) {
	table, scale := frozen("table", 9, 4), frozen("scale", 4)
	g := graph.NewGraph("forward")
	tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
	rows, others := g.Input("rows", op.I32, op.S(op.LossRows, 0)), g.Input("others", op.I32, op.S(op.Examples, 0))
	x := g.Apply(op.Gather, "x", nil, table.Value(), tokens)
	y := g.Apply(op.RMSNormalization, "norm", op.Attrs{op.FloatAttr("epsilon", 0)}, x, scale.Value())
	g.Output("a", g.Apply(op.Gather, "a", nil, y, rows))
	g.Output("b", g.Apply(op.Gather, "b", nil, y, others))
	m := &graph.Module{Constants: []*graph.Constant{table, scale}, Methods: []*graph.Graph{g}}
	if err := pass.HoistGathers(m); err != nil {
		t.Fatal(err)
	}
	listing(t, m)
	if got := names(g); !slices.Equal(got, []string{"x", "norm", "a", "b"}) {
		t.Errorf("nodes %v", got)
	}
}

// One value whose rows are wanted by two gathers, each through a node of its
// own: the new gathers have different names.
func TestHoistGathersNamesThemApart(t *testing.T) {
	table, scale := frozen("table", 9, 4), frozen("scale", 4)
	g := graph.NewGraph("forward")
	tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
	rows, others := g.Input("rows", op.I32, op.S(op.LossRows, 0)), g.Input("others", op.I32, op.S(op.Examples, 0))
	x := g.Apply(op.Gather, "x", nil, table.Value(), tokens)
	for _, picked := range []*graph.Value{rows, others} {
		y := g.Apply(op.RMSNormalization, "norm for "+picked.Name, op.Attrs{op.FloatAttr("epsilon", 0)}, x, scale.Value())
		g.Output(picked.Name+" picked", g.Apply(op.Gather, "picked "+picked.Name, nil, y, picked))
	}
	m := &graph.Module{Constants: []*graph.Constant{table, scale}, Methods: []*graph.Graph{g}}
	if err := pass.HoistGathers(m); err != nil {
		t.Fatal(err)
	}
	listing(t, m)
	if got := names(g); !slices.Contains(got, "x.rows") || !slices.Contains(got, "x.others") {
		t.Errorf("nodes %v", got)
	}
}
