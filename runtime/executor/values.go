package executor

import (
	"fmt"

	"zeroth/runtime/kernel"
	"zeroth/runtime/program"
)

// ValueInfo names a value that a node made.
type ValueInfo struct {
	Value int    // index into the method's values, for Method.Value
	Name  string // of the value
	Node  int    // index into the method's nodes
}

// Values lists the values that the method's nodes make, in the program's order.
// All can be read after a run of a session that keeps values
// (Options.KeepValues), else the outputs alone.
func (m *Method) Values() []ValueInfo {
	var list []ValueInfo
	for i := range m.def.Nodes {
		for _, v := range m.def.Nodes[i].Out {
			if m.output[v] {
				list = append(list, ValueInfo{Value: v, Name: m.def.Values[v].Name, Node: i})
			}
		}
	}
	return list
}

// Value returns the tensor of a value of the method as the last run left it. Like
// Output it must be called after each run.
func (m *Method) Value(v int) (*kernel.Tensor, error) {
	if v < 0 || v >= len(m.tensors) || m.def.Values[v].Kind == program.Temp && !m.output[v] {
		return nil, fmt.Errorf("%w: method %s: value %d is not kept after a run", ErrInput, m.def.Name, v)
	}
	if def := &m.def.Values[v]; def.Kind == program.SlotRef {
		if err := m.session.toHost(def.Ref); err != nil {
			return nil, err
		}
	}
	return m.tensors[v], m.fetch(v)
}

// Def is the method as the program has it.
func (m *Method) Def() *program.Method { return m.def }
