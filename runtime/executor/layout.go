package executor

import (
	"fmt"
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/plan"
	"zeroth/runtime/program"
)

// layOut resolves a method's kernels and partitions at the session's bounds and
// plans its part of the arena. No tensor has storage yet, apart from what lies
// outside the arena. With a refusal the delegate is not asked for any node.
func layOut(s *Session, def *program.Method, registry *kernel.Registry, refusal string) (*Method, error) {
	m := &Method{
		session: s, def: def, extents: s.bounds,
		output: make([]bool, len(def.Values)), origins: make([]origin, len(def.Values)),
	}
	for _, v := range def.Outputs {
		m.output[v] = true
	}
	for i := range def.Values {
		v := &def.Values[i]
		t := &kernel.Tensor{Type: v.Type, Shape: make([]int, len(v.Type.Shape))}
		if v.Kind == program.ConstRef {
			t.Data, t.Constant = s.prog.Constants[v.Ref].Data, true
		}
		m.output[i] = m.output[i] || s.keepValues && v.Kind == program.Temp
		m.tensors = append(m.tensors, t)
	}
	m.shape(s.bounds)
	if err := m.checkNodes(); err != nil {
		return nil, err
	}
	if err := m.place(registry, refusal); err != nil {
		return nil, err
	}
	return m, m.planArena()
}

// checkNodes looks the ops up and collects the index contracts that a run must be
// held to: those of the method's inputs, and those of constants that address
// what only a run gives its size.
func (m *Method) checkNodes() error {
	for i := range m.def.Nodes {
		node := &m.def.Nodes[i]
		spec, ok := op.Lookup(node.Op)
		if !ok {
			return fmt.Errorf("node %d %s: %w: unknown %s", i, node.Name, op.ErrInvalid, node.Op)
		}
		for port, v := range node.In {
			m.mutates = m.mutates || spec.Inputs[port].Mutable
			rule := spec.Inputs[port].Index
			if rule == nil || !m.checkedByRun(v, node.In[rule.Of], rule) {
				continue
			}
			m.checks = append(m.checks, check{
				rule: *rule, name: m.def.Values[v].Name, value: m.tensors[v], of: m.tensors[node.In[rule.Of]],
			})
		}
	}
	return nil
}

// addStep picks the host's kernel of a node and makes its call.
func (m *Method) addStep(i int, registry *kernel.Registry) error {
	node := &m.def.Nodes[i]
	spec, _ := op.Lookup(node.Op)
	call := &kernel.Call{Spec: spec, Attrs: node.Attrs, Pool: m.session.pool}
	var types []op.Type
	for _, v := range node.In {
		call.In = append(call.In, m.tensors[v])
		types = append(types, m.tensors[v].Type)
	}
	for _, v := range node.Out {
		call.Out = append(call.Out, m.tensors[v])
	}
	k, err := registry.Pick(node.Op, types, node.Attrs)
	if err != nil {
		return err
	}
	step := step{node: node, index: i, runs: k.Name, call: call, kernel: k}
	if m.session.delegate != nil {
		step.slots = m.slotUses(node, spec)
	}
	if k.Scratch != nil {
		step.scratchBytes = k.Scratch(call)
	}
	m.steps = append(m.steps, step)
	return nil
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
	for i := range m.steps {
		for _, v := range m.steps[i].node.Out {
			last[v] = i
		}
		for _, v := range m.steps[i].node.In {
			last[v] = i
		}
	}
	return last
}

// overwritten gives the value whose storage output v of step i may take over,
// or −1: input 0 of an in-place op, a temporary of the same type that nobody
// reads afterwards.
func (m *Method) overwritten(step *step, v, i int, lastUse []int) int {
	if step.part != nil || !step.call.Spec.InPlace {
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
