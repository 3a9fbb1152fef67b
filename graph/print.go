package graph

import (
	"fmt"
	"io"
	"strings"

	"zeroth/runtime/op"
)

// String prints the method as one line a node, in order:
//
//	losses(tokens i32[1 N], …) → losses %58, nll %57
//	  %4 f32[1 N 64] = Gather(model.embed_tokens.weight, tokens)
//	  %9 f32[P N 64] = LinearLoRA(%5, …) site=3 scale=2 …  // model.layers.0.…
func (g *Graph) String() string {
	var b strings.Builder
	names := g.numbers()
	inputs := make([]string, len(g.Inputs))
	for i, v := range g.Inputs {
		inputs[i] = v.Name + " " + v.Type.String()
	}
	outputs := make([]string, len(g.Outputs))
	for i, v := range g.Outputs {
		outputs[i] = v.Name + " " + names[v]
	}
	fmt.Fprintf(&b, "%s(%s)", g.Name, strings.Join(inputs, ", "))
	if len(outputs) > 0 {
		fmt.Fprintf(&b, " → %s", strings.Join(outputs, ", "))
	}
	b.WriteString("\n")
	for _, n := range g.Nodes {
		b.WriteString("  ")
		for _, v := range n.Out {
			fmt.Fprintf(&b, "%s %s = ", names[v], v.Type)
		}
		args := make([]string, len(n.In))
		for i, v := range n.In {
			args[i] = v.Name
			if v.Def != nil {
				args[i] = names[v]
			}
		}
		fmt.Fprintf(&b, "%s(%s)", n.Op, strings.Join(args, ", "))
		for _, a := range n.Attrs {
			b.WriteString(" " + a.String())
		}
		if n.Name != "" {
			b.WriteString("  // " + n.Name)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (g *Graph) numbers() map[*Value]string {
	names := make(map[*Value]string)
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			names[v] = fmt.Sprintf("%%%d", len(names))
		}
	}
	return names
}

// Dot writes the method as a Graphviz digraph. Wide values are drawn as bold
// edges, updated slots as boxes with a double border.
func (g *Graph) Dot(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  rankdir=TB; node [fontname=\"sans-serif\" fontsize=10 shape=box style=rounded];\n", g.Name)
	ids := make(map[any]string)
	declare := func(key any, label, style string) string {
		id, ok := ids[key]
		if !ok {
			id = fmt.Sprintf("n%d", len(ids))
			ids[key] = id
			fmt.Fprintf(&b, "  %s [label=%q%s];\n", id, label, style)
		}
		return id
	}
	for _, v := range g.Inputs {
		declare(v, v.Name+"\n"+v.Type.String(), " shape=ellipse style=filled fillcolor=\"#e8f0fe\"")
	}
	for _, n := range g.Nodes {
		to := declare(n, n.Op.String()+"\n"+n.Name, "")
		for i, v := range n.In {
			from := ""
			switch {
			case v.Const != nil:
				from = declare(v.Const, v.Name+"\n"+v.Type.String(), " shape=note fontsize=8")
			case v.Slot != nil:
				from = declare(v.Slot, v.Name+"\n"+v.Type.String(), " peripheries=2 fontsize=8")
			case v.Def != nil:
				from = ids[v.Def]
			default:
				from = ids[v]
			}
			fmt.Fprintf(&b, "  %s -> %s [label=%q fontsize=8%s];\n", from, to, portName(n, i), pen(v))
		}
	}
	for _, v := range g.Outputs {
		to := declare(v, v.Name+"\n"+v.Type.String(), " shape=ellipse style=filled fillcolor=\"#e6f4ea\"")
		fmt.Fprintf(&b, "  %s -> %s [label=\"\"%s];\n", ids[v.Def], to, pen(v))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// pen draws the edges of wide values bold.
func pen(v *Value) string {
	if v.Type.Wide {
		return " penwidth=2.5"
	}
	return ""
}

func portName(n *Node, i int) string {
	spec, ok := op.Lookup(n.Op)
	if !ok {
		return ""
	}
	return spec.Inputs[i].Name
}
