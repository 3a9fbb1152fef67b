package program

import "zeroth/runtime/op"

// methodVerifier walks one method.
type methodVerifier struct {
	*verifier
	m     *Method
	index int32   // of the method
	maker []int32 // of each value: 1 + the node that makes it
}

func (v *verifier) method(m *Method, index int32) error {
	if err := v.checkName("name", m.Name); err != nil {
		return err
	}
	if err := v.atMost("values", len(m.Values), MaxValues); err != nil {
		return err
	}
	if err := v.atMost("nodes", len(m.Nodes), MaxNodes); err != nil {
		return err
	}
	w := &methodVerifier{verifier: v, m: m, index: index, maker: make([]int32, len(m.Values))}
	for _, check := range []func() error{w.values, w.nodes, w.allMade, w.outputs} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (v *methodVerifier) values() error {
	for i := range v.m.Values {
		v.enter("values", i)
		if err := v.value(&v.m.Values[i]); err != nil {
			return err
		}
		v.leave()
	}
	return v.checkUnique("values", len(v.m.Values), func(i int32) string {
		if v.m.Values[i].Kind != Input {
			return ""
		}
		return v.m.Values[i].Name
	})
}

func (v *methodVerifier) value(value *Value) error {
	// Inputs are found by name; the names of other values are for people.
	if value.Name != "" || value.Kind == Input {
		if err := v.checkName("name", value.Name); err != nil {
			return err
		}
	}
	if err := value.Type.Check(); err != nil {
		return v.faultOf("type", err)
	}
	switch value.Kind {
	case Input, Temp:
		if value.Ref != 0 {
			return v.fault(ErrInvalid, "ref", "%d, must be 0 where the kind refers to nothing", value.Ref)
		}
		if value.Kind == Input && value.Type.Layout != op.Rows {
			return v.fault(ErrInvalid, "type", "%s: an input is row-major", value.Type)
		}
		if value.Kind == Input && value.Type.Wide {
			return v.fault(ErrInvalid, "type", "%s: an input is the same for all copies", value.Type)
		}
		return nil
	case ConstRef:
		if value.Ref < 0 || value.Ref >= len(v.p.Constants) {
			return v.fault(ErrInvalid, "ref", "constant %d of %d", value.Ref, len(v.p.Constants))
		}
		return v.sameType(value.Type, "constant", value.Ref, v.p.Constants[value.Ref].Type)
	case SlotRef:
		if value.Ref < 0 || value.Ref >= len(v.p.Slots) {
			return v.fault(ErrInvalid, "ref", "slot %d of %d", value.Ref, len(v.p.Slots))
		}
		return v.sameType(value.Type, "slot", value.Ref, v.p.Slots[value.Ref].Type)
	}
	return v.fault(ErrInvalid, "kind", "%d is not known", value.Kind)
}

func (v *methodVerifier) sameType(have op.Type, what string, ref int, want op.Type) error {
	if !have.Equal(want) {
		return v.fault(ErrInvalid, "type", "%s, but %s %d is %s", have, what, ref, want)
	}
	return nil
}

func (v *methodVerifier) nodes() error {
	for i := range v.m.Nodes {
		v.enter("nodes", i)
		if err := v.node(&v.m.Nodes[i], int32(i)); err != nil {
			return err
		}
		v.leave()
	}
	return v.checkUnique("nodes", len(v.m.Nodes), func(i int32) string { return v.m.Nodes[i].Name })
}

func (v *methodVerifier) node(n *Node, index int32) error {
	if err := v.checkName("name", n.Name); err != nil {
		return err
	}
	spec, ok := op.Lookup(n.Op)
	if !ok {
		return v.fault(ErrInvalid, "op", "%d is not known", uint16(n.Op))
	}
	// Infer checks the number of inputs too; here it bounds the walk over ports.
	if len(n.In) > len(spec.Inputs) {
		return v.fault(ErrInvalid, "inputs", "%d of them, %s has at most %d", len(n.In), spec.Name, len(spec.Inputs))
	}
	v.types = v.types[:0]
	for i, value := range n.In {
		v.enter("inputs", i)
		if err := v.input(&spec.Inputs[i], value); err != nil {
			return err
		}
		if err := v.apart(n, spec, i); err != nil {
			return err
		}
		v.leave()
		v.types = append(v.types, v.m.Values[value].Type)
	}
	made, err := spec.Infer(v.types, n.Attrs)
	if err != nil {
		return v.faultOf("", err)
	}
	if len(n.Out) != len(made) {
		return v.fault(ErrInvalid, "outputs", "%d of them, %s makes %d", len(n.Out), spec.Name, len(made))
	}
	for i, value := range n.Out {
		v.enter("outputs", i)
		if err := v.output(value, made[i], index); err != nil {
			return err
		}
		v.leave()
	}
	return nil
}

// input checks that a value may be connected to a port at this point.
func (v *methodVerifier) input(port *op.Port, index int) error {
	if err := v.inRange(index); err != nil {
		return err
	}
	value := &v.m.Values[index]
	if value.Kind == Temp && v.maker[index] == 0 {
		return v.fault(ErrInvalid, "", "value %d is used before a node has made it", index)
	}
	if port.Index != nil && value.Kind != Input && value.Kind != ConstRef {
		return v.fault(ErrInvalid, "", "value %d: indices (%s) must be a method input or a constant", index, port.Name)
	}
	if !port.Mutable {
		return nil
	}
	if value.Kind != SlotRef {
		return v.fault(ErrInvalid, "", "value %d: what is updated (%s) must be a slot", index, port.Name)
	}
	if v.updater[value.Ref] == v.index+1 {
		return v.fault(ErrInvalid, "", "value %d: slot %d is updated twice", index, value.Ref)
	}
	v.updater[value.Ref] = v.index + 1
	return nil
}

// apart checks that input i is not of the slot that the node updates by an input
// before it: what it read there would depend on how far the update had come.
func (v *methodVerifier) apart(n *Node, spec *op.Spec, i int) error {
	value := &v.m.Values[n.In[i]]
	for j, before := range n.In[:i] {
		other := &v.m.Values[before]
		if value.Kind == SlotRef && other.Kind == SlotRef && value.Ref == other.Ref && (spec.Inputs[i].Mutable || spec.Inputs[j].Mutable) {
			return v.fault(ErrInvalid, "", "value %d: slot %d is updated by the node itself, which cannot read it too", n.In[i], value.Ref)
		}
	}
	return nil
}

// output checks a value that a node makes, and notes who made it.
func (v *methodVerifier) output(index int, made op.Type, node int32) error {
	if err := v.inRange(index); err != nil {
		return err
	}
	value := &v.m.Values[index]
	if value.Kind != Temp {
		return v.fault(ErrInvalid, "", "value %d is not a temporary, so no node may make it", index)
	}
	if other := v.maker[index]; other != 0 {
		return v.fault(ErrInvalid, "", "value %d is already made by nodes[%d]", index, other-1)
	}
	if !value.Type.Equal(made) {
		return v.fault(ErrInvalid, "", "value %d is declared %s, the op makes %s", index, value.Type, made)
	}
	v.maker[index] = node + 1
	return nil
}

func (v *methodVerifier) inRange(index int) error {
	if index < 0 || index >= len(v.m.Values) {
		return v.fault(ErrInvalid, "", "value %d of %d", index, len(v.m.Values))
	}
	return nil
}

// allMade checks that there is no temporary without a maker.
func (v *methodVerifier) allMade() error {
	for i := range v.m.Values {
		if v.m.Values[i].Kind == Temp && v.maker[i] == 0 {
			v.enter("values", i)
			return v.fault(ErrInvalid, "", "a temporary that no node makes")
		}
	}
	return nil
}

func (v *methodVerifier) outputs() error {
	list := v.m.Outputs
	if err := v.atMost("outputs", len(list), MaxValues); err != nil {
		return err
	}
	for i, index := range list {
		v.enter("outputs", i)
		if err := v.inRange(index); err != nil {
			return err
		}
		value := &v.m.Values[index]
		if value.Kind != Temp {
			return v.fault(ErrInvalid, "", "value %d is not a temporary", index)
		}
		if value.Type.Layout != op.Rows {
			return v.fault(ErrInvalid, "", "value %d: %s: an output is row-major", index, value.Type)
		}
		if err := v.checkName("name", value.Name); err != nil {
			return err
		}
		v.leave()
	}
	return v.checkUnique("outputs", len(list), func(i int32) string { return v.m.Values[list[i]].Name })
}
