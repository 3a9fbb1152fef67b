package executor

import (
	"context"
	"fmt"
	"time"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/plan"
	"zeroth/runtime/platform"
	"zeroth/runtime/program"
)

// Method is a bound method of a session.
type Method struct {
	session *Session
	def     *program.Method
	tensors []*kernel.Tensor // by value
	steps   []step
	checks  []check
	plan    *plan.Plan
	home    []int    // item of the plan that holds a temporary, or −1
	output  []bool   // which values can be read after a run
	origins []origin // which values partitions give out
	taken   int      // nodes that the delegate runs
	refusal string   // why it does not run one
	// outsideBytes is what inputs and outputs take beside the arena: a float,
	// since their sum need not fit an int.
	outsideBytes float64
	extents      op.Extents
	mutates      bool // some node writes a slot
	job          job  // the run that is under way
}

// step is a node with its kernel, or a partition.
type step struct {
	node         *program.Node // of a partition: its name, what it reads and gives out
	index        int           // of the node in its method
	part         *part         // nil for a node of the host's
	slots        []slotUse     // kept where there is a delegate
	runs         string        // the kernel's name, or the delegate's
	call         *kernel.Call
	kernel       *kernel.Kernel
	runner       kernel.Runner
	scratchBytes int
	scratchItem  int
	stats        NodeStats
}

// check is the contract of one index input.
type check struct {
	rule  op.IndexRule
	name  string
	value *kernel.Tensor
	of    *kernel.Tensor
}

// bind gives the tensors their storage and the kernels their calls.
func (m *Method) bind() error {
	for i, t := range m.tensors {
		v := &m.def.Values[i]
		switch {
		case v.Kind == program.SlotRef:
			t.Data = m.session.slots[v.Ref].data
		case m.home[i] >= 0:
			t.Data = m.item(m.home[i])
		case v.Kind == program.Input || m.output[i]:
			size, err := t.Type.Bytes(m.session.bounds)
			if err != nil {
				return fmt.Errorf("%w: %s: %w", ErrBounds, v.Name, err)
			}
			t.Data = platform.Aligned(size)
		}
	}
	for i := range m.steps {
		step := &m.steps[i]
		if step.part != nil {
			continue
		}
		if step.scratchBytes > 0 {
			step.call.Scratch = m.item(step.scratchItem)
		}
		runner, err := step.kernel.Bind(step.call)
		if err != nil {
			return fmt.Errorf("%s: %w", step.describe(), err)
		}
		step.runner = runner
	}
	return nil
}

func (m *Method) item(i int) []byte {
	p := m.plan.Items[i]
	return m.session.arena[p.Offset : p.Offset+p.Bytes : p.Offset+p.Bytes]
}

// Resize sets the extents of the runs that follow. Inputs must be written
// after it. It fails, and changes nothing, where an extent exceeds the
// session's bounds.
func (m *Method) Resize(e op.Extents) error {
	e.Width = max(e.Width, 1)
	if err := e.Within(m.session.bounds); err != nil {
		return fmt.Errorf("%w: method %s: %w", ErrInput, m.def.Name, err)
	}
	if e != m.extents {
		m.shape(e)
	}
	return nil
}

func (m *Method) shape(e op.Extents) {
	m.extents = e
	for _, t := range m.tensors {
		t.Width = 1
		if t.Type.Wide {
			t.Width = e.Width
		}
		for i, d := range t.Type.Shape {
			t.Shape[i] = e.Of(d)
		}
	}
}

// Has reports whether the method has an input of that name.
func (m *Method) Has(input string) bool {
	for i := range m.def.Values {
		if v := &m.def.Values[i]; v.Kind == program.Input && v.Name == input {
			return true
		}
	}
	return false
}

// Input returns the tensor of an input, to be filled before Run.
func (m *Method) Input(name string) (*kernel.Tensor, error) {
	for i := range m.def.Values {
		if v := &m.def.Values[i]; v.Kind == program.Input && v.Name == name {
			return m.tensors[i], nil
		}
	}
	return nil, fmt.Errorf("%w: method %s has no input %q", ErrInput, m.def.Name, name)
}

// Output returns the tensor of an output, as the last run of the method left it.
// It must be called after each run: what a delegate computed comes to the host
// when it is asked for.
func (m *Method) Output(name string) (*kernel.Tensor, error) {
	for _, v := range m.def.Outputs {
		if m.def.Values[v].Name == name {
			return m.tensors[v], m.fetch(v)
		}
	}
	return nil, fmt.Errorf("%w: method %s has no output %q", ErrInput, m.def.Name, name)
}

// Run computes the outputs from the inputs. It checks all index inputs first.
// A cancelled context ends it between two nodes, unless the method writes
// slots: that is done whole or not at all.
func (m *Method) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range m.checks {
		if err := m.checks[i].run(); err != nil {
			return fmt.Errorf("%w: method %s: input %s: %w", ErrInput, m.def.Name, m.checks[i].name, err)
		}
	}
	m.job = job{m, ctx}
	err := m.session.pool.Do(&m.job)
	m.job = job{}
	return err
}

// job is one run of a method's nodes.
type job struct {
	method *Method
	ctx    context.Context
}

func (j *job) Do() error {
	m := j.method
	m.session.pool.BeginPhases()
	defer m.session.pool.EndPhases()
	for i := range m.steps {
		if !m.mutates && j.ctx.Err() != nil {
			return j.ctx.Err()
		}
		if err := m.runStep(j.ctx, &m.steps[i]); err != nil {
			return fmt.Errorf("method %s: %s: %w", m.def.Name, m.steps[i].describe(), err)
		}
	}
	return nil
}

// runStep brings what the step reads to where it runs, and runs it.
func (m *Method) runStep(ctx context.Context, s *step) error {
	for _, v := range s.node.In {
		if err := m.fetch(v); err != nil {
			return err
		}
	}
	if err := m.bringSlots(s); err != nil {
		return err
	}
	defer m.markSlots(s)
	if m.session.profiler == nil {
		return s.run(ctx)
	}
	start := time.Now()
	if err := s.run(ctx); err != nil {
		return err
	}
	m.session.profiler.record(s, start, time.Since(start))
	m.session.pool.TakePhases(&s.stats.Work)
	return nil
}

func (s *step) run(ctx context.Context) error {
	if s.part != nil {
		return s.part.run(ctx)
	}
	return s.runner.Run()
}

// describe says what failed where.
func (s *step) describe() string {
	if s.part != nil {
		return s.runs + ": " + s.node.Name
	}
	return fmt.Sprintf("node %d %s %s: kernel %s", s.index, s.node.Op, s.node.Name, s.runs)
}

// opName names what a step computes; a partition has no op.
func opName(id op.ID) string {
	if id == 0 {
		return "partition"
	}
	return id.String()
}

func (c *check) run() error {
	var offsets []int32
	extent := 0
	if c.rule.Kind == op.InGroup {
		offsets = c.of.I32()
	} else {
		extent = c.of.Shape[0] - c.rule.Less
	}
	return c.rule.Check(c.value.I32(), extent, offsets)
}

// Plan is the method's memory plan at the session's bounds.
func (m *Method) Plan() *plan.Plan { return m.plan }

// Kernels lists the kernel picked for each step, in order, or the delegate.
func (m *Method) Kernels() []string {
	names := make([]string, len(m.steps))
	for i := range m.steps {
		names[i] = m.steps[i].runs
	}
	return names
}

// NodeNames lists the steps as "op name", in order.
func (m *Method) NodeNames() []string {
	names := make([]string, len(m.steps))
	for i := range m.steps {
		names[i] = opName(m.steps[i].node.Op) + " " + m.steps[i].node.Name
	}
	return names
}
