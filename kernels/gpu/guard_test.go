package gpu

import (
	"context"
	"errors"
	"testing"
)

// writingDevice runs a recording by calling write.
type writingDevice struct {
	*testDevice
	write func(stages []Stage)
}

func (d *writingDevice) Record(stages []Stage) (Recording, error) {
	return &writingRecording{d, stages}, nil
}

type writingRecording struct {
	device *writingDevice
	stages []Stage
}

func (r *writingRecording) Run(context.Context) error {
	r.device.write(r.stages)
	return nil
}
func (r *writingRecording) Written() int64 { return 0 }
func (r *writingRecording) Held() int64    { return 0 }
func (r *writingRecording) Free()          {}

// A byte outside of a tensor is noticed wherever it lies, and none within.
func TestGuards(t *testing.T) {
	d := &writingDevice{testDevice: newTestDevice(1 << 20)}
	g := guarded{d}
	b, err := g.Allocate(2*Alignment+100, Local)
	if err != nil {
		t.Fatal(err)
	}
	if b.Size() != 2*Alignment+100 {
		t.Errorf("%d bytes", b.Size())
	}
	// The second span begins in what would be the gap behind the first, and the
	// third shares bytes with the second.
	spans := []Span{{b, 0, 40}, {b, 128, 64}, {b, 128, 200}, {b, 2 * Alignment, 100}}
	r, err := g.Record([]Stage{{Spans: spans[:2]}, {Spans: spans[2:]}})
	if err != nil {
		t.Fatal(err)
	}
	inside := func(at int64) bool {
		for _, s := range spans {
			if at >= s.Offset && at < s.Offset+s.Size {
				return true
			}
		}
		return false
	}
	for at := int64(-Alignment); at < 4*Alignment-Alignment; at++ {
		d.write = func(stages []Stage) {
			s := stages[0].Spans[0] // begins at byte 0 of the middle
			s.Buffer.(*memoryBuffer).bytes[s.Offset+at] ^= 1
		}
		if err := r.Run(t.Context()); inside(at) != (err == nil) || err != nil && !errors.Is(err, ErrOutside) {
			t.Errorf("byte %d: %v", at, err)
		}
		d.write(r.(*guardedRecording).Recording.(*writingRecording).stages) // as it was
	}
	data, got := []byte{1, 2, 3, 4}, make([]byte, 4)
	if err := errors.Join(g.Upload(spans[1], data), g.Download(got, spans[1])); err != nil || [4]byte(got) != [4]byte(data) {
		t.Errorf("% x came back, %v", got, err)
	}
	b.Free()
	if len(d.live) != 0 {
		t.Error("the buffer is not freed")
	}
}
