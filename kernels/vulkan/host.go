package vulkan

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"

	"zeroth/kernels/vulkan/vk"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// hostMemory mirrors the tensors of a call, which lie in host memory, on the
// device.
type hostMemory struct {
	device  *vk.Device
	buffers []*vk.Buffer
	inputs  []mirror
	outputs []mirror
}

// mirror is a tensor and its parts on the device.
type mirror struct {
	tensor *kernel.Tensor
	parts  []part
	sizes  []int64 // of the parts in bytes
	fixed  bool    // a constant, uploaded when the call is bound
}

// alignment suits every device: Vulkan allows none above it.
const alignment = 256

// largeBytes is the size from which a part gets memory of its own.
const largeBytes = 1 << 20

// newHostMemory makes room for the tensors at the extents that they have.
func newHostMemory(d *Device, c *kernel.Call) (*hostMemory, error) {
	m := &hostMemory{device: d.device}
	for _, t := range c.In {
		m.inputs = append(m.inputs, newMirror(t, d.limit))
	}
	for _, t := range c.Out {
		m.outputs = append(m.outputs, newMirror(t, d.limit))
	}
	if err := m.allocate(); err != nil {
		m.free()
		return nil, err
	}
	for i := range m.inputs {
		if in := &m.inputs[i]; in.fixed {
			in.upload()
		}
	}
	return m, nil
}

// newMirror cuts a weight matrix that is larger than the limit into parts of
// whole panels, each of which is a matrix of its own. Codes are constants, since
// no op writes them.
func newMirror(t *kernel.Tensor, limit int64) mirror {
	m := mirror{tensor: t, fixed: t.Type.DType.Packed() && t.Type.DType != op.BF16}
	size := int64(total(t)) * 4
	if t.Type.Layout == op.Panels16 {
		size = t.Type.Panels().Bytes
	}
	rows := 0
	if len(t.Shape) > 0 {
		rows = t.Shape[0]
	}
	if size <= limit || !t.Type.Constant() || t.Type.Wide || len(t.Shape) != 2 {
		m.parts, m.sizes = []part{{rows: rows}}, []int64{size}
		return m
	}
	// A row's share of the bytes is the same for all: rows are padded to panels.
	padded := (rows + op.PanelRows - 1) / op.PanelRows * op.PanelRows
	perPart := max(int(limit/((size+int64(padded)-1)/int64(padded)))/op.PanelRows*op.PanelRows, op.PanelRows)
	for first := 0; first < rows; first += perPart {
		p := part{first: first, rows: min(perPart, rows-first)}
		m.parts = append(m.parts, p)
		m.sizes = append(m.sizes, partBytes(t.Type, p.rows))
	}
	return m
}

// partType is the type of rows of a constant matrix.
func partType(t op.Type, rows int) op.Type {
	t.Shape = []op.Dim{op.C(rows), t.Shape[1]}
	return t
}

func partBytes(t op.Type, rows int) int64 {
	if t.Layout == op.Panels16 {
		return partType(t, rows).Panels().Bytes
	}
	return int64(rows) * int64(t.Shape[1].Offset) * 4
}

// allocate places all parts: large ones in buffers of their own, the others
// together.
func (m *hostMemory) allocate() error {
	var small []*vk.Span
	together := int64(0)
	for _, list := range [][]mirror{m.inputs, m.outputs} {
		for i := range list {
			for k := range list[i].parts {
				span, size := &list[i].parts[k].span, max(list[i].sizes[k], 4)
				if size < largeBytes {
					*span = vk.Span{Offset: together, Size: size}
					together += (size + alignment - 1) / alignment * alignment
					small = append(small, span)
					continue
				}
				var err error
				if *span, err = m.scratch(size); err != nil {
					return err
				}
			}
		}
	}
	if together == 0 {
		return nil
	}
	whole, err := m.scratch(together)
	for _, span := range small {
		span.Buffer = whole.Buffer
	}
	return err
}

func (m *hostMemory) in(i int) []part  { return m.inputs[i].parts }
func (m *hostMemory) out(i int) []part { return m.outputs[i].parts }

func (m *hostMemory) scratch(bytes int64) (vk.Span, error) {
	b, err := m.device.NewBuffer(bytes)
	if err != nil {
		return vk.Span{}, err
	}
	m.buffers = append(m.buffers, b)
	return vk.Span{Buffer: b, Size: bytes}, nil
}

func (m *hostMemory) free() {
	for _, b := range m.buffers {
		b.Free()
	}
}

// upload copies the tensor's elements of the moment to the device.
func (m *mirror) upload() {
	for i := range m.parts {
		for k, piece := range m.pieces(i) {
			to := m.parts[i].span.Bytes()[piece.at : piece.at+piece.bytes]
			copy(to, m.tensor.Data[piece.from:])
			if k == rowScales && m.tensor.Type.DType == op.NF4 {
				divideRowScales(to)
			}
		}
	}
}

// download copies what the device wrote back to the tensor.
func (m *mirror) download() {
	for i := range m.parts {
		for _, piece := range m.pieces(i) {
			copy(m.tensor.Data[piece.from:], m.parts[i].span.Bytes()[piece.at:piece.at+piece.bytes])
		}
	}
}

// piece is a run of bytes that lies whole in the tensor and in its part.
type piece struct{ from, at, bytes int64 }

// rowScales is the last of the pieces of a part in panels: its words, the scales
// of its groups, those of its rows.
const rowScales = 2

func (m *mirror) pieces(i int) [3]piece {
	t, p := m.tensor, &m.parts[i]
	if t.Type.Layout != op.Panels16 {
		bytes := int64(total(t)) * 4
		if len(m.parts) > 1 {
			bytes = m.sizes[i]
		}
		return [3]piece{{int64(p.first) * int64(lastExtent(t)) * 4, 0, bytes}}
	}
	from, at := t.Type.Panels(), t.Type.Panels()
	if len(m.parts) > 1 {
		at = panelsOfRows(from, p.rows)
	}
	before, count := int64(p.first/op.PanelRows), int64(at.Count)
	return [3]piece{
		{before * from.PanelBytes(), 0, count * from.PanelBytes()},
		{from.Scales + before*from.GroupScaleBytes(), at.Scales, count * from.GroupScaleBytes()},
		{from.RowScales + before*from.RowScaleBytes(), at.RowScales, count * from.RowScaleBytes()},
	}
}

// panelsOfRows is the geometry of a part of a matrix; it allocates nothing.
func panelsOfRows(p op.Panels, rows int) op.Panels {
	p.M, p.Count = rows, (rows+op.PanelRows-1)/op.PanelRows
	p.Scales = int64(p.Count) * p.PanelBytes()
	p.RowScales = p.Scales + int64(p.Count)*p.GroupScaleBytes()
	p.Bytes = p.RowScales + int64(p.Count)*p.RowScaleBytes()
	return p
}

func lastExtent(t *kernel.Tensor) int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// divideRowScales divides the row scales of nf4 by 255·127, as quant does: GLSL's
// division need not round as IEEE 754 wants.
func divideRowScales(scales []byte) {
	for i := 0; i+4 <= len(scales); i += 4 {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[i:]))
		binary.LittleEndian.PutUint32(scales[i:], math.Float32bits(scale/(255*127)))
	}
}

// hostRunner runs a node on tensors in host memory.
type hostRunner struct {
	device *Device
	call   *kernel.Call
	memory *hostMemory
	stages []stage
	sets   *vk.Sets
	push   [32]uint32
}

// bindHost makes a node and its mirror of the call's tensors. They are freed
// when the runner is no longer reachable.
func (d *Device) bindHost(c *kernel.Call, build func(b *builder)) (kernel.Runner, error) {
	memory, err := newHostMemory(d, c)
	if err != nil {
		return nil, err
	}
	b := &builder{Device: d, call: c, memory: memory}
	if build(b); b.err != nil {
		memory.free()
		return nil, b.err
	}
	bindings := make([]vk.Binding, len(b.stages))
	for i := range b.stages {
		bindings[i] = b.stages[i].binding
	}
	sets, err := d.device.NewSets(bindings)
	if err != nil {
		memory.free()
		return nil, fmt.Errorf("%s: %w", c.Spec.Name, err)
	}
	r := &hostRunner{device: d, call: c, memory: memory, stages: b.stages, sets: sets}
	type owned struct {
		sets    *vk.Sets
		buffers []*vk.Buffer
	}
	runtime.AddCleanup(r, func(o owned) {
		o.sets.Free()
		for _, b := range o.buffers {
			b.Free()
		}
	}, owned{sets, memory.buffers})
	return r, nil
}

// Run uploads, computes and downloads.
func (r *hostRunner) Run() error {
	d := r.device
	d.running.Lock()
	defer d.running.Unlock()
	defer runtime.KeepAlive(r)
	if err := d.device.Broken(); err != nil {
		return err
	}
	for i := range r.memory.inputs {
		if in := &r.memory.inputs[i]; !in.fixed {
			in.upload()
		}
	}
	recorded, err := r.record(d.commands)
	if err != nil || !recorded {
		return err
	}
	if err := d.commands.Run(d.timeout); err != nil {
		return err
	}
	for i := range r.memory.outputs {
		r.memory.outputs[i].download()
	}
	for i := range r.memory.inputs {
		if r.call.Spec.Inputs[i].Mutable {
			r.memory.inputs[i].download()
		}
	}
	return nil
}

// record records the stages that have something to do, and reports whether any
// has.
func (r *hostRunner) record(commands *vk.Commands) (bool, error) {
	recorded := false
	for i := range r.stages {
		s := &r.stages[i]
		push := r.push[:s.push]
		groups := s.extents(push)
		if groups == 0 {
			continue
		}
		if !recorded {
			if err := commands.Begin(); err != nil {
				return false, err
			}
		} else if s.waits {
			commands.Barrier()
		}
		if err := commands.Dispatch(r.sets, i, push, groups); err != nil {
			return false, err
		}
		recorded = true
	}
	if !recorded {
		return false, nil
	}
	return true, commands.End()
}
