package program

import (
	"fmt"
	"runtime"
	"testing"

	"zeroth/runtime/op"
)

// allocated gives the bytes that a call allocates, freed ones included.
func allocated(call func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// inferenceWaste measures what op inference allocates over a file's nodes. It
// leaves that to the collector node by node, so that it is never there all at
// once, and it is not the parser's.
func inferenceWaste(data []byte) int {
	_, header, err := readPrologue(data)
	if err != nil {
		return 0
	}
	p, _, err := decodeHeader(header)
	if err != nil {
		return 0
	}
	return allocated(func() { inferAll(p) })
}

// inferAll infers the types of all nodes, up to the first that is wrong.
func inferAll(p *Program) {
	types := make([]op.Type, 0, MaxPorts)
	for _, m := range p.Methods {
		for _, n := range m.Nodes {
			spec, _ := op.Lookup(n.Op)
			types = types[:0]
			for _, value := range n.In {
				if value >= len(m.Values) {
					return
				}
				types = append(types, m.Values[value].Type)
			}
			if _, err := spec.Infer(types, n.Attrs); err != nil {
				return
			}
		}
	}
}

// allocationSlack is for what does not grow with the file: errors, hashers,
// goroutines, and what the test binary does meanwhile.
const allocationSlack = 64 << 10

// TestAllocation: files made to cost the most memory for their bytes stay
// within two and a half times their length.
func TestAllocation(t *testing.T) {
	const many = 16000
	for name, p := range map[string]*Program{
		"nodes": manyNodes(many), "inputs": manyValues(many), "constants": manyConstants(many),
		"sites": manySites(many), "slots": manySlots(many), "outputs": manyOutputs(many),
		"LoRA nodes": manyLoRA(many),
	} {
		t.Run(name, func(t *testing.T) {
			data := assemble(p, nil)
			if _, err := Parse(data); err != nil {
				t.Fatal(err)
			}
			checkParsed(t, data)
			// The last field broken, so that all is read in vain.
			header, body := split(data)
			checkParsed(t, seal(header[:len(header)-1], body))
		})
	}
}

func manyNodes(n int) *Program {
	scalar := f32(op.C(1), op.C(1))
	m := Method{Name: "m", Values: []Value{{"a", Input, 0, scalar}}}
	for i := range n {
		m.Values = append(m.Values, Value{"", Temp, 0, scalar})
		m.Nodes = append(m.Nodes, Node{op.RMSNormalization, fmt.Sprint(i), op.Attrs{op.FloatAttr("epsilon", 0)}, []int{i, n + 1}, []int{i + 1}})
	}
	m.Values = append(m.Values, Value{"s", Input, 0, f32(op.C(1))})
	return &Program{Methods: []Method{m}}
}

func manyValues(n int) *Program {
	m := Method{Name: "m"}
	for i := range n {
		m.Values = append(m.Values, Value{fmt.Sprint(i), Input, 0, f32()})
	}
	return &Program{Methods: []Method{m}}
}

func manyOutputs(n int) *Program {
	scalar := f32(op.C(1), op.C(1))
	m := Method{Name: "m", Values: []Value{{"a", Input, 0, scalar}}}
	for i := range n {
		m.Values = append(m.Values, Value{fmt.Sprint(i), Temp, 0, scalar})
		m.Nodes = append(m.Nodes, Node{op.Add, fmt.Sprint(i), nil, []int{0, 0}, []int{i + 1}})
		m.Outputs = append(m.Outputs, i+1)
	}
	return &Program{Methods: []Method{m}}
}

func manyConstants(n int) *Program {
	p := &Program{}
	for i := range n {
		p.Constants = append(p.Constants, Constant{fmt.Sprint(i), i32(op.C(1)), integers(0)})
	}
	return p
}

func manySlots(n int) *Program {
	p := &Program{}
	for i := range n {
		p.Slots = append(p.Slots, Slot{Name: fmt.Sprint(i), Type: f32()})
	}
	return p
}

func manySites(n int) *Program {
	p := &Program{}
	for i := range n {
		p.Sites = append(p.Sites, Site{ID: uint32(i), Name: fmt.Sprint(i), Module: "q", Out: 1, In: 1, A: -1, B: -1})
	}
	return p
}

func manyLoRA(n int) *Program {
	p := &Program{
		Constants: []Constant{{"W", f32(op.C(1), op.C(1)), floats(1)}},
		Slots:     []Slot{{Name: "A", Type: f32(op.C(1), op.C(1))}, {Name: "B", Type: f32(op.C(1), op.C(1))}},
	}
	m := Method{Name: "m", Values: []Value{
		{"x", Input, 0, f32(op.C(1), op.C(1))},
		{"", ConstRef, 0, p.Constants[0].Type},
		{"", SlotRef, 0, p.Slots[0].Type},
		{"", SlotRef, 1, p.Slots[1].Type},
		{"seed", Input, 0, u32(op.C(2))},
		{"first", Input, 0, i32(op.C(1))},
		{"eps", Input, 0, f32(op.C(1))},
	}}
	for i := range n {
		m.Values = append(m.Values, Value{"", Temp, 0, wide(f32(op.C(1), op.C(1)))})
		m.Nodes = append(m.Nodes, Node{
			op.LinearLoRA, fmt.Sprint(i),
			op.Attrs{op.IntAttr("site", 0), op.FloatAttr("scale", 1), op.IntAttr("sampler", 1)},
			[]int{0, 1, 2, 3, 4, 5, 6},
			[]int{7 + i},
		})
	}
	p.Methods = []Method{m}
	return p
}
