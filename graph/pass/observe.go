package pass

import (
	"fmt"
	"slices"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// MethodInputs is the method that Observe makes.
const MethodInputs = "inputs"

// Observe leaves the module one method, "inputs", whose outputs are what the
// linear layers at the sites of those names read when "losses" is run: x [N, K],
// or [R, K] where only the rows that are read go on. Layers that read the same
// x share an output, which is named after the first of them; the result gives
// each site's. LoRA is removed.
func Observe(m *graph.Module, sites []string) (map[string]string, error) {
	if err := RemoveLoRA(m); err != nil {
		return nil, err
	}
	losses := m.Method("losses")
	if losses == nil {
		return nil, fmt.Errorf("%w: the program has no method losses", ErrSites)
	}
	g := &graph.Graph{Name: MethodInputs, Inputs: losses.Inputs, Nodes: losses.Nodes}
	outputs := make(map[string]string)
	for _, n := range g.Nodes {
		if n.Op != op.Linear || !slices.Contains(sites, n.Name) {
			continue
		}
		x := n.In[0]
		if x.Def == nil {
			return nil, fmt.Errorf("%w: %s reads %s, which no node makes", ErrSites, n.Name, x.Name)
		}
		if !slices.Contains(g.Outputs, x) {
			g.Output(n.Name, x)
		}
		outputs[n.Name] = x.Name
	}
	for _, site := range sites {
		if outputs[site] == "" {
			return nil, fmt.Errorf("%w: the method losses has no linear layer %q", ErrSites, site)
		}
	}
	m.Methods = []*graph.Graph{g}
	RemoveDead(m)
	return outputs, g.Err()
}
