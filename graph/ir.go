package graph

import (
	"errors"
	"fmt"
	"io"

	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// ErrBuild is wrapped when a graph cannot be built or lowered.
var ErrBuild = errors.New("cannot build the graph")

// Module is a program under construction.
type Module struct {
	Meta      map[string]string
	Constants []*Constant
	Slots     []*Slot
	Sites     []*Site
	Methods   []*Graph
	Tokenizer program.Tokenizer
}

// Constant is a frozen tensor. Data holds it, or Write gives its bytes, in order
// and in pieces, so that not even one tensor need be in memory whole. A module's
// constants are written one at a time.
type Constant struct {
	Name  string
	Type  op.Type
	Data  []byte
	Write func(w io.Writer) error
}

// Slot is a mutable tensor that all methods share.
type Slot struct {
	Name string
	Type op.Type
	Data []byte // storage that a session takes for it, or nil (program.Slot)
}

// Site is a linear layer that LoRA can be put at. A and B are nil without it.
type Site struct {
	ID      uint32
	Name    string
	Module  string
	Layer   int
	Out, In int
	A, B    *Slot
}

// Graph is one method. Nodes stand in an order in which they can be run.
type Graph struct {
	Name    string
	Inputs  []*Value
	Nodes   []*Node
	Outputs []*Value
	err     error
}

// Value is a tensor: exactly one of Const, Slot and Def is set, or none for an
// input.
type Value struct {
	Name  string
	Type  op.Type
	Const *Constant
	Slot  *Slot
	Def   *Node
}

// Node applies an op.
type Node struct {
	Op    op.ID
	Name  string
	Attrs op.Attrs
	In    []*Value
	Out   []*Value
}

// NewGraph makes an empty method.
func NewGraph(name string) *Graph { return &Graph{Name: name} }

// Input adds an input.
func (g *Graph) Input(name string, dtype op.DType, shape ...op.Dim) *Value {
	v := &Value{Name: name, Type: op.Type{DType: dtype, Shape: shape}}
	g.Inputs = append(g.Inputs, v)
	return v
}

// FindInput returns the input of that name, or nil.
func (g *Graph) FindInput(name string) *Value {
	for _, v := range g.Inputs {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// Value makes a constant usable in a graph.
func (c *Constant) Value() *Value { return &Value{Name: c.Name, Type: c.Type, Const: c} }

// Value makes a slot usable in a graph.
func (s *Slot) Value() *Value { return &Value{Name: s.Name, Type: s.Type, Slot: s} }

// Apply adds a node and returns its output, nil for an op that has none. An
// error is kept and given by Err, and the nodes after it are not added, so that
// a model reads without a check on every line.
func (g *Graph) Apply(id op.ID, name string, attrs op.Attrs, in ...*Value) *Value {
	if g.err != nil {
		return &Value{}
	}
	n := &Node{Op: id, Name: name, Attrs: attrs, In: in}
	types, err := n.infer()
	if err != nil {
		g.err = fmt.Errorf("%w: method %s: node %s: %w", ErrBuild, g.Name, name, err)
		return &Value{}
	}
	g.Nodes = append(g.Nodes, n)
	for _, t := range types {
		n.Out = append(n.Out, &Value{Name: name, Type: t, Def: n})
	}
	if len(n.Out) == 0 {
		return nil
	}
	return n.Out[0]
}

// Output names a value as an output of the method.
func (g *Graph) Output(name string, v *Value) {
	if g.err == nil {
		v.Name = name
		g.Outputs = append(g.Outputs, v)
	}
}

// Err is the first error of Apply.
func (g *Graph) Err() error { return g.err }

func (n *Node) infer() ([]op.Type, error) {
	spec, ok := op.Lookup(n.Op)
	if !ok {
		return nil, fmt.Errorf("%w: unknown %s", op.ErrInvalid, n.Op)
	}
	in := make([]op.Type, len(n.In))
	for i, v := range n.In {
		in[i] = v.Type
	}
	return spec.Infer(in, n.Attrs)
}

// InferTypes recomputes the type of every value from the inputs, constants and
// slots: after a rewrite, width spreads from where it begins.
func (g *Graph) InferTypes() error {
	for _, n := range g.Nodes {
		types, err := n.infer()
		if err != nil {
			return fmt.Errorf("%w: method %s: node %s: %w", ErrBuild, g.Name, n.Name, err)
		}
		for i, t := range types {
			n.Out[i].Type = t
		}
	}
	return nil
}

// Method returns the method of that name, or nil.
func (m *Module) Method(name string) *Graph {
	for _, g := range m.Methods {
		if g.Name == name {
			return g
		}
	}
	return nil
}
