package program

import (
	"encoding/binary"
	"math"

	"zeroth/runtime/op"
)

// encodeHeader writes the tables that decodeHeader reads. Its length depends
// on the program alone, not on what the segments hold.
func encodeHeader(p *Program, segments []segment) []byte {
	e := &encoder{}
	e.int(len(p.Meta))
	for _, m := range p.Meta {
		e.text(m.Key)
		e.text(m.Value)
	}
	e.int(len(p.Constants))
	for i, k := range p.Constants {
		e.text(k.Name)
		e.typ(k.Type)
		e.segment(segments[i])
	}
	e.int(len(p.Slots))
	for _, s := range p.Slots {
		e.text(s.Name)
		e.typ(s.Type)
	}
	e.int(len(p.Sites))
	for _, s := range p.Sites {
		e.u64(uint64(s.ID))
		e.text(s.Name)
		e.text(s.Module)
		e.ints(s.Layer, s.Out, s.In, s.A, s.B)
	}
	e.int(len(p.Methods))
	for i := range p.Methods {
		e.method(&p.Methods[i])
	}
	if p.Tokenizer.Kind == "" {
		e.int(0)
		return e.bytes
	}
	e.int(1)
	e.text(p.Tokenizer.Kind)
	e.segment(segments[len(p.Constants)])
	return e.bytes
}

// encoder appends fields: integers as 8 bytes, little-endian.
type encoder struct{ bytes []byte }

func (e *encoder) u64(v uint64) { e.bytes = binary.LittleEndian.AppendUint64(e.bytes, v) }

// int appends v, negative ones in two's complement.
func (e *encoder) int(v int) { e.u64(uint64(int64(v))) }

func (e *encoder) ints(list ...int) {
	for _, v := range list {
		e.int(v)
	}
}

func (e *encoder) text(s string) {
	e.int(len(s))
	e.bytes = append(e.bytes, s...)
}

func (e *encoder) segment(s segment) {
	e.u64(s.offset)
	e.u64(s.length)
	e.bytes = append(e.bytes, s.sum[:]...)
}

func (e *encoder) typ(t op.Type) {
	wide := 0
	if t.Wide {
		wide = 1
	}
	e.ints(int(t.DType), int(t.Layout), wide, len(t.Shape))
	for _, d := range t.Shape {
		e.ints(int(d.Sym), d.Offset)
	}
}

func (e *encoder) method(m *Method) {
	e.text(m.Name)
	e.int(len(m.Values))
	for _, v := range m.Values {
		e.text(v.Name)
		e.ints(int(v.Kind), v.Ref)
		e.typ(v.Type)
	}
	e.int(len(m.Nodes))
	for i := range m.Nodes {
		e.node(&m.Nodes[i])
	}
	e.int(len(m.Outputs))
	e.ints(m.Outputs...)
}

// node appends a node of a verified program, so that its op is known.
func (e *encoder) node(n *Node) {
	spec, _ := op.Lookup(n.Op)
	e.ints(int(n.Op), int(spec.Version))
	e.text(n.Name)
	e.int(len(n.Attrs))
	for _, a := range n.Attrs {
		e.int(int(a.Kind))
		if a.Kind == op.Float {
			e.u64(math.Float64bits(a.F))
		} else {
			e.u64(uint64(a.I))
		}
	}
	e.int(len(n.In))
	e.ints(n.In...)
	e.int(len(n.Out))
	e.ints(n.Out...)
}
