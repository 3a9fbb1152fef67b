package pass

import (
	"slices"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// rowWise lists the ops whose row n depends only on row n of the inputs named
// by port: a gather of rows can be done before them instead of after.
var rowWise = map[op.ID][]int{
	op.RMSNormalization:   {0},
	op.LayerNormalization: {0},
	op.Linear:             {0},
	op.LinearLoRA:         {0},
	op.SwiGLU:             {0, 1},
	op.Gelu:               {0},
	op.Relu:               {0},
	op.Add:                {0, 1},
	op.Slice:              {0},
}

// HoistGathers moves gathers of hidden rows up through row-wise ops, so that
// what follows the last attention is computed for the rows that the loss
// reads, not for every token.
func HoistGathers(m *graph.Module) error {
	for _, g := range m.Methods {
		for hoistOne(g) {
		}
		if err := g.InferTypes(); err != nil {
			return err
		}
	}
	return nil
}

// hoistOne moves one gather above the op that feeds it, if any can be.
func hoistOne(g *graph.Graph) bool {
	for _, gather := range g.Nodes {
		if gather.Op != op.Gather || gather.In[0].Def == nil {
			continue
		}
		feeder := gather.In[0].Def
		ports, ok := rowWise[feeder.Op]
		if !ok || !onlyUser(g, feeder.Out[0], gather) {
			continue
		}
		for _, port := range ports {
			feeder.In[port] = gatherBefore(g, feeder, feeder.In[port], gather.In[1])
		}
		replaceUses(g, gather.Out[0], feeder.Out[0])
		g.Nodes = slices.DeleteFunc(g.Nodes, func(n *graph.Node) bool { return n == gather })
		return true
	}
	return false
}

// gatherBefore gives the rows of v, from a gather that stands before node n;
// one that is there already serves again.
func gatherBefore(g *graph.Graph, n *graph.Node, v, rows *graph.Value) *graph.Value {
	at := slices.Index(g.Nodes, n)
	for _, other := range g.Nodes[:at] {
		if other.Op == op.Gather && other.In[0] == v && other.In[1] == rows {
			return other.Out[0]
		}
	}
	// Another gather of the same rows that stands further on moves up.
	for i := at + 1; i < len(g.Nodes); i++ {
		other := g.Nodes[i]
		if other.Op == op.Gather && other.In[0] == v && other.In[1] == rows {
			g.Nodes = slices.Insert(slices.Delete(g.Nodes, i, i+1), at, other)
			return other.Out[0]
		}
	}
	out := &graph.Value{Name: v.Name + "." + rows.Name}
	gather := &graph.Node{Op: op.Gather, Name: out.Name, In: []*graph.Value{v, rows}, Out: []*graph.Value{out}}
	out.Def = gather
	g.Nodes = slices.Insert(g.Nodes, at, gather)
	return out
}

func onlyUser(g *graph.Graph, v *graph.Value, user *graph.Node) bool {
	if slices.Contains(g.Outputs, v) {
		return false
	}
	for _, n := range g.Nodes {
		if n != user && slices.Contains(n.In, v) {
			return false
		}
	}
	return true
}

func replaceUses(g *graph.Graph, from, to *graph.Value) {
	for _, n := range g.Nodes {
		for i, v := range n.In {
			if v == from {
				n.In[i] = to
			}
		}
	}
	for i, v := range g.Outputs {
		if v == from {
			to.Name = from.Name
			g.Outputs[i] = to
		}
	}
}
