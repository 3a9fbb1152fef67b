package gpu

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/plan"
	"zeroth/runtime/program"
)

// executable is a partition with its places on the device and a recording of its
// stages. Inputs and small outputs lie where the host gets at them quickly, other
// outputs in buffers of their own, since they outlive the run, and everything
// else in the session's arena.
type executable struct {
	session   *session
	partition *backend.Partition
	values    []*mirror
	outputs   []mirror // at the extents of the last run
	calls     []*kernel.Call
	scratches [][]Span // by node
	plan      *plan.Plan
	items     []item
	buffers   []Buffer // inputs and outputs

	stageCount int // of the measured stages

	stages    []Stage // made once, at the session's bounds
	nodes     []int   // the node of each stage
	arena     Buffer  // that the stages use
	recording Recording
	replaced  int64 // bytes that recordings before it wrote
}

// item is spans at the same place of the arena: several where ops work in place.
type item []*Span

// smallOutput is the size up to which an output lies where the host sees it.
const smallOutput = 64 << 10

// Compile implements backend.Session.
func (s *session) Compile(ctx context.Context, p *backend.Partition) (backend.Executable, error) {
	e := &executable{session: s, partition: p}
	if err := e.make(ctx); err != nil {
		e.free()
		s.giveUnused()
		return nil, declined(err)
	}
	s.executables = append(s.executables, e)
	return e, nil
}

// declined wraps ErrDeclined where the device is too small.
func declined(err error) error {
	if errors.Is(err, ErrMemory) || errors.Is(err, ErrTooLarge) {
		return fmt.Errorf("%w: %w", backend.ErrDeclined, err)
	}
	return err
}

func (e *executable) make(ctx context.Context) error {
	e.findValues()
	if err := e.placeKept(ctx); err != nil {
		return err
	}
	t := &trial{ctx: ctx, tell: e.session.tell}
	if err := e.measureScratch(t); err != nil {
		return err
	}
	if err := e.placeOutside(); err != nil {
		return err
	}
	if n := e.crossing(); n > int64(len(e.session.crossing)) {
		e.session.crossing = make([]byte, n)
	}
	if err := e.planArena(); err != nil {
		return err
	}
	if err := e.session.reserve(int64(e.plan.Bytes)); err != nil {
		return err
	}
	if err := e.makeStages(t); err != nil {
		return err
	}
	if err := e.compileKernels(ctx); err != nil {
		return err
	}
	return e.record()
}

// tell says how far a long work has come, if anybody wants to know.
func (s *session) tell(what string, done, total int) {
	if s.info.Progress != nil {
		s.info.Progress(what, done, total)
	}
}

// findValues gives all values their parts, without places.
func (e *executable) findValues() {
	limit := e.session.ops.device.Limits().PartBytes
	half := e.session.ops.halves(e.partition.Nodes, e.partition.Values)
	for i := range e.partition.Values {
		t := e.partition.Values[i].Tensor
		e.values = append(e.values, &mirror{t, split(t, limit, half[i])})
	}
	for _, v := range e.partition.Outputs {
		if in := e.over(v); in >= 0 {
			e.values[v].parts = e.values[in].parts
		}
	}
}

// over gives the input that an output lies over, or −1. The device has an output
// where the host has it: so kernels are examined in place, as planArena has
// temporaries.
func (e *executable) over(output int) int {
	data := e.partition.Values[output].Tensor.Data
	for _, v := range e.partition.Inputs {
		if in := e.partition.Values[v].Tensor.Data; len(data) > 0 && len(in) > 0 && &data[0] == &in[0] && e.sameElements(v, output) {
			return v
		}
	}
	return -1
}

// sameElements reports whether two values are both of f16 or neither is.
func (e *executable) sameElements(v, w int) bool {
	return e.values[v].parts[0].half == e.values[w].parts[0].half
}

// crossing are the bytes that inputs and outputs need to be converted.
func (e *executable) crossing() (n int64) {
	for _, v := range slices.Concat(e.partition.Inputs, e.partition.Outputs) {
		n = max(n, e.values[v].crossing())
	}
	return n
}

// placeKept gives constants and slots the places that they have in the session.
func (e *executable) placeKept(ctx context.Context) error {
	for i := range e.partition.Values {
		v := &e.partition.Values[i]
		err := ctx.Err()
		switch {
		case err != nil:
		case v.Kind == program.ConstRef:
			e.session.tell("weights and other values copied", i, len(e.partition.Values))
			e.values[i], err = e.session.constant(v)
		case v.Kind == program.SlotRef:
			e.values[i], err = e.session.slot(v.Ref)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
	}
	for _, v := range e.partition.Outputs {
		m := e.values[v]
		e.outputs = append(e.outputs, mirror{&kernel.Tensor{Type: m.tensor.Type, Shape: make([]int, len(m.tensor.Shape))}, m.parts})
	}
	return nil
}

// measureScratch makes each node's stages once, to see what memory they want.
func (e *executable) measureScratch(t *trial) error {
	for i := range e.partition.Nodes {
		n := &e.partition.Nodes[i]
		call, measured := callOf(n, e.partition.Values), &measuredMemory{}
		measured.inputs, measured.outputs = e.partsOf(n.In), e.partsOf(n.Out)
		stages, err := e.session.ops.build(call, measured, t)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		e.stageCount += len(stages)
		spans := make([]Span, len(measured.scratches))
		for k, bytes := range measured.scratches {
			spans[k].Size = bytes
		}
		e.calls, e.scratches = append(e.calls, call), append(e.scratches, spans)
	}
	return nil
}

func (e *executable) partsOf(values []int) [][]part {
	list := make([][]part, len(values))
	for i, v := range values {
		list[i] = e.values[v].parts
	}
	return list
}

// placeOutside places inputs and outputs.
func (e *executable) placeOutside() error {
	var inputs, small, large []*Span
	for _, v := range e.partition.Inputs {
		inputs = append(inputs, e.values[v].spans()...)
	}
	for _, v := range e.partition.Outputs {
		if e.over(v) >= 0 {
			continue // it is placed
		}
		for _, span := range e.values[v].spans() {
			if span.Size <= smallOutput {
				small = append(small, span)
			} else {
				large = append(large, span)
			}
		}
	}
	return errors.Join(e.place(inputs, Input), e.place(small, Output), e.place(large, Local))
}

// largeBytes is the size from which a span gets a buffer of its own.
const largeBytes = 1 << 20

// place gives spans memory: large ones buffers of their own, the others one
// together.
func (e *executable) place(spans []*Span, use Use) error {
	var together []*Span
	bytes := int64(0)
	for _, span := range spans {
		if span.Size >= largeBytes {
			b, err := e.allocate(span.Size, use)
			if err != nil {
				return err
			}
			span.Buffer = b
			continue
		}
		span.Offset = bytes
		bytes += aligned(span.Size)
		together = append(together, span)
	}
	if bytes == 0 {
		return nil
	}
	b, err := e.allocate(bytes, use)
	for _, span := range together {
		span.Buffer = b
	}
	return err
}

func (e *executable) allocate(bytes int64, use Use) (Buffer, error) {
	b, err := e.session.ops.device.Allocate(bytes, use)
	if err == nil {
		e.buffers = append(e.buffers, b)
	}
	return b, err
}

// planArena plans temporaries and working memory from one node to the next.
func (e *executable) planArena() error {
	last := make([]int, len(e.values))
	outside := make([]bool, len(e.values))
	for _, v := range e.partition.Outputs {
		outside[v] = true
	}
	for i, n := range e.partition.Nodes {
		for _, v := range n.In {
			last[v] = i
		}
		for _, v := range n.Out {
			last[v] = i
		}
	}
	var lives []plan.Item
	home := make(map[int]int) // first item of a temporary
	add := func(span *Span, name string, first, end int) {
		lives = append(lives, plan.Item{Name: name, Bytes: int(aligned(span.Size)), First: first, Last: end})
		e.items = append(e.items, item{span})
	}
	for i := range e.partition.Nodes {
		n := &e.partition.Nodes[i]
		for _, v := range n.Out {
			if outside[v] {
				continue
			}
			if from := e.overwritten(n, v, i, last, home); from >= 0 {
				home[v] = home[from]
				for k, span := range e.values[v].spans() {
					at := home[v] + k
					lives[at].Last, e.items[at] = last[v], append(e.items[at], span)
				}
				continue
			}
			home[v] = len(lives)
			for _, span := range e.values[v].spans() {
				add(span, e.partition.Values[v].Name, i, last[v])
			}
		}
		for k := range e.scratches[i] {
			add(&e.scratches[i][k], "working memory of "+n.Name, i, i)
		}
	}
	var err error
	e.plan, err = plan.Build(lives)
	return err
}

// overwritten gives the temporary whose place output v of node i may take over,
// or −1: input 0 of an op that may work in place, of the same type, that nobody
// reads afterwards.
func (e *executable) overwritten(n *backend.Node, v, i int, last []int, home map[int]int) int {
	if !n.Spec.InPlace {
		return -1
	}
	from := n.In[0]
	if _, ok := home[from]; !ok || last[from] != i || !e.values[from].tensor.Type.Equal(e.values[v].tensor.Type) || !e.sameElements(from, v) {
		return -1
	}
	for _, other := range n.In[1:] {
		if other == from {
			return -1
		}
	}
	return from
}

// makeStages makes the stages of all nodes, with the arena where it is now. Which
// tiles products have, and how much working memory they take, follows from the
// extents of the moment: those of the session's bounds.
func (e *executable) makeStages(t *trial) error {
	e.arena = e.session.arena
	for i, at := range e.plan.Items {
		for _, span := range e.items[i] {
			span.Buffer, span.Offset = e.arena, int64(at.Offset)
		}
	}
	for i := range e.partition.Nodes {
		n := &e.partition.Nodes[i]
		memory := &placedMemory{e.partsOf(n.In), e.partsOf(n.Out), e.scratches[i]}
		list, err := e.session.ops.build(e.calls[i], memory, t)
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		for range list {
			e.nodes = append(e.nodes, i)
		}
		e.stages = append(e.stages, list...)
	}
	return nil
}

// compileKernels makes the stages' kernels ready.
func (e *executable) compileKernels(ctx context.Context) error {
	var kernels []*Stage // one of each
	known := make(map[string]bool)
	for i := range e.stages {
		s := &e.stages[i]
		if key := fmt.Sprint(s.Kernel.Name, s.Kernel.Half, s.Constants); !known[key] {
			known[key] = true
			kernels = append(kernels, s)
		}
	}
	for i, s := range kernels {
		e.session.tell("kernels compiled", i, len(kernels))
		if err := e.session.ops.device.Compile(ctx, s.Kernel, s.Constants); err != nil {
			return err
		}
	}
	return nil
}

// follow makes the stages use the session's arena, which has moved, or was lost
// when another partition wanted a larger one.
func (e *executable) follow() error {
	if err := e.session.reserve(int64(e.plan.Bytes)); err != nil {
		return err
	}
	for i := range e.stages {
		for k := range e.stages[i].Spans {
			if span := &e.stages[i].Spans[k]; e.arena != nil && span.Buffer == e.arena {
				span.Buffer = e.session.arena
			}
		}
	}
	e.arena = e.session.arena
	return e.record()
}

// record records the stages.
func (e *executable) record() error {
	if e.recording != nil {
		e.replaced += e.recording.Written()
		e.recording.Free()
		e.recording = nil
	}
	device := e.session.ops.device
	if timer, ok := device.(Timer); ok && e.session.info.Profile {
		if r, err := timer.RecordTimed(e.stages); err == nil {
			e.recording = r
			return nil
		}
	}
	r, err := device.Record(e.stages)
	if err == nil {
		e.recording = r
	}
	return err
}

// Run implements backend.Executable.
func (e *executable) Run(ctx context.Context) error {
	if e.plan.Bytes > 0 && e.arena != e.session.arena || e.recording == nil {
		if err := e.follow(); err != nil {
			return err
		}
	}
	for _, v := range e.partition.Inputs {
		n, err := e.values[v].upload(e.session.ops.device, e.values[v].tensor.Data, e.session.crossing)
		e.session.up += n
		if err != nil {
			return fmt.Errorf("%s: %w", e.partition.Values[v].Name, err)
		}
	}
	if e.partition.Mutates {
		ctx = context.WithoutCancel(ctx)
	}
	if err := e.recording.Run(ctx); err != nil {
		return err
	}
	for i, v := range e.partition.Outputs {
		now := e.values[v].tensor
		e.outputs[i].tensor.Width = now.Width
		copy(e.outputs[i].tensor.Shape, now.Shape)
	}
	return nil
}

// Fetch implements backend.Executable.
func (e *executable) Fetch(output int) error {
	data := e.values[e.partition.Outputs[output]].tensor.Data
	n, err := e.outputs[output].download(e.session.ops.device, data, e.session.crossing)
	e.session.down += n
	return err
}

// NodeTimes implements backend.NodeTimer; none where the device does not tell.
func (e *executable) NodeTimes() []float64 {
	r, ok := e.recording.(TimedRecording)
	if !ok || !e.session.info.Profile {
		return nil
	}
	seconds, nodes := make([]float64, len(e.stages)), make([]float64, len(e.partition.Nodes))
	if err := r.StageTimes(seconds); err != nil {
		return nil
	}
	for i, node := range e.nodes {
		nodes[node] += seconds[i]
	}
	return nodes
}

// written are the bytes of parameters that runs have written.
func (e *executable) written() int64 {
	if e.recording == nil {
		return e.replaced
	}
	return e.replaced + e.recording.Written()
}

func (e *executable) free() {
	if e.recording != nil {
		e.recording.Free()
	}
	for _, b := range e.buffers {
		b.Free()
	}
	e.recording, e.buffers = nil, nil
}

// Close implements backend.Executable.
func (e *executable) Close() {
	s := e.session
	if i := slices.Index(s.executables, e); i >= 0 {
		s.executables = slices.Delete(s.executables, i, i+1)
		s.parameters += e.written()
		e.free()
		s.giveUnused()
	}
}
