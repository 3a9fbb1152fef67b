package plugin

import (
	"math"
	"unsafe"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// unknown is the extent that a query has where it varies.
const unknown = -1

// tensor is a tensor as C sees it.
type tensor struct {
	of       *kernel.Tensor // nil where there is only a type
	c        *cTensor
	constant bool
}

// typed describes a type; extents that vary are unknown.
func typed(t op.Type, mutable, constant bool) *cTensor {
	c := &cTensor{
		size: sizeOf[cTensor](), dtype: uint32(t.DType), layout: uint32(t.Layout), rank: uint32(len(t.Shape)),
		copies: 1, extent: [2]int64{1, 1},
	}
	if t.Wide {
		c.flags |= tensorWide
		c.copies = 0
	}
	if mutable {
		c.flags |= tensorMutable
	}
	if constant {
		c.flags |= tensorConstant
	}
	for i, d := range t.Shape {
		c.extent[i] = int64(d.Offset)
		if d.Sym != op.Const {
			c.extent[i] = unknown
			c.varies |= 1 << i
		}
	}
	return c
}

// describeTensor describes a tensor without data, at its present extents.
func describeTensor(of *kernel.Tensor, mutable, constant bool) tensor {
	t := tensor{of: of, c: typed(of.Type, mutable, constant), constant: constant}
	t.c.bytes = uint64(len(of.Data))
	t.resize()
	return t
}

// bytes is the storage that a tensor takes at its present extents.
func bytes(t *kernel.Tensor) int {
	if t.Type.Layout == op.Panels16 {
		return len(t.Data) // constant: its storage is made for nothing else
	}
	return t.Width * t.Elements() * t.Type.DType.Bytes()
}

func (t *tensor) resize() {
	t.c.copies = uint32(t.of.Width)
	for i, n := range t.of.Shape {
		t.c.extent[i] = int64(n)
	}
}

// show gives C the address of the storage, or takes it away.
func (t *tensor) show(visible bool) {
	t.c.data = nil
	if visible && len(t.of.Data) > 0 {
		t.c.data = unsafe.Pointer(unsafe.SliceData(t.of.Data))
		t.c.bytes = uint64(len(t.of.Data))
	}
}

// constant reports whether an input keeps the values that it has when a kernel
// is bound: what the session says, and codes, which no op writes.
func constant(t *kernel.Tensor) bool {
	return t.Constant || t.Type.DType.Coded()
}

// describeNode makes a node of tensors that are described already.
func describeNode(name string, spec *op.Spec, attrs op.Attrs, in, out []*cTensor) *cNode {
	n := &cNode{
		size: sizeOf[cNode](), op: uint32(spec.ID), opVersion: uint32(spec.Version),
		opName: cString(spec.Name), name: cString(name),
		inCount: uint32(len(in)), in: first(in), outCount: uint32(len(out)), out: first(out),
	}
	list := make([]*cAttr, len(attrs))
	for i, a := range attrs {
		list[i] = &cAttr{size: sizeOf[cAttr](), kind: attrInt, key: cString(a.Name), value: uint64(a.I)}
		if a.Kind == op.Float {
			list[i].kind, list[i].value = attrFloat, math.Float64bits(a.F)
		}
	}
	n.attrs, n.attrCount = first(list), uint32(len(list))
	return n
}

// call is a bound call as C sees it.
type call struct {
	node    *cNode
	tensors []tensor // inputs, then outputs
}

func describeCall(c *kernel.Call) *call {
	d := &call{}
	var in, out []*cTensor
	for i, t := range c.In {
		described := describeTensor(t, c.Spec.Inputs[i].Mutable, constant(t))
		d.tensors, in = append(d.tensors, described), append(in, described.c)
	}
	for _, t := range c.Out {
		described := describeTensor(t, false, false)
		d.tensors, out = append(d.tensors, described), append(out, described.c)
	}
	d.node = describeNode("", c.Spec, c.Attrs, in, out)
	return d
}

// show gives C the storage of all tensors, or of the constants alone.
func (d *call) show(all bool) {
	for i := range d.tensors {
		t := &d.tensors[i]
		t.show(all || t.constant)
	}
}

func (d *call) resize() {
	for i := range d.tensors {
		d.tensors[i].resize()
	}
}

// describeTypes describes a node of which only the types are known.
func describeTypes(spec *op.Spec, attrs op.Attrs, in []op.Type) (*cNode, error) {
	results, err := spec.Infer(in, attrs)
	if err != nil {
		return nil, err
	}
	var inputs, outputs []*cTensor
	for i, t := range in {
		codes := t.DType.Coded()
		inputs = append(inputs, typed(t, spec.Inputs[i].Mutable, codes))
	}
	for _, t := range results {
		outputs = append(outputs, typed(t, false, false))
	}
	return describeNode("", spec, attrs, inputs, outputs), nil
}
