package executor

import (
	"context"
	"fmt"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// part is a partition of a method that the delegate runs as one step.
type part struct {
	partition  *backend.Partition
	executable backend.Executable
	values     []int  // of the method, by value of the partition
	fetched    []bool // by output: what the last run made is on the host
	slots      []slotUse
	stats      []NodeStats // of its nodes, where the executable times them
}

// origin is the output of a partition that a value is; its part is nil for what
// the host makes.
type origin struct {
	part   *part
	output int
}

// ask asks the delegate for each node, unless it has refused the method, and
// keeps its first refusal.
func (m *Method) ask(refusal string) (taken []bool) {
	taken = make([]bool, len(m.def.Nodes))
	delegate := m.session.delegate
	m.refusal = refusal
	if delegate == nil || refusal != "" {
		return taken
	}
	for i := range m.def.Nodes {
		p := m.newPart([]int{i})
		err := delegate.Supports(&p.partition.Nodes[0], p.partition.Values)
		if taken[i] = err == nil; taken[i] {
			m.taken++
		} else if m.refusal == "" {
			m.refusal = fmt.Sprintf("%s: %v", m.def.Nodes[i].Name, err)
		}
	}
	return taken
}

// schedule orders the nodes so that those the delegate takes stand together, in
// runs as long as the data allow: all that can be run on one side, then all that
// can on the other. Where nodes write slots the order stays as it is.
func (m *Method) schedule(taken []bool) []int {
	producer := make([]int, len(m.def.Values))
	for i := range producer {
		producer[i] = -1
	}
	order := make([]int, 0, len(m.def.Nodes))
	for i := range m.def.Nodes {
		order = append(order, i)
		for _, v := range m.def.Nodes[i].Out {
			producer[v] = i
		}
	}
	if len(order) == 0 || m.mutates {
		return order
	}
	done := make([]bool, len(order))
	ready := func(i int) bool {
		for _, v := range m.def.Nodes[i].In {
			if p := producer[v]; p >= 0 && !done[p] {
				return false
			}
		}
		return true
	}
	order = order[:0]
	// A sweep that emits nothing is followed by one that does: the first node
	// that is left has all that it reads.
	for side := taken[0]; len(order) < len(done); side = !side {
		for i := range m.def.Nodes {
			if !done[i] && taken[i] == side && ready(i) {
				done[i] = true
				order = append(order, i)
			}
		}
	}
	return order
}

// newPart describes nodes as a partition whose temporaries nobody else reads.
func (m *Method) newPart(nodes []int) *part {
	p := &part{partition: &backend.Partition{Method: m.def.Name}}
	index := make(map[int]int)
	made := make(map[int]bool)
	value := func(v int) int {
		if i, ok := index[v]; ok {
			return i
		}
		def := &m.def.Values[v]
		kind := def.Kind
		if kind == program.Temp && !made[v] {
			kind = program.Input
		}
		at := len(p.values)
		index[v] = at
		p.values = append(p.values, v)
		p.partition.Values = append(p.partition.Values, backend.Value{Name: def.Name, Kind: kind, Ref: def.Ref, Tensor: m.tensors[v]})
		if kind == program.Input {
			p.partition.Inputs = append(p.partition.Inputs, at)
		}
		return at
	}
	for _, i := range nodes {
		def := &m.def.Nodes[i]
		spec, _ := op.Lookup(def.Op)
		node := backend.Node{Name: def.Name, Spec: spec, Attrs: def.Attrs}
		for _, v := range def.In {
			node.In = append(node.In, value(v))
		}
		for _, v := range def.Out {
			made[v] = true
			node.Out = append(node.Out, value(v))
		}
		uses := m.slotUses(def, spec)
		for _, use := range uses {
			p.partition.Mutates = p.partition.Mutates || use.writes
		}
		p.slots = append(p.slots, uses...)
		p.partition.Nodes = append(p.partition.Nodes, node)
	}
	return p
}

// slotUses lists the slots that a node reads and writes.
func (m *Method) slotUses(node *program.Node, spec *op.Spec) []slotUse {
	var uses []slotUse
	for i, v := range node.In {
		if def := &m.def.Values[v]; def.Kind == program.SlotRef {
			uses = append(uses, slotUse{def.Ref, spec.Inputs[i].Mutable})
		}
	}
	return uses
}

// addParts makes steps of the nodes in their order: one for each that the host
// runs, one for each run of those that the delegate takes.
func (m *Method) addParts(order []int, taken []bool, registry *kernel.Registry) error {
	for at := 0; at < len(order); {
		first := order[at]
		if !taken[first] {
			if err := m.addStep(first, registry); err != nil {
				def := &m.def.Nodes[first]
				return fmt.Errorf("node %d %s %s: %w", first, def.Op, def.Name, err)
			}
			at++
			continue
		}
		end := at + 1
		for end < len(order) && taken[order[end]] {
			end++
		}
		m.addPart(order[at:end])
		at = end
	}
	return nil
}

// addPart makes a step of nodes that the delegate takes. Its outputs are what
// the method gives out and what nodes outside read.
func (m *Method) addPart(nodes []int) {
	p := m.newPart(nodes)
	inside := make(map[int]bool)
	for _, i := range nodes {
		inside[i] = true
	}
	read := make(map[int]bool)
	for i := range m.def.Nodes {
		if inside[i] {
			continue
		}
		for _, v := range m.def.Nodes[i].In {
			read[v] = true
		}
	}
	step := step{node: &program.Node{Name: partName(m.def, nodes)}, runs: m.session.delegate.Name(), part: p, slots: p.slots}
	for at, v := range p.values {
		switch kind := p.partition.Values[at].Kind; {
		case kind == program.Temp && (m.output[v] || read[v]):
			m.origins[v] = origin{p, len(p.partition.Outputs)}
			p.partition.Outputs = append(p.partition.Outputs, at)
			step.node.Out = append(step.node.Out, v)
		case kind != program.Temp:
			step.node.In = append(step.node.In, v)
		}
	}
	p.fetched = make([]bool, len(p.partition.Outputs))
	for i := range p.fetched {
		p.fetched[i] = true // there is nothing to fetch before the first run
	}
	m.steps = append(m.steps, step)
}

func partName(def *program.Method, nodes []int) string {
	first := def.Nodes[nodes[0]].Name
	if len(nodes) == 1 {
		return first
	}
	return fmt.Sprintf("%s … %s (%d nodes)", first, def.Nodes[nodes[len(nodes)-1]].Name, len(nodes))
}

// place picks a side for each node and makes the steps.
func (m *Method) place(registry *kernel.Registry, refusal string) error {
	taken := m.ask(refusal)
	return m.addParts(m.schedule(taken), taken, registry)
}

// partitions are those of the method.
func (m *Method) partitions() []*backend.Partition {
	var list []*backend.Partition
	for i := range m.steps {
		if p := m.steps[i].part; p != nil {
			list = append(list, p.partition)
		}
	}
	return list
}

// release frees what the delegate has compiled of the method.
func (m *Method) release() {
	for i := range m.steps {
		if p := m.steps[i].part; p != nil && p.executable != nil {
			p.executable.Close()
			p.executable = nil
		}
	}
}

// compile makes the partitions ready.
func (m *Method) compile(ctx context.Context) error {
	for i := range m.steps {
		p := m.steps[i].part
		if p == nil {
			continue
		}
		var err error
		if p.executable, err = m.session.delegated.Compile(ctx, p.partition); err != nil {
			return fmt.Errorf("%s: %w", m.steps[i].node.Name, err)
		}
	}
	return nil
}

// placement says in a line what runs where.
func (m *Method) placement() string {
	parts, nodes, name := 0, len(m.def.Nodes), m.session.delegate.Name()
	for i := range m.steps {
		if m.steps[i].part != nil {
			parts++
		}
	}
	if m.taken == nodes {
		return fmt.Sprintf("method %s: all %d nodes run on %s", m.def.Name, nodes, name)
	}
	if m.taken == 0 {
		return fmt.Sprintf("method %s: all %d nodes run on the CPU, none on %s (%s)", m.def.Name, nodes, name, m.refusal)
	}
	return fmt.Sprintf("method %s: %d of %d nodes run on %s, in %d partitions; the CPU runs the others (%s)",
		m.def.Name, m.taken, nodes, name, parts, m.refusal)
}

// run runs the partition. One that mutates is done whole or not at all.
func (p *part) run(ctx context.Context) error {
	if p.partition.Mutates {
		ctx = context.Background()
	}
	if err := p.executable.Run(ctx); err != nil {
		return err
	}
	clear(p.fetched)
	return nil
}

// fetch brings a value to the host if a partition made it.
func (m *Method) fetch(v int) error {
	from := m.origins[v]
	if from.part == nil || from.part.fetched[from.output] {
		return nil
	}
	if err := from.part.executable.Fetch(from.output); err != nil {
		return fmt.Errorf("%s: fetching %s: %w", m.session.delegate.Name(), m.def.Values[v].Name, err)
	}
	from.part.fetched[from.output] = true
	return nil
}
