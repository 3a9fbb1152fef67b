package gpu

import (
	"context"
	"fmt"
	"runtime"

	"zeroth/runtime/kernel"
)

// hostMemory mirrors the tensors of a call, which lie in host memory, on the
// device.
type hostMemory struct {
	device  Device
	buffers []Buffer
	inputs  []mirror
	outputs []mirror
}

// largeBytes is the size from which a part gets memory of its own.
const largeBytes = 1 << 20

// newHostMemory makes room for the tensors at the extents that they have.
func newHostMemory(d Device, c *kernel.Call) (*hostMemory, error) {
	m, limit := &hostMemory{device: d}, d.Limits().BufferBytes
	for _, t := range c.In {
		m.inputs = append(m.inputs, mirror{t, split(t, limit)})
	}
	for _, t := range c.Out {
		m.outputs = append(m.outputs, mirror{t, split(t, limit)})
	}
	err := m.allocate()
	for i := range m.inputs {
		if in := &m.inputs[i]; err == nil && coded(in.tensor) {
			_, err = in.upload(d, in.tensor.Data)
		}
	}
	if err != nil {
		m.free()
		return nil, err
	}
	return m, nil
}

// allocate places all parts: large ones in buffers of their own, the others
// together.
func (m *hostMemory) allocate() error {
	var small []*Span
	together := int64(0)
	for _, list := range [][]mirror{m.inputs, m.outputs} {
		for i := range list {
			for k := range list[i].parts {
				span := &list[i].parts[k].span
				if span.Size < largeBytes {
					span.Offset = together
					together += aligned(span.Size)
					small = append(small, span)
					continue
				}
				var err error
				if *span, err = m.scratch(span.Size); err != nil {
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

func (m *hostMemory) scratch(bytes int64) (Span, error) {
	b, err := m.device.Allocate(bytes, Output)
	if err != nil {
		return Span{}, err
	}
	m.buffers = append(m.buffers, b)
	return Span{Buffer: b, Size: bytes}, nil
}

func (m *hostMemory) free() {
	for _, b := range m.buffers {
		b.Free()
	}
}

// hostRunner runs a node on tensors in host memory.
type hostRunner struct {
	call      *kernel.Call
	memory    *hostMemory
	recording Recording
}

// bindHost makes a node and its mirror of the call's tensors. They are freed
// when the runner is no longer reachable.
func (o *Ops) bindHost(c *kernel.Call, build func(b *builder)) (kernel.Runner, error) {
	memory, err := newHostMemory(o.device, c)
	if err != nil {
		return nil, err
	}
	stages, err := o.build(c, memory, build)
	var recording Recording
	if err == nil {
		recording, err = o.device.Record(stages)
	}
	if err != nil {
		memory.free()
		return nil, fmt.Errorf("%s: %w", c.Spec.Name, err)
	}
	r := &hostRunner{call: c, memory: memory, recording: recording}
	type owned struct {
		recording Recording
		memory    *hostMemory
	}
	runtime.AddCleanup(r, func(o owned) {
		o.recording.Free()
		o.memory.free()
	}, owned{recording, memory})
	return r, nil
}

// Run uploads, computes and downloads.
func (r *hostRunner) Run() error {
	defer runtime.KeepAlive(r)
	m := r.memory
	for i := range m.inputs {
		if in := &m.inputs[i]; !coded(in.tensor) {
			if _, err := in.upload(m.device, in.tensor.Data); err != nil {
				return err
			}
		}
	}
	if err := r.recording.Run(context.Background()); err != nil {
		return err
	}
	for i := range m.outputs {
		if _, err := m.outputs[i].download(m.device, m.outputs[i].tensor.Data); err != nil {
			return err
		}
	}
	for i := range m.inputs {
		if r.call.Spec.Inputs[i].Mutable {
			if _, err := m.inputs[i].download(m.device, m.inputs[i].tensor.Data); err != nil {
				return err
			}
		}
	}
	return nil
}
