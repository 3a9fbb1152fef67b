package graph

import (
	"bytes"
	"fmt"
	"slices"
	"sort"

	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// Lower turns the module into a program. Constants keep their Data, which may
// be nil where Write gives it: Materialise the module first to run the program
// without writing it.
func (m *Module) Lower() (*program.Program, error) {
	p := &program.Program{Tokenizer: m.Tokenizer}
	for key, value := range m.Meta {
		p.Meta = append(p.Meta, program.Meta{Key: key, Value: value})
	}
	sort.Slice(p.Meta, func(i, j int) bool { return p.Meta[i].Key < p.Meta[j].Key })

	l := lowering{constants: make(map[*Constant]int), slots: make(map[*Slot]int)}
	for i, c := range m.Constants {
		l.constants[c] = i
		p.Constants = append(p.Constants, program.Constant{Name: c.Name, Type: c.Type, Data: c.Data})
	}
	for i, s := range m.Slots {
		l.slots[s] = i
		p.Slots = append(p.Slots, program.Slot{Name: s.Name, Type: s.Type, Data: s.Data})
	}
	for _, s := range m.Sites {
		site := program.Site{ID: s.ID, Name: s.Name, Module: s.Module, Layer: s.Layer, Out: s.Out, In: s.In, A: -1, B: -1}
		if s.A != nil {
			var hasA, hasB bool
			site.A, hasA = l.slots[s.A]
			site.B, hasB = l.slots[s.B]
			if !hasA || !hasB {
				return nil, fmt.Errorf("%w: site %s has slots that are not the module's", ErrBuild, s.Name)
			}
		}
		p.Sites = append(p.Sites, site)
	}
	for _, g := range m.Methods {
		method, err := l.method(g)
		if err != nil {
			return nil, err
		}
		p.Methods = append(p.Methods, method)
	}
	return p, nil
}

type lowering struct {
	constants map[*Constant]int
	slots     map[*Slot]int
	values    map[any]int // *Constant, *Slot or *Value → index in the method
}

func (l *lowering) method(g *Graph) (program.Method, error) {
	if g.err != nil {
		return program.Method{}, g.err
	}
	out := program.Method{Name: g.Name}
	l.values = make(map[any]int)
	add := func(key any, v program.Value) int {
		l.values[key] = len(out.Values)
		out.Values = append(out.Values, v)
		return l.values[key]
	}
	for _, v := range g.Inputs {
		add(v, program.Value{Name: v.Name, Kind: program.Input, Type: v.Type})
	}
	for _, n := range g.Nodes {
		node := program.Node{Op: n.Op, Name: n.Name, Attrs: slices.Clone(n.Attrs)}
		for _, v := range n.In {
			index, known := l.values[v.key()]
			if !known {
				stored, err := l.stored(v)
				if err != nil {
					return out, fmt.Errorf("%w: method %s: node %s: %w", ErrBuild, g.Name, n.Name, err)
				}
				index = add(v.key(), stored)
			}
			node.In = append(node.In, index)
		}
		for _, v := range n.Out {
			node.Out = append(node.Out, add(v, program.Value{Name: v.Name, Kind: program.Temp, Type: v.Type}))
		}
		out.Nodes = append(out.Nodes, node)
	}
	for _, v := range g.Outputs {
		index, known := l.values[v]
		if !known {
			return out, fmt.Errorf("%w: method %s: output %s is not made by any node", ErrBuild, g.Name, v.Name)
		}
		out.Outputs = append(out.Outputs, index)
	}
	return out, nil
}

// stored makes the value of a constant or slot of the module.
func (l *lowering) stored(v *Value) (program.Value, error) {
	out := program.Value{Name: v.Name, Type: v.Type}
	known := false
	switch {
	case v.Const != nil:
		out.Kind = program.ConstRef
		out.Ref, known = l.constants[v.Const]
	case v.Slot != nil:
		out.Kind = program.SlotRef
		out.Ref, known = l.slots[v.Slot]
	default:
		return out, fmt.Errorf("it reads %s before it is made", v.Name)
	}
	if !known {
		return out, fmt.Errorf("%s is not among the module's constants and slots", v.Name)
	}
	return out, nil
}

// key identifies the tensor: all uses of a constant or slot are one value.
func (v *Value) key() any {
	switch {
	case v.Const != nil:
		return v.Const
	case v.Slot != nil:
		return v.Slot
	}
	return v
}

// Lift turns a program into a module that shares its constants' data.
func Lift(p *program.Program) *Module {
	m := &Module{Meta: make(map[string]string), Tokenizer: p.Tokenizer}
	for _, meta := range p.Meta {
		m.Meta[meta.Key] = meta.Value
	}
	for _, c := range p.Constants {
		m.Constants = append(m.Constants, &Constant{Name: c.Name, Type: c.Type, Data: c.Data})
	}
	for _, s := range p.Slots {
		m.Slots = append(m.Slots, &Slot{Name: s.Name, Type: s.Type, Data: s.Data})
	}
	for _, s := range p.Sites {
		site := &Site{ID: s.ID, Name: s.Name, Module: s.Module, Layer: s.Layer, Out: s.Out, In: s.In}
		if s.A >= 0 {
			site.A, site.B = m.Slots[s.A], m.Slots[s.B]
		}
		m.Sites = append(m.Sites, site)
	}
	for i := range p.Methods {
		m.Methods = append(m.Methods, m.lift(&p.Methods[i]))
	}
	return m
}

func (m *Module) lift(def *program.Method) *Graph {
	g := NewGraph(def.Name)
	values := make([]*Value, len(def.Values))
	for i, v := range def.Values {
		values[i] = &Value{Name: v.Name, Type: v.Type}
		switch v.Kind {
		case program.Input:
			g.Inputs = append(g.Inputs, values[i])
		case program.ConstRef:
			values[i].Const = m.Constants[v.Ref]
		case program.SlotRef:
			values[i].Slot = m.Slots[v.Ref]
		}
	}
	for _, node := range def.Nodes {
		n := &Node{Op: node.Op, Name: node.Name, Attrs: append(op.Attrs(nil), node.Attrs...)}
		for _, v := range node.In {
			n.In = append(n.In, values[v])
		}
		for _, v := range node.Out {
			values[v].Def = n
			n.Out = append(n.Out, values[v])
		}
		g.Nodes = append(g.Nodes, n)
	}
	for _, v := range def.Outputs {
		g.Outputs = append(g.Outputs, values[v])
	}
	return g
}

// Materialise loads the data of every constant, so that the module can be run
// without being written to a file.
func (m *Module) Materialise() error {
	for _, c := range m.Constants {
		if c.Data != nil {
			continue
		}
		size, err := c.Type.Bytes(op.Extents{Width: 1})
		if err != nil {
			return fmt.Errorf("%w: constant %s: %w", ErrBuild, c.Name, err)
		}
		data := bytes.NewBuffer(platform.Aligned(size)[:0])
		if err := c.Write(data); err != nil {
			return err
		}
		if data.Len() != size {
			return fmt.Errorf("%w: constant %s: %d bytes were written, %s takes %d", ErrBuild, c.Name, data.Len(), c.Type, size)
		}
		c.Data = data.Bytes()
	}
	return nil
}
