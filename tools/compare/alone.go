package compare

import (
	"context"
	"fmt"

	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// alone is a program of one node of a method, whose inputs are those values that
// other nodes made or the caller gave.
type alone struct {
	program *program.Program
	inputs  []int  // the method's values that are its inputs
	halves  []bool // which of them are f16
	slots   []int  // the program's slots that it has
	outputs []int  // the method's values that it makes
}

// aloneMethod is the name of its only method.
const aloneMethod = "alone"

// valueName names the method's value v in a program of one node.
func valueName(v int) string { return fmt.Sprintf("value %d", v) }

// newAlone cuts node i out of a method of p. Operands of half are f16.
func newAlone(p *program.Program, def *program.Method, i int, half kernel.Operands) *alone {
	node := def.Nodes[i]
	a := &alone{program: &program.Program{}, outputs: node.Out}
	m := program.Method{Name: aloneMethod}
	place := make(map[int]int) // of the method's values among those of m
	add := func(v int) int {
		at, known := place[v]
		if known {
			return at
		}
		value := def.Values[v]
		switch value.Kind {
		case program.ConstRef:
			a.program.Constants = append(a.program.Constants, p.Constants[value.Ref])
			value.Ref = len(a.program.Constants) - 1
		case program.SlotRef:
			a.slots = append(a.slots, value.Ref)
			a.program.Slots = append(a.program.Slots, p.Slots[value.Ref])
			value.Ref = len(a.program.Slots) - 1
		default:
			value.Kind, value.Name = program.Input, valueName(v)
			a.inputs = append(a.inputs, v)
		}
		place[v] = len(m.Values)
		m.Values = append(m.Values, value)
		return place[v]
	}
	one := program.Node{Op: node.Op, Name: node.Name, Attrs: node.Attrs}
	for _, v := range node.In {
		one.In = append(one.In, add(v))
	}
	for _, v := range node.Out {
		one.Out = append(one.Out, len(m.Values))
		m.Outputs = append(m.Outputs, len(m.Values))
		m.Values = append(m.Values, program.Value{Name: valueName(v), Kind: program.Temp, Type: def.Values[v].Type})
	}
	for _, v := range a.inputs {
		a.halves = append(a.halves, keepsHalf(def.Values[v].Type, node.In, v, half.In))
	}
	m.Nodes = []program.Node{one}
	a.program.Methods = []program.Method{m}
	return a
}

// run gives the node what the reference had, rounded where it is f16, and calls take
// with each of its outputs and the name of the kernel that made it.
func (a *alone) run(ctx context.Context, e Engine, bounds op.Extents, reference *trace, take func(value int, t *kernel.Tensor, by string)) error {
	s, err := e(a.program, bounds, false, aloneMethod)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := s.Method(aloneMethod)
	if err != nil {
		return err
	}
	for i, slot := range a.slots {
		if err := copySlot(s, i, reference.session, slot); err != nil {
			return err
		}
	}
	for i, v := range a.inputs {
		t, err := m.Input(valueName(v))
		if err != nil {
			return err
		}
		if n := copy(t.Data, reference.values[v].Data); n < len(t.Data) {
			return fmt.Errorf("%s: %d of %d bytes are known", valueName(v), n, len(t.Data))
		}
		if a.halves[i] {
			roundToHalf(t.F32())
		}
	}
	if err := m.Run(ctx); err != nil {
		return err
	}
	for _, v := range a.outputs {
		t, err := m.Output(valueName(v))
		if err != nil {
			return err
		}
		take(v, t, m.Kernels()[0])
	}
	return nil
}

func copySlot(to *executor.Session, i int, from *executor.Session, slot int) error {
	values, err := from.ReadSlot(slot)
	if err != nil {
		return err
	}
	into, err := to.WriteSlot(i)
	copy(into, values)
	return err
}
