package compare

import (
	"cmp"
	"fmt"
	"slices"

	"zeroth/runtime/op"
)

// Side is a backend of a comparison.
type Side struct {
	Name  string `json:"name"`
	About string `json:"about"`
	// Activations is "f16" where values are kept so.
	Activations string `json:"activations,omitempty"`
}

// Report is a whole comparison.
type Report struct {
	Program   string     `json:"program"`
	Backend   Side       `json:"backend"`
	Reference Side       `json:"reference"`
	Method    string     `json:"method"`
	Extents   op.Extents `json:"extents"`
	Nodes     []Node     `json:"nodes"`
	Training  *Training  `json:"training,omitempty"`
	Fault     string     `json:"fault,omitempty"` // see Verdict
}

// Faulty lists the nodes that are past their limit alone.
func Faulty(nodes []Node) []*Node {
	return only(nodes, func(n *Node) bool { return n.Fault != "" })
}

// FaultyInRun lists the nodes whose values are past their limit in the run.
func FaultyInRun(nodes []Node) []*Node {
	return only(nodes, func(n *Node) bool { return n.RunFault != "" })
}

func only(nodes []Node, want func(*Node) bool) []*Node {
	var list []*Node
	for i := range nodes {
		if want(&nodes[i]) {
			list = append(list, &nodes[i])
		}
	}
	return list
}

// WorstFirst lists the nodes by how near they are to their limit alone, or past
// it.
func WorstFirst(nodes []Node) []*Node {
	list := only(nodes, func(*Node) bool { return true })
	slices.SortStableFunc(list, func(a, b *Node) int { return cmp.Compare(b.Excess(), a.Excess()) })
	return list
}

// Verdict names the node at fault, or says what else is past its limit; nothing
// where all is well.
func (r *Report) Verdict() string {
	if alone := Faulty(r.Nodes); len(alone) > 0 {
		return fmt.Sprintf("%s, kernel %s: %s%s", alone[0], alone[0].Kernel, alone[0].Fault, others(len(alone)-1))
	}
	if inRun := FaultyInRun(r.Nodes); len(inRun) > 0 {
		return fmt.Sprintf("%s in the run of the whole method: %s%s; every node alone is within its limit, so look at what lies between them: memory, order, transfers",
			inRun[0], inRun[0].RunFault, others(len(inRun)-1))
	}
	if r.Training != nil {
		return r.Training.Fault
	}
	return ""
}

func others(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "; and 1 other node"
	}
	return fmt.Sprintf("; and %d other nodes", n)
}

// Rounded reports whether a node multiplies by weights of codes, of a type that
// lets it round x.
func Rounded(nodes []Node) bool {
	return slices.ContainsFunc(nodes, func(n Node) bool { return n.Limit > exactly })
}
