package plugin

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"zeroth/kernels/dl"
	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Delegate is the plug-in's delegate, or nil if it has none.
func (p *Plugin) Delegate() backend.Delegate {
	if !p.HasDelegate() {
		return nil
	}
	return delegate{p}
}

// DelegateKernels are kernels that run each node as a partition of its own: for
// the conformance suite and op by op comparison, not for speed.
func (p *Plugin) DelegateKernels() []kernel.Kernel {
	if !p.HasDelegate() {
		return nil
	}
	list := backend.Kernels(delegate{p}, p.name+"_delegate", -p.score)
	for i := range list {
		spec, _ := op.Lookup(list[i].Op)
		list[i].Supports = func(in []op.Type, attrs op.Attrs) bool {
			node, values, err := nominal(spec, in, attrs)
			return err == nil && delegate{p}.Supports(node, values) == nil
		}
	}
	return list
}

// nominalExtent is a size that any delegate takes.
const nominalExtent = 4

// nominal is a node of which only the types are known, with tensors of few
// elements where extents vary.
func nominal(spec *op.Spec, in []op.Type, attrs op.Attrs) (*backend.Node, []backend.Value, error) {
	out, err := spec.Infer(in, attrs)
	if err != nil {
		return nil, nil, err
	}
	const n = nominalExtent
	bounds := op.Extents{Width: n, N: n, S: n, R: n, K: n, G: n, Q: n}
	node := &backend.Node{Spec: spec, Attrs: attrs}
	var values []backend.Value
	for i, t := range append(append([]op.Type(nil), in...), out...) {
		tensor := &kernel.Tensor{Type: t, Width: 1}
		if t.Wide {
			tensor.Width = bounds.Width
		}
		for _, d := range t.Shape {
			tensor.Shape = append(tensor.Shape, bounds.Of(d))
		}
		kind := program.Input
		if i >= len(in) {
			kind = program.Temp
			node.Out = append(node.Out, i)
		} else {
			node.In = append(node.In, i)
		}
		values = append(values, backend.Value{Kind: kind, Tensor: tensor})
	}
	return node, values, nil
}

type delegate struct{ p *Plugin }

func (d delegate) Name() string { return d.p.name }

// Supports asks for a node with its largest extents.
func (d delegate) Supports(n *backend.Node, values []backend.Value) error {
	list := describeValues(values, []backend.Node{*n})
	node := describePartitionNode(n, list)
	f := newFault()
	err := d.p.call("node_query", d.p.table.nodeQuery, d.p.table.delegateFlags, f, d.p.state, uintptr(unsafe.Pointer(node)), f.pointer())
	if err != nil && !errors.Is(err, ErrUnsupported) {
		d.p.log(err.Error())
	}
	return err
}

// session is a session of the plug-in's.
type session struct {
	*resources
	bounds   op.Extents
	sizes    []int // of the slots
	up, down int64 // bytes
}

// resources are what a session holds of the plug-in's, freed when it is closed or
// when nobody can reach it any more.
type resources struct {
	p      *Plugin
	handle uintptr
	pinned runtime.Pinner // constants, which the plug-in may use in place

	mu          sync.Mutex // of what follows: Close may come on any goroutine
	executables []uintptr
	closed      bool
}

func (r *resources) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	for _, e := range r.executables {
		r.p.release(r.p.table.executableDestroy, r.p.table.delegateFlags, e)
	}
	r.executables = nil
	r.p.release(r.p.table.sessionClose, r.p.table.delegateFlags, r.handle)
	r.pinned.Unpin()
}

func (d delegate) Open(info backend.SessionInfo) (backend.Session, error) {
	s := &session{resources: &resources{p: d.p}, bounds: info.Bounds}
	c := &cSessionInfo{
		size: sizeOf[cSessionInfo](), copies: uint32(max(info.Bounds.Width, 1)),
		slotCount: uint32(len(info.Slots)), threads: uint32(runtime.GOMAXPROCS(0)),
	}
	var slots []*cTensor
	for _, slot := range info.Slots {
		bytes, err := slot.Type.Bytes(info.Bounds)
		if err != nil {
			return nil, err
		}
		t := typed(slot.Type, true, false)
		t.bytes = uint64(bytes)
		slots, s.sizes = append(slots, t), append(s.sizes, bytes)
	}
	c.slots = first(slots)
	f := newFault()
	err := d.p.call("session_open", d.p.table.sessionOpen, d.p.table.delegateFlags, f,
		d.p.state, uintptr(unsafe.Pointer(c)), uintptr(unsafe.Pointer(&s.handle)), f.pointer())
	if err != nil {
		return nil, err
	}
	runtime.AddCleanup(s, (*resources).Close, s.resources)
	return s, nil
}

// declined wraps ErrDeclined where the host can do without the delegate.
func declined(err error) error {
	if err != nil && !errors.Is(err, ErrFatal) {
		return fmt.Errorf("%w: %w", backend.ErrDeclined, err)
	}
	return err
}

func (s *session) Compile(ctx context.Context, p *backend.Partition) (backend.Executable, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := &executable{session: s, partition: p, described: describePartition(p, s.bounds), fault: newFault(), fetched: make([]int, len(p.Outputs)), watched: make([]bool, len(p.Outputs))}
	for i := range e.described.values {
		v := &e.described.values[i]
		constant := p.Values[i].Kind == program.ConstRef
		v.show(constant)
		if constant && v.c.data != nil {
			s.pinned.Pin(v.c.data)
		}
	}
	err := s.p.call("partition_compile", s.p.table.partitionCompile, s.p.table.delegateFlags, e.fault,
		s.handle, uintptr(unsafe.Pointer(e.described.c)), uintptr(unsafe.Pointer(&e.handle)), e.fault.pointer())
	if err != nil {
		return nil, declined(err)
	}
	s.mu.Lock()
	s.executables = append(s.executables, e.handle)
	s.mu.Unlock()
	e.args = []uintptr{e.handle, uintptr(unsafe.Pointer(e.described.c)), e.fault.pointer()}
	return e, nil
}

// destroy frees a partition before the session ends.
func (r *resources) destroy(executable uintptr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.executables, executable); i >= 0 {
		r.executables = slices.Delete(r.executables, i, i+1)
		r.p.release(r.p.table.executableDestroy, r.p.table.delegateFlags, executable)
	}
}

// Close implements backend.Executable.
func (e *executable) Close() { e.session.destroy(e.handle) }

func (s *session) slot(name string, function uintptr, slot int, data []byte) error {
	if slot < 0 || slot >= len(s.sizes) || len(data) < s.sizes[slot] {
		return fmt.Errorf("%w: %s: %s: slot %d of %d, %d bytes", ErrCall, s.p.name, name, slot, len(s.sizes), len(data))
	}
	f := newFault()
	return s.p.call(name, function, s.p.table.delegateFlags, f,
		s.handle, uintptr(slot), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(s.sizes[slot]), f.pointer())
}

func (s *session) WriteSlot(slot int, data []byte) error {
	err := s.slot("slot_write", s.p.table.slotWrite, slot, data)
	if err == nil {
		s.up += int64(s.sizes[slot])
	}
	return err
}

func (s *session) ReadSlot(slot int, data []byte) error {
	err := s.slot("slot_read", s.p.table.slotRead, slot, data)
	if err == nil {
		s.down += int64(s.sizes[slot])
	}
	return err
}

func (s *session) Moved() (up, down int64) { return s.up, s.down }

// executable is a compiled partition.
type executable struct {
	session   *session
	handle    uintptr
	partition *backend.Partition
	described *partition
	fault     *fault
	args      []uintptr // handle, partition, fault
	fetched   []int     // bytes of each output at the extents of the last run
	watched   []bool    // outputs of which a fetch has been seen to write everything
}

// Run shows the plug-in the inputs' storage. It cannot be cancelled: a partition
// ends when the plug-in's function returns.
func (e *executable) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range e.described.values {
		v := &e.described.values[i]
		v.resize()
		v.show(false)
	}
	for _, i := range e.partition.Inputs {
		v := &e.described.values[i]
		v.show(true)
		e.session.up += int64(bytes(v.of))
	}
	for i, output := range e.partition.Outputs {
		e.fetched[i] = bytes(e.partition.Values[output].Tensor)
	}
	e.fault.clear()
	result := e.enter()
	runtime.KeepAlive(e)
	return e.fault.check(e.session.p.name, "executable_run", result)
}

func (e *executable) enter() uintptr {
	table := e.session.p.table
	if table.delegateFlags&flagConcurrent == 0 {
		serial.Lock()
		defer serial.Unlock()
	}
	return dl.Call(table.executableRun, e.args...)
}

func (e *executable) Fetch(output int) error {
	t := e.partition.Values[e.partition.Outputs[output]].Tensor
	if len(t.Data) < e.fetched[output] {
		return fmt.Errorf("%w: %s: executable_fetch: output %d has %d bytes of %d", ErrCall, e.session.p.name, output, len(t.Data), e.fetched[output])
	}
	p := e.session.p
	data := t.Data[:e.fetched[output]]
	if !e.watched[output] {
		poison(data)
	}
	err := p.call("executable_fetch", p.table.executableFetch, p.table.delegateFlags, e.fault,
		e.handle, uintptr(output), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), e.fault.pointer())
	if err != nil {
		return err
	}
	e.session.down += int64(e.fetched[output])
	if !e.watched[output] {
		e.watched[output] = true
		if element, found := unwritten(data); found {
			return fmt.Errorf("%w: %s: executable_fetch left element %d of output %d unwritten", ErrCall, p.name, element, output)
		}
	}
	return nil
}
