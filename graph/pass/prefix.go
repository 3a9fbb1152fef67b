package pass

import (
	"errors"
	"fmt"
	"slices"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// ErrPrefix is wrapped when a module has no prefix worth keeping the results of.
var ErrPrefix = errors.New("no part of the program can be cached")

// MethodPrefix is the method that CutPrefix makes.
const MethodPrefix = "prefix"

// Cut says where CutPrefix cut.
type Cut struct {
	Before string // the first node that stays in "losses"
	Values []string
	// Columns of each value: what a token takes at the boundary.
	Columns []int
}

// CutPrefix splits "losses" before what is trained: the nodes that no slot
// reaches become the method "prefix", whose outputs boundary.0, boundary.1, …
// [N, C] are inputs of "losses" from then on. They depend on the tokens alone, so
// what a sequence gives need be computed once. Other methods stay as they are.
//
// Of the places before the first node that reads a slot, where all that crosses
// is rows of tokens, it takes the one that leaves most weights behind, among
// those where a token takes at most twice the columns of the narrowest.
func CutPrefix(m *graph.Module) (Cut, error) {
	g := m.Method("losses")
	if g == nil {
		return Cut{}, fmt.Errorf("%w: the program has no method losses", ErrPrefix)
	}
	first := slices.IndexFunc(g.Nodes, func(n *graph.Node) bool {
		return slices.ContainsFunc(n.In, func(v *graph.Value) bool { return v.Slot != nil })
	})
	if first < 0 {
		return Cut{}, fmt.Errorf("%w: nothing in it is trained", ErrPrefix)
	}
	at, values := bestCut(g, first)
	if at < 0 {
		return Cut{}, fmt.Errorf("%w: no linear layer lies below %s, the first that is trained", ErrPrefix, g.Nodes[first].Name)
	}
	cut := Cut{Before: g.Nodes[at].Name}
	prefix := &graph.Graph{Name: MethodPrefix, Inputs: slices.Clone(g.Inputs), Nodes: slices.Clone(g.Nodes[:at])}
	g.Nodes = slices.Clone(g.Nodes[at:])
	for i, v := range values {
		cut.Values, cut.Columns = append(cut.Values, v.Name), append(cut.Columns, columns(v))
		name := fmt.Sprintf("boundary.%d", i)
		replaceUses(g, v, g.Input(name, op.F32, v.Type.Shape...))
		prefix.Output(name, v)
	}
	m.Methods = append(m.Methods, prefix)
	RemoveDead(m)
	return cut, g.InferTypes()
}

// bestCut gives the index of the node to cut before and what crosses there, or
// −1.
func bestCut(g *graph.Graph, first int) (at int, values []*graph.Value) {
	type place struct {
		at, columns, work int
		values            []*graph.Value
	}
	var places []place
	work := 0 // elements of the weights of linear layers so far
	for i, n := range g.Nodes[:first] {
		if n.Op == op.Linear {
			work += n.In[1].Type.Shape[0].Offset * n.In[1].Type.Shape[1].Offset
		}
		if values := crossing(g, i+1); values != nil && work > 0 {
			p := place{at: i + 1, work: work, values: values}
			for _, v := range values {
				p.columns += columns(v)
			}
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return -1, nil
	}
	narrowest := slices.MinFunc(places, func(a, b place) int { return a.columns - b.columns }).columns
	best := places[0]
	for _, p := range places {
		better := p.work > best.work || p.work == best.work && p.columns <= best.columns
		if best.columns > 2*narrowest || p.columns <= 2*narrowest && better {
			best = p
		}
	}
	return best.at, best.values
}

// crossing lists the values that nodes before index at make and others, or the
// caller, read; nil where there are none, or where one is no rows of tokens.
func crossing(g *graph.Graph, at int) []*graph.Value {
	made := make(map[*graph.Value]bool)
	for _, n := range g.Nodes[:at] {
		for _, v := range n.Out {
			made[v] = true
		}
	}
	var list []*graph.Value
	read := func(v *graph.Value) bool {
		if made[v] && !slices.Contains(list, v) {
			list = append(list, v)
			return rowsOfTokens(v)
		}
		return true
	}
	for _, n := range g.Nodes[at:] {
		for _, v := range n.In {
			if !read(v) {
				return nil
			}
		}
	}
	for _, v := range g.Outputs {
		if made[v] {
			return nil
		}
	}
	return list
}

func rowsOfTokens(v *graph.Value) bool {
	t := v.Type
	return t.DType == op.F32 && !t.Wide && len(t.Shape) == 2 && t.Shape[0] == op.S(op.Tokens, 0) && t.Shape[1].Sym == op.Const
}

// columns of a value [N, C].
func columns(v *graph.Value) int { return v.Type.Shape[1].Offset }
