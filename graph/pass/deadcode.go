package pass

import (
	"slices"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// RemoveDead drops the nodes whose results reach no output and no slot, the
// inputs that nobody reads, and the constants that no method uses.
func RemoveDead(m *graph.Module) {
	used := make(map[*graph.Constant]bool)
	for _, g := range m.Methods {
		live := liveNodes(g)
		g.Nodes = slices.DeleteFunc(g.Nodes, func(n *graph.Node) bool { return !live[n] })
		read := make(map[*graph.Value]bool)
		for _, n := range g.Nodes {
			for _, v := range n.In {
				read[v] = true
				if v.Const != nil {
					used[v.Const] = true
				}
			}
		}
		g.Inputs = slices.DeleteFunc(g.Inputs, func(v *graph.Value) bool { return !read[v] })
	}
	m.Constants = slices.DeleteFunc(m.Constants, func(c *graph.Constant) bool { return !used[c] })
}

func liveNodes(g *graph.Graph) map[*graph.Node]bool {
	live := make(map[*graph.Node]bool)
	for _, v := range g.Outputs {
		live[v.Def] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if !live[n] && !mutates(n) {
			continue
		}
		live[n] = true
		for _, v := range n.In {
			if v.Def != nil {
				live[v.Def] = true
			}
		}
	}
	return live
}

func mutates(n *graph.Node) bool {
	spec, ok := op.Lookup(n.Op)
	return ok && slices.ContainsFunc(spec.Inputs, func(p op.Port) bool { return p.Mutable })
}
