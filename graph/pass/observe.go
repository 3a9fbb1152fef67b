package pass

import (
	"fmt"
	"slices"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// MethodObserve is the method that Observe makes.
const MethodObserve = "observe"

// Observed names the outputs that show what a layer reads and what it gives.
type Observed struct{ Input, Output string }

// Observe leaves the module one method, "observe", whose outputs are what the
// linear layers at the sites of those names read and give when "losses" is run:
// x [N, K] and y [N, M], or R rows where only the rows that are read go on. The
// result tells each site's; layers that read the same x share that output, which
// is named after the first of them. LoRA is removed.
func Observe(m *graph.Module, sites []string) (map[string]Observed, error) {
	if err := RemoveLoRA(m); err != nil {
		return nil, err
	}
	losses := m.Method("losses")
	if losses == nil {
		return nil, fmt.Errorf("%w: the program has no method losses", ErrSites)
	}
	g := &graph.Graph{Name: MethodObserve, Inputs: losses.Inputs, Nodes: losses.Nodes}
	outputs := make(map[string]Observed)
	shown := func(name string, v *graph.Value) string {
		if !slices.Contains(g.Outputs, v) {
			g.Output(name, v)
		}
		return v.Name
	}
	for _, n := range g.Nodes {
		if n.Op != op.Linear || !slices.Contains(sites, n.Name) {
			continue
		}
		x := n.In[0]
		if x.Def == nil {
			return nil, fmt.Errorf("%w: %s reads %s, which no node makes", ErrSites, n.Name, x.Name)
		}
		outputs[n.Name] = Observed{Input: shown(n.Name, x), Output: shown(n.Name+".output", n.Out[0])}
	}
	for _, site := range sites {
		if _, there := outputs[site]; !there {
			return nil, fmt.Errorf("%w: the method losses has no linear layer %q", ErrSites, site)
		}
	}
	m.Methods = []*graph.Graph{g}
	RemoveDead(m)
	return outputs, g.Err()
}
