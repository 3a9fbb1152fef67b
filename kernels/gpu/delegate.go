package gpu

import (
	"errors"
	"fmt"
	"slices"

	"zeroth/runtime/backend"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Delegate runs partitions of a method on the device. The name is the backend's.
func (o *Ops) Delegate(name string) backend.Delegate { return &delegate{o, name} }

type delegate struct {
	ops  *Ops
	name string
}

// Name implements backend.Delegate.
func (d *delegate) Name() string { return d.name }

// Supports implements backend.Delegate: it makes the node's stages, as if there
// were memory without end.
func (d *delegate) Supports(n *backend.Node, values []backend.Value) error {
	limits := d.ops.device.Limits()
	measured := &measuredMemory{}
	call := callOf(n, values)
	half := d.ops.halves([]backend.Node{*n}, values)
	for i, t := range call.In {
		measured.inputs = append(measured.inputs, split(t, limits.PartBytes, half[n.In[i]]))
	}
	for i, t := range call.Out {
		measured.outputs = append(measured.outputs, split(t, limits.PartBytes, half[n.Out[i]]))
	}
	stages, err := d.ops.build(call, measured, nil)
	if err != nil {
		return err
	}
	for _, s := range stages {
		for _, span := range s.Spans {
			if span.Size > min(limits.BufferBytes, limits.AllocationBytes) {
				return fmt.Errorf("%w: %d bytes in one buffer, %d at most", ErrTooLarge, span.Size, min(limits.BufferBytes, limits.AllocationBytes))
			}
		}
	}
	return nil
}

// Open implements backend.Delegate.
func (d *delegate) Open(info backend.SessionInfo) (backend.Session, error) {
	s := &session{ops: d.ops, info: info, pool: pool{device: d.ops.device}}
	s.empty()
	return s, nil
}

// callOf is a node as builders see it.
func callOf(n *backend.Node, values []backend.Value) *kernel.Call {
	c := &kernel.Call{Spec: n.Spec, Attrs: n.Attrs}
	for _, v := range n.In {
		c.In = append(c.In, values[v].Tensor)
	}
	for _, v := range n.Out {
		c.Out = append(c.Out, values[v].Tensor)
	}
	return c
}

// measuredMemory is none: it notes what a node wants.
type measuredMemory struct {
	inputs, outputs [][]part
	scratches       []int64
}

func (m *measuredMemory) in(i int) []part  { return m.inputs[i] }
func (m *measuredMemory) out(i int) []part { return m.outputs[i] }

func (m *measuredMemory) scratch(bytes int64) Span {
	m.scratches = append(m.scratches, bytes)
	return Span{Size: bytes}
}

// placedMemory is where a node's tensors are. Working memory is given out in the
// order in which it was measured.
type placedMemory struct {
	inputs, outputs [][]part
	scratches       []Span
}

func (m *placedMemory) in(i int) []part  { return m.inputs[i] }
func (m *placedMemory) out(i int) []part { return m.outputs[i] }

func (m *placedMemory) scratch(int64) Span {
	span := m.scratches[0]
	m.scratches = m.scratches[1:]
	return span
}

// session holds what partitions share on the device: constants, slots and the
// arena of their temporaries.
type session struct {
	ops         *Ops
	info        backend.SessionInfo
	pool        pool
	constants   map[int]*mirror // by Value.Ref
	slots       []*mirror       // nil as long as nothing uses them
	arena       Buffer          // nil as long as no partition has temporaries
	executables []*executable
	up, down    int64
	crossing    []byte // for halves on their way from or to the host
	parameters  int64  // bytes that recordings of closed partitions wrote
}

// empty gives back the memory of constants and slots.
func (s *session) empty() {
	s.pool.free()
	s.constants, s.slots = make(map[int]*mirror), make([]*mirror, len(s.info.Slots))
}

// constant uploads a constant, once.
func (s *session) constant(v *backend.Value) (*mirror, error) {
	if m, ok := s.constants[v.Ref]; ok {
		return m, nil
	}
	m, err := s.take(v.Tensor)
	if err != nil {
		return nil, err
	}
	n, err := m.upload(s.ops.device, v.Tensor.Data, nil)
	s.up += n
	if err != nil {
		s.give(m)
		return nil, err
	}
	s.noteRange(m, v.Tensor.Data)
	s.constants[v.Ref] = m
	return m, nil
}

// slot makes room for a slot, once.
func (s *session) slot(i int) (*mirror, error) {
	if i < 0 || i >= len(s.slots) {
		return nil, fmt.Errorf("%w: slot %d of %d", op.ErrInvalid, i, len(s.slots))
	}
	if s.slots[i] != nil {
		return s.slots[i], nil
	}
	m, err := s.take(s.slotTensor(i))
	if err == nil {
		s.slots[i] = m
	}
	return m, err
}

// slotTensor is a slot as a tensor without data.
func (s *session) slotTensor(i int) *kernel.Tensor {
	t := &kernel.Tensor{Type: s.info.Slots[i].Type, Width: 1}
	for _, d := range t.Type.Shape {
		t.Shape = append(t.Shape, d.Offset)
	}
	return t
}

// take gives a tensor a place that it keeps.
func (s *session) take(t *kernel.Tensor) (*mirror, error) {
	m := &mirror{t, split(t, s.ops.device.Limits().PartBytes, false)}
	for i := range m.parts {
		span, err := s.pool.take(m.parts[i].span.Size)
		if err != nil {
			m.parts = m.parts[:i]
			s.give(m)
			return nil, err
		}
		m.parts[i].span = span
	}
	return m, nil
}

// give gives a tensor's place back, as far as nothing else lies in its buffers.
func (s *session) give(m *mirror) {
	for i := range m.parts {
		s.pool.give(m.parts[i].span.Buffer)
	}
}

// giveUnused gives back the memory of what no partition uses: all of it where
// there is none.
func (s *session) giveUnused() {
	if len(s.executables) == 0 {
		s.empty()
		s.crossing = nil
		if s.arena != nil {
			s.arena.Free()
			s.arena = nil
		}
		return
	}
	used := make(map[*mirror]bool)
	for _, e := range s.executables {
		for _, m := range e.values {
			used[m] = true
		}
	}
	for ref, m := range s.constants {
		if !used[m] {
			delete(s.constants, ref)
			s.give(m)
		}
	}
}

// WriteSlot implements backend.Session.
func (s *session) WriteSlot(slot int, data []byte) error {
	m, err := s.slot(slot)
	if err != nil {
		return err
	}
	n, err := m.upload(s.ops.device, data, nil)
	s.up += n
	return err
}

// ReadSlot implements backend.Session.
func (s *session) ReadSlot(slot int, data []byte) error {
	m, err := s.slot(slot)
	if err != nil {
		return err
	}
	n, err := m.download(s.ops.device, data, nil)
	s.down += n
	return err
}

// reserve makes the arena at least that large. Partitions that use it notice
// when it has moved.
func (s *session) reserve(bytes int64) error {
	old := int64(0)
	if s.arena != nil {
		old = s.arena.Size()
	}
	if bytes <= old {
		return nil
	}
	if most := s.ops.device.Limits().AllocationBytes; bytes > most {
		return fmt.Errorf("%w: temporaries of %d bytes, a buffer may have %d", ErrTooLarge, bytes, most)
	}
	if s.arena != nil {
		s.arena.Free()
		s.arena = nil
	}
	arena, err := s.ops.device.Allocate(bytes, Local)
	if err == nil {
		s.arena = arena
		return nil
	}
	if old > 0 { // those that were compiled want theirs back
		again, failed := s.ops.device.Allocate(old, Local)
		if failed != nil {
			return errors.Join(err, failed)
		}
		s.arena = again
	}
	return err
}

// Moved implements backend.Session.
func (s *session) Moved() (up, down int64) {
	up, down = s.up, s.down
	up += s.parameters
	for _, e := range s.executables {
		up += e.written()
	}
	return up, down
}

// Close implements backend.Session.
func (s *session) Close() {
	for _, e := range s.executables {
		e.free()
	}
	if s.arena != nil {
		s.arena.Free()
	}
	s.pool.free()
}

// pool gives spans of the device's own memory, which live as long as the pool:
// small ones out of buffers that they share.
type pool struct {
	device  Device
	buffers []Buffer
	shared  map[Buffer]bool // hold several spans
	rest    Span            // of the last shared buffer
	next    int64
}

// The sizes of shared buffers.
const (
	leastShared = 64 << 10
	mostShared  = 4 << 20
)

func (p *pool) take(bytes int64) (Span, error) {
	size := aligned(bytes)
	if size > p.rest.Size || p.rest.Buffer == nil {
		shared := min(max(p.next, leastShared), mostShared)
		if size > shared/4 {
			b, err := p.allocate(size)
			return Span{Buffer: b, Size: bytes}, err
		}
		b, err := p.allocate(shared)
		if err != nil {
			return Span{}, err
		}
		if p.shared == nil {
			p.shared = make(map[Buffer]bool)
		}
		p.shared[b] = true
		p.rest, p.next = Span{Buffer: b, Size: shared}, 2*shared
	}
	span := p.rest.Part(0, bytes)
	p.rest = p.rest.Part(size, p.rest.Size-size)
	return span, nil
}

func (p *pool) allocate(bytes int64) (Buffer, error) {
	b, err := p.device.Allocate(bytes, Local)
	if err == nil {
		p.buffers = append(p.buffers, b)
	}
	return b, err
}

// give frees a buffer that only one span lies in.
func (p *pool) give(b Buffer) {
	if i := slices.Index(p.buffers, b); i >= 0 && !p.shared[b] {
		p.buffers = slices.Delete(p.buffers, i, i+1)
		b.Free()
	}
}

// bytes are those of all buffers.
func (p *pool) bytes() (n int64) {
	for _, b := range p.buffers {
		n += b.Size()
	}
	return n
}

func (p *pool) free() {
	for _, b := range p.buffers {
		b.Free()
	}
	p.buffers, p.shared, p.rest = nil, nil, Span{}
}
