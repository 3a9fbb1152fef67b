package plugin

import (
	"zeroth/runtime/backend"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// partition is a partition as C sees it.
type partition struct {
	c      *cPartition
	values []tensor
}

// describeValues describes the values of nodes, at their present extents and
// without data. A value that a node updates is mutable.
func describeValues(values []backend.Value, nodes []backend.Node) []tensor {
	mutable := make([]bool, len(values))
	for i := range nodes {
		for port, v := range nodes[i].In {
			mutable[v] = mutable[v] || nodes[i].Spec.Inputs[port].Mutable
		}
	}
	list := make([]tensor, len(values))
	for i, v := range values {
		list[i] = describeTensor(v.Tensor, mutable[i], v.Kind == program.ConstRef)
	}
	return list
}

// describePartitionNode describes a node of a partition whose values are
// described.
func describePartitionNode(n *backend.Node, values []tensor) *cNode {
	pick := func(indices []int) (tensors []*cTensor, numbers []uint32) {
		for _, i := range indices {
			tensors, numbers = append(tensors, values[i].c), append(numbers, uint32(i))
		}
		return tensors, numbers
	}
	in, inValues := pick(n.In)
	out, outValues := pick(n.Out)
	c := describeNode(n.Name, n.Spec, n.Attrs, in, out)
	c.inValues, c.outValues = first(inValues), first(outValues)
	return c
}

var valueKinds = map[program.ValueKind]uint32{
	program.Input: valueInput, program.ConstRef: valueConst, program.SlotRef: valueSlot, program.Temp: valueTemp,
}

// describePartition describes a partition with the extents of the bounds.
func describePartition(p *backend.Partition, bounds op.Extents) *partition {
	d := &partition{values: describeValues(p.Values, p.Nodes)}
	var nodes []*cNode
	for i := range p.Nodes {
		nodes = append(nodes, describePartitionNode(&p.Nodes[i], d.values))
	}
	var values []*cValue
	for i, v := range p.Values {
		if bytes, err := v.Tensor.Type.Bytes(bounds); err == nil { // the executor has made it
			d.values[i].c.bytes = uint64(bytes)
		}
		values = append(values, &cValue{
			size: sizeOf[cValue](), kind: valueKinds[v.Kind], ref: uint32(v.Ref), name: cString(v.Name), tensor: d.values[i].c,
		})
	}
	inputs, outputs := numbers(p.Inputs), numbers(p.Outputs)
	d.c = &cPartition{
		size: sizeOf[cPartition](), method: cString(p.Method),
		nodeCount: uint32(len(nodes)), valueCount: uint32(len(values)), inputCount: uint32(len(inputs)), outputCount: uint32(len(outputs)),
		nodes: first(nodes), values: first(values), inputs: first(inputs), outputs: first(outputs),
	}
	if p.Mutates {
		d.c.mutates = 1
	}
	return d
}

func numbers(indices []int) []uint32 {
	list := make([]uint32, len(indices))
	for i, v := range indices {
		list[i] = uint32(v)
	}
	return list
}
