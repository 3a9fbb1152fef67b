package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"zeroth/graph"
	"zeroth/internal/bytesize"
	"zeroth/runtime/program"

	"github.com/urfave/cli/v2"
)

type inspectOptions struct {
	Program, Dot, Graph string
	JSON                bool
}

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name: "inspect", Usage: "show what a program holds", UsageText: "zeroth inspect PROGRAM [flags]",
		Description: "Checks the whole file first, hashes included.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dot", Usage: "print `METHOD` as a Graphviz graph"},
			&cli.StringFlag{Name: "graph", Usage: "print `METHOD` as a listing, one line a node"},
			&cli.BoolFlag{Name: "json", Usage: "print everything but the weights as JSON", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			path, err := oneArgument(c, "PROGRAM")
			if err != nil {
				return err
			}
			o := inspectOptions{Program: path, Dot: c.String("dot"), Graph: c.String("graph"), JSON: c.Bool("json")}
			if o.Dot != "" && o.Graph != "" || o.JSON && (o.Dot != "" || o.Graph != "") {
				return usagef("give one of --dot, --graph and --json: each prints something else")
			}
			return runInspect(o, c.App.Writer)
		},
	}
}

func runInspect(o inspectOptions, stdout io.Writer) error {
	file, err := openProgram(o.Program)
	if err != nil {
		return err
	}
	defer file.Close()
	p := file.Program
	switch {
	case o.Dot != "":
		g, err := findMethod(p, o.Dot)
		if err != nil {
			return err
		}
		return g.Dot(stdout)
	case o.Graph != "":
		g, err := findMethod(p, o.Graph)
		if err != nil {
			return err
		}
		_, err = io.WriteString(stdout, g.String())
		return err
	case o.JSON:
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(describe(p))
	}
	return printTree(stdout, o.Program, p)
}

func findMethod(p *program.Program, name string) (*graph.Graph, error) {
	if g := graph.Lift(p).Method(name); g != nil {
		return g, nil
	}
	var names []string
	for i := range p.Methods {
		names = append(names, p.Methods[i].Name)
	}
	return nil, usagef("no method %q: the program has %s", name, strings.Join(names, ", "))
}

func printTree(stdout io.Writer, path string, p *program.Program) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  fingerprint %x\n", path, p.Fingerprint[:8])
	if meansNothing(p) {
		fmt.Fprintln(&b, randomNotice)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "├─ metadata")
	for _, m := range p.Meta {
		fmt.Fprintf(w, "│    %s\t%s\n", m.Key, m.Value)
	}
	tokenizer := "none: takes token ids only"
	if p.Tokenizer.Kind != "" {
		tokenizer = fmt.Sprintf("%s, %s", p.Tokenizer.Kind, bytesize.Format(len(p.Tokenizer.Data)))
	}
	fmt.Fprintf(w, "├─ tokenizer\t%s\n", tokenizer)
	var total int64
	for _, c := range p.Constants {
		total += int64(len(c.Data))
	}
	fmt.Fprintf(w, "├─ constants\t%d, %s\n", len(p.Constants), bytesize.Format(total))
	for _, c := range p.Constants {
		fmt.Fprintf(w, "│    %s\t%s\t%s\n", c.Name, c.Type, bytesize.Format(len(c.Data)))
	}
	fmt.Fprintf(w, "├─ LoRA sites\t%d of %d linear layers\n", len(p.Slots)/2, len(p.Sites))
	for _, s := range p.Sites {
		rank := "-"
		if s.B >= 0 {
			rank = fmt.Sprintf("r %d", p.Slots[s.B].Type.Shape[1].Offset)
		}
		fmt.Fprintf(w, "│    %d %s\t%s\t[%d, %d]\t%s\n", s.ID, s.Name, s.Module, s.Out, s.In, rank)
	}
	fmt.Fprintln(w, "└─ methods")
	for i := range p.Methods {
		fmt.Fprintf(w, "     %s\n", methodLine(&p.Methods[i]))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}

// methodLine shows a method as "losses(tokens i32[1 N], …) → nll f32[P R]; 51 nodes: …".
func methodLine(m *program.Method) string {
	var in, out []string
	for _, v := range m.Values {
		if v.Kind == program.Input {
			in = append(in, v.Name+" "+v.Type.String())
		}
	}
	for _, v := range m.Outputs {
		out = append(out, m.Values[v].Name+" "+m.Values[v].Type.String())
	}
	var ops []string
	for _, c := range countOps(m) {
		ops = append(ops, fmt.Sprintf("%d %s", c.Nodes, c.Op))
	}
	return fmt.Sprintf("%s(%s) → %s; %d nodes: %s",
		m.Name, strings.Join(in, ", "), strings.Join(out, ", "), len(m.Nodes), strings.Join(ops, ", "))
}

type opCount struct {
	Op    string `json:"op"`
	Nodes int    `json:"nodes"`
}

// countOps counts a method's nodes by op, in order of first use.
func countOps(m *program.Method) []opCount {
	var counts []opCount
	for _, n := range m.Nodes {
		i := slices.IndexFunc(counts, func(c opCount) bool { return c.Op == n.Op.String() })
		if i < 0 {
			i = len(counts)
			counts = append(counts, opCount{Op: n.Op.String()})
		}
		counts[i].Nodes++
	}
	return counts
}

// description is the JSON form of a program.
type description struct {
	Fingerprint string              `json:"fingerprint"`
	Meta        map[string]string   `json:"metadata"`
	Tokenizer   string              `json:"tokenizer,omitempty"`
	Constants   []tensorDescription `json:"constants"`
	Slots       []tensorDescription `json:"slots"`
	Sites       []siteDescription   `json:"sites"`
	Methods     []methodDescription `json:"methods"`
}

type tensorDescription struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Bytes int    `json:"bytes,omitempty"`
}

type siteDescription struct {
	ID     uint32 `json:"id"`
	Name   string `json:"name"`
	Module string `json:"module"`
	Layer  int    `json:"layer"`
	Out    int    `json:"out"`
	In     int    `json:"in"`
	LoRA   bool   `json:"lora"`
}

type methodDescription struct {
	Name    string              `json:"name"`
	Inputs  []tensorDescription `json:"inputs"`
	Outputs []tensorDescription `json:"outputs"`
	Ops     []opCount           `json:"ops"`
}

func describe(p *program.Program) description {
	d := description{Fingerprint: fmt.Sprintf("%x", p.Fingerprint), Meta: map[string]string{}, Tokenizer: p.Tokenizer.Kind}
	for _, m := range p.Meta {
		d.Meta[m.Key] = m.Value
	}
	for _, c := range p.Constants {
		d.Constants = append(d.Constants, tensorDescription{c.Name, c.Type.String(), len(c.Data)})
	}
	for _, s := range p.Slots {
		d.Slots = append(d.Slots, tensorDescription{Name: s.Name, Type: s.Type.String()})
	}
	for _, s := range p.Sites {
		d.Sites = append(d.Sites, siteDescription{s.ID, s.Name, s.Module, s.Layer, s.Out, s.In, s.B >= 0})
	}
	for i := range p.Methods {
		m := &p.Methods[i]
		out := methodDescription{Name: m.Name, Ops: countOps(m)}
		for _, v := range m.Values {
			if v.Kind == program.Input {
				out.Inputs = append(out.Inputs, tensorDescription{Name: v.Name, Type: v.Type.String()})
			}
		}
		for _, v := range m.Outputs {
			out.Outputs = append(out.Outputs, tensorDescription{Name: m.Values[v].Name, Type: m.Values[v].Type.String()})
		}
		d.Methods = append(d.Methods, out)
	}
	return d
}
