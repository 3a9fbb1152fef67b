package gpu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrOutside is wrapped when a kernel wrote where nothing of a tensor lies.
var ErrOutside = errors.New("a kernel wrote outside of its tensors")

// guarded is a device with guards before and after each buffer, and behind each
// span of a recording up to where the next one may begin. They are compared after
// each run. It is for recordings that are alone in their buffers.
type guarded struct{ Device }

// guardedBuffer is the middle of a buffer, between Alignment bytes of guard
// before it and at least as many after it.
type guardedBuffer struct {
	Buffer
	size int64
}

// Size is that of the middle.
func (b *guardedBuffer) Size() int64 { return b.size }

// pattern fills guards, with NaNs that differ from their neighbours.
func pattern(n int64) []byte {
	filling := make([]byte, 0, n+4)
	for i := uint32(0); int64(len(filling)) < n; i++ {
		filling = binary.LittleEndian.AppendUint32(filling, 0x7fc00001+i*0x1235)
	}
	return filling[:n]
}

// Limits implements Device.
func (g guarded) Limits() Limits {
	l := g.Device.Limits()
	l.AllocationBytes -= 3 * Alignment
	return l
}

// Allocate implements Device.
func (g guarded) Allocate(size int64, use Use) (Buffer, error) {
	b, err := g.Device.Allocate(aligned(size)+2*Alignment, use)
	if err != nil {
		return nil, err
	}
	return &guardedBuffer{b, size}, nil
}

// unguarded is the device's own span for one that is between guards.
func unguarded(s Span) Span {
	if b, ok := s.Buffer.(*guardedBuffer); ok {
		return Span{b.Buffer, s.Offset + Alignment, s.Size}
	}
	return s
}

// Upload implements Device.
func (g guarded) Upload(to Span, data []byte) error { return g.Device.Upload(unguarded(to), data) }

// Download implements Device.
func (g guarded) Download(data []byte, from Span) error {
	return g.Device.Download(data, unguarded(from))
}

// Record implements Device.
func (g guarded) Record(stages []Stage) (Recording, error) {
	r := &guardedRecording{device: g.Device}
	inner := make([]Stage, len(stages))
	for i, s := range stages {
		inner[i] = s
		inner[i].Spans = nil
		for _, span := range s.Spans {
			inner[i].Spans = append(inner[i].Spans, unguarded(span))
		}
	}
	for i := range stages {
		for _, span := range stages[i].Spans {
			if b, ok := span.Buffer.(*guardedBuffer); ok {
				r.addGuards(b, span, inner)
			}
		}
	}
	for _, guard := range r.guards {
		if err := g.Device.Upload(guard, pattern(guard.Size)); err != nil {
			return nil, err
		}
	}
	var err error
	r.Recording, err = g.Device.Record(inner)
	return r, err
}

// guardedRecording compares its guards after each run.
type guardedRecording struct {
	Recording
	device Device
	guards []Span // of the device, none twice
}

// addGuards adds those of a buffer, and of a span of it as far as no span of a
// stage lies there.
func (r *guardedRecording) addGuards(b *guardedBuffer, span Span, stages []Stage) {
	r.add(Span{b.Buffer, 0, Alignment})
	behind := Alignment + b.size
	r.add(Span{b.Buffer, behind, aligned(b.size) + 2*Alignment - behind})
	end := Alignment + span.Offset + span.Size
	gap := Span{b.Buffer, end, min(aligned(end), behind) - end}
	for i := range stages {
		for _, other := range stages[i].Spans {
			if gap.Size > 0 && other.overlaps(gap) {
				gap.Size = other.Offset - gap.Offset
			}
		}
	}
	r.add(gap)
}

func (r *guardedRecording) add(guard Span) {
	for _, known := range r.guards {
		if known.overlaps(guard) {
			return
		}
	}
	if guard.Size > 0 {
		r.guards = append(r.guards, guard)
	}
}

// Run implements Recording.
func (r *guardedRecording) Run(ctx context.Context) error {
	if err := r.Recording.Run(ctx); err != nil {
		return err
	}
	for _, guard := range r.guards {
		now, before := make([]byte, guard.Size), pattern(guard.Size)
		if err := r.device.Download(now, guard); err != nil {
			return err
		}
		if !bytes.Equal(now, before) {
			at := 0
			for now[at] == before[at] {
				at++
			}
			return fmt.Errorf("%w: byte %d of a buffer", ErrOutside, guard.Offset-Alignment+int64(at))
		}
	}
	return nil
}
