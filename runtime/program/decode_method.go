package program

import (
	"math"

	"zeroth/runtime/op"
)

func (c *cursor) methods() []Method {
	n := c.count("methods", MaxMethods, minMethodBytes)
	if n == 0 {
		return nil
	}
	list := make([]Method, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("methods", i)
		list[i] = Method{
			Name:    c.text("name", MaxNameBytes),
			Values:  c.values(),
			Nodes:   c.nodes(),
			Outputs: c.indices("outputs", MaxValues),
		}
		c.leave()
	}
	return list
}

func (c *cursor) values() []Value {
	n := c.count("values", MaxValues, minValueBytes)
	if n == 0 {
		return nil
	}
	list := make([]Value, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("values", i)
		list[i] = Value{
			Name: c.text("name", MaxNameBytes),
			Kind: ValueKind(c.atMost("kind", 255)),
			Ref:  int(c.atMost("ref", MaxConstants)),
			Type: c.typ(),
		}
		c.leave()
	}
	return list
}

func (c *cursor) nodes() []Node {
	n := c.count("nodes", MaxNodes, minNodeBytes)
	if n == 0 {
		return nil
	}
	list := make([]Node, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter("nodes", i)
		list[i] = c.node()
		c.leave()
	}
	return list
}

func (c *cursor) node() Node {
	spec := c.spec()
	if spec == nil {
		return Node{}
	}
	return Node{
		Op:    spec.ID,
		Name:  c.text("name", MaxNameBytes),
		Attrs: c.attrs(spec),
		In:    c.inputs(spec),
		Out:   c.indices("outputs", MaxPorts),
	}
}

// spec reads an op's id and version and finds its row, or stops and gives nil.
func (c *cursor) spec() *op.Spec {
	id, version := c.atMost("op", math.MaxUint16), c.atMost("op version", math.MaxUint16)
	if c.err != nil {
		return nil
	}
	spec, ok := op.Lookup(op.ID(id))
	switch {
	case !ok:
		c.stop(ErrVersion, "op", "%d is not known: the program wants a newer zeroth", id)
	case version > uint64(spec.Version):
		c.stop(ErrVersion, "op version", "%s %d is newer than %d: the program wants a newer zeroth",
			spec.Name, version, spec.Version)
	case version < uint64(spec.Version):
		c.stop(ErrVersion, "op version", "%s %d is older than %d: export the program again",
			spec.Name, version, spec.Version)
	default:
		return spec
	}
	return nil
}

// attrs reads the values of an op's attributes; the names are the table's.
func (c *cursor) attrs(spec *op.Spec) op.Attrs {
	n := c.count("attrs", MaxAttrs, minAttrBytes)
	if c.err == nil && n != len(spec.Attrs) {
		c.stop(ErrFormat, "attrs", "%d of them, %s has %d", n, spec.Name, len(spec.Attrs))
	}
	if c.err != nil || n == 0 {
		return nil
	}
	list := make(op.Attrs, n)
	for i := range list {
		c.enter("attrs", i)
		list[i] = c.attr(spec.Attrs[i])
		c.leave()
	}
	return list
}

func (c *cursor) attr(want op.AttrSpec) op.Attr {
	a := op.Attr{Name: want.Name, Kind: op.AttrKind(c.atMost("kind", 255))}
	bits := c.u64("value")
	switch {
	case a.Kind != want.Kind:
		c.stop(ErrFormat, "kind", "is %d, attribute %s has kind %d", a.Kind, want.Name, want.Kind)
	case a.Kind == op.Float:
		a.F = math.Float64frombits(bits)
	default:
		a.I = int64(bits)
	}
	return a
}

func (c *cursor) inputs(spec *op.Spec) []int {
	list := c.indices("inputs", MaxPorts)
	if least := len(spec.Inputs) - spec.Optional; c.err == nil && (len(list) < least || len(list) > len(spec.Inputs)) {
		c.stop(ErrFormat, "inputs", "%d of them, %s has %d to %d", len(list), spec.Name, least, len(spec.Inputs))
	}
	return list
}

// indices reads a list of indices into the method's values.
func (c *cursor) indices(list string, most int) []int {
	n := c.count(list, most, minIndexBytes)
	if n == 0 {
		return nil
	}
	indices := make([]int, n)
	for i := 0; i < n && c.err == nil; i++ {
		c.enter(list, i)
		indices[i] = int(c.atMost("", MaxValues))
		c.leave()
	}
	return indices
}
