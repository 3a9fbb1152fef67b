package executor

import (
	"fmt"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/plan"
	"zeroth/runtime/program"
)

// layOut resolves a method's kernels at the session's bounds and plans its
// part of the arena. No tensor has storage yet, apart from what lies outside
// the arena.
func layOut(s *Session, def *program.Method, registry *kernel.Registry) (*Method, error) {
	m := &Method{session: s, def: def, extents: s.bounds, output: make([]bool, len(def.Values))}
	for _, v := range def.Outputs {
		m.output[v] = true
	}
	for i := range def.Values {
		t := &kernel.Tensor{Type: def.Values[i].Type, Shape: make([]int, len(def.Values[i].Type.Shape))}
		m.tensors = append(m.tensors, t)
	}
	m.shape(s.bounds)
	for i := range def.Nodes {
		if err := m.addStep(&def.Nodes[i], registry); err != nil {
			return nil, fmt.Errorf("node %d %s %s: %w", i, def.Nodes[i].Op, def.Nodes[i].Name, err)
		}
	}
	m.addChecks()
	return m, m.planArena()
}

// addStep picks the kernel of a node and makes its call.
func (m *Method) addStep(node *program.Node, registry *kernel.Registry) error {
	spec, ok := op.Lookup(node.Op)
	if !ok {
		return fmt.Errorf("%w: unknown %s", op.ErrInvalid, node.Op)
	}
	call := &kernel.Call{Spec: spec, Attrs: node.Attrs, Pool: m.session.pool}
	var types []op.Type
	for i, v := range node.In {
		call.In = append(call.In, m.tensors[v])
		types = append(types, m.tensors[v].Type)
		m.mutates = m.mutates || spec.Inputs[i].Mutable
	}
	for _, v := range node.Out {
		call.Out = append(call.Out, m.tensors[v])
	}
	k, err := registry.Pick(node.Op, types, node.Attrs)
	if err != nil {
		return err
	}
	step := step{node: node, call: call, kernel: k}
	if k.Scratch != nil {
		step.scratchBytes = k.Scratch(call)
	}
	m.steps = append(m.steps, step)
	return nil
}

// addChecks collects the index contracts that a run must be held to: those of
// the method's inputs, and those of constants that address what only a run
// gives its size.
func (m *Method) addChecks() {
	for i := range m.steps {
		step := &m.steps[i]
		for port, v := range step.node.In {
			rule := step.call.Spec.Inputs[port].Index
			if rule == nil || !m.checkedByRun(v, step.node.In[rule.Of], rule) {
				continue
			}
			m.checks = append(m.checks, check{
				rule:  *rule,
				name:  m.def.Values[v].Name,
				value: m.tensors[v],
				of:    step.call.In[rule.Of],
			})
		}
	}
}

// checkedByRun reports whether indices v into value of can change with a run.
// All others were checked when the program was verified.
func (m *Method) checkedByRun(v, of int, rule *op.IndexRule) bool {
	addressed := &m.def.Values[of]
	if m.def.Values[v].Kind != program.ConstRef {
		return true
	}
	if rule.Kind == op.InGroup {
		return addressed.Kind != program.ConstRef
	}
	return addressed.Type.Shape[0].Sym != op.Const
}

// planArena places the temporaries and the kernels' scratch. Inputs, outputs
// and slots have storage of their own.
func (m *Method) planArena() error {
	lives, err := m.lifetimes()
	if err != nil {
		return err
	}
	if m.plan, err = plan.Build(lives); err != nil {
		return err
	}
	for i, v := range m.def.Values {
		if v.Kind == program.Input || m.output[i] {
			size, err := v.Type.Bytes(m.session.bounds)
			if err != nil {
				return fmt.Errorf("%w: %s: %w", ErrBounds, v.Name, err)
			}
			m.outsideBytes += float64(size)
		}
	}
	return nil
}

// lifetimes lists what the arena must hold, and notes in m.home which item
// each temporary lives in: its own, or that of the tensor it overwrites.
func (m *Method) lifetimes() ([]plan.Item, error) {
	lastUse := m.lastUses()
	names := make(map[int][]string) // of the items that hold several values
	m.home = make([]int, len(m.def.Values))
	for i := range m.home {
		m.home[i] = -1
	}
	var items []plan.Item
	for i := range m.steps {
		step := &m.steps[i]
		for _, v := range step.node.Out {
			if m.output[v] {
				continue
			}
			if from := m.overwritten(step, v, i, lastUse); from >= 0 {
				at := m.home[from]
				m.home[v], items[at].Last = at, lastUse[v]
				if names[at] == nil {
					names[at] = []string{items[at].Name}
				}
				names[at] = append(names[at], m.def.Values[v].Name)
				continue
			}
			size, err := m.tensors[v].Type.Bytes(m.session.bounds)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrBounds, m.def.Values[v].Name, err)
			}
			m.home[v] = len(items)
			items = append(items, plan.Item{Name: m.def.Values[v].Name, Bytes: size, First: i, Last: lastUse[v]})
		}
		if step.scratchBytes > 0 {
			step.scratchItem = len(items)
			items = append(items, plan.Item{Name: "scratch of " + step.node.Name, Bytes: step.scratchBytes, First: i, Last: i})
		}
	}
	for at, list := range names {
		items[at].Name = strings.Join(list, ", ")
	}
	return items, nil
}

func (m *Method) lastUses() []int {
	last := make([]int, len(m.def.Values))
	for i := range m.def.Nodes {
		for _, v := range m.def.Nodes[i].Out {
			last[v] = i
		}
		for _, v := range m.def.Nodes[i].In {
			last[v] = i
		}
	}
	return last
}

// overwritten gives the value whose storage output v of step i may take over,
// or −1: input 0 of an in-place op, a temporary of the same type that nobody
// reads afterwards.
func (m *Method) overwritten(step *step, v, i int, lastUse []int) int {
	if !step.call.Spec.InPlace {
		return -1
	}
	from := step.node.In[0]
	if m.home[from] < 0 || lastUse[from] != i || !m.tensors[from].Type.Equal(m.tensors[v].Type) {
		return -1
	}
	for _, other := range step.node.In[1:] {
		if other == from {
			return -1
		}
	}
	return from
}
