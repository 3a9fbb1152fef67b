package opencl

import (
	"context"
	"fmt"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
)

// recording is a list of stages as kernels with their buffers. They are put into
// the queue anew at each run, with the parameters that have changed.
type recording struct {
	device   *Device
	stages   []gpu.Stage
	kernels  []*cl.Kernel
	programs []*built               // of the kernels
	last     [][gpu.MaxWords]uint32 // what the parameters are
	now      [gpu.MaxWords]uint32
	bytes    int64      // of parameters, passed so far
	events   []cl.Event // of each stage in the last run, none where it had nothing to do; nil where nobody asks
	ended    bool       // the last run came to its end
}

// A batch has so many stages or so much work, and one is in the queue while
// another runs: so a context that is cancelled is soon heeded, and none runs so
// long that a system takes the device for hung.
const (
	batchStages = 256
	batchWork   = 1 << 34 // multiplications: about a second of the slowest devices
)

// Record implements gpu.Device.
func (d *Device) Record(stages []gpu.Stage) (gpu.Recording, error) {
	r, err := d.newRecording(stages)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// RecordTimed implements gpu.Timer.
func (d *Device) RecordTimed(stages []gpu.Stage) (gpu.TimedRecording, error) {
	d.running.Lock()
	err := d.device.KeepTimes()
	d.running.Unlock()
	if err != nil {
		return nil, err
	}
	r, err := d.newRecording(stages)
	if err != nil {
		return nil, err
	}
	r.events = make([]cl.Event, len(stages))
	return r, nil
}

func (d *Device) newRecording(stages []gpu.Stage) (*recording, error) {
	r := &recording{device: d, stages: stages, last: make([][gpu.MaxWords]uint32, len(stages))}
	for i := range stages {
		if err := r.prepare(&stages[i]); err != nil {
			r.Free()
			return nil, inGPU(err)
		}
	}
	return r, nil
}

// prepare makes the kernel of a stage and gives it its buffers. Its parameters
// are 0.
func (r *recording) prepare(s *gpu.Stage) error {
	program, err := r.device.program(context.Background(), s.Kernel, s.Constants)
	if err != nil {
		return err
	}
	k, err := program.NewKernel("zeroth_"+s.Kernel.Name, gpu.Threads)
	if err != nil {
		return err
	}
	r.kernels, r.programs = append(r.kernels, k), append(r.programs, program)
	for i, span := range s.Spans {
		if span.Size > r.device.limits.BufferBytes {
			return fmt.Errorf("%w: %s: buffer %d of %d bytes", gpu.ErrTooLarge, s.Kernel.Name, i, span.Size)
		}
		buffer, ok := span.Buffer.(*cl.Buffer)
		if !ok || span.Offset < 0 || span.Offset%4 != 0 || span.Offset > 4*maxWords {
			return fmt.Errorf("%w: %s: buffer %d is not the device's, or begins at byte %d", cl.ErrUnusable, s.Kernel.Name, i, span.Offset)
		}
		if err := k.SetBuffer(2*i, buffer); err != nil {
			return err
		}
		if err := k.SetWords(2*i+1, uint32(span.Offset/4)); err != nil {
			return err
		}
	}
	return k.SetWords(2*len(s.Spans), make([]uint32, s.Kernel.Words)...)
}

// Run implements gpu.Recording.
func (r *recording) Run(ctx context.Context) error {
	d := r.device
	d.running.Lock()
	defer d.running.Unlock()
	if err := d.device.Broken(); err != nil {
		return err
	}
	r.forget()
	r.ended = false
	var before cl.Event
	for i := 0; i < len(r.stages); {
		end, err := r.enqueue(ctx, i)
		if i > 0 {
			if late := before.Wait(d.timeout); late != nil {
				return late
			}
		}
		if err != nil {
			return d.settle(inGPU(err))
		}
		if before, err = d.device.Mark(); err != nil {
			return err
		}
		if err := d.device.Flush(); err != nil {
			return err
		}
		i = end
	}
	if len(r.stages) > 0 {
		if err := before.Wait(d.timeout); err != nil {
			return err
		}
	}
	r.ended = true
	return nil
}

// settle waits for what is in the queue after an error, which it returns.
func (d *Device) settle(err error) error {
	if event, failed := d.device.Mark(); failed == nil {
		if late := event.Wait(d.timeout); late != nil {
			return late
		}
	}
	return err
}

// enqueue puts a batch of stages from i on into the queue, and returns the first
// that is not of it. Programs that never ran end their batch: drivers may compile
// them only now, and a context that is cancelled is not to wait for many of them.
func (r *recording) enqueue(ctx context.Context, i int) (int, error) {
	if err := ctx.Err(); err != nil {
		return i, err
	}
	first, work := i, 0.0
	for ; i < len(r.stages) && (i == first || i-first < batchStages && work+r.stages[i].Work <= batchWork); i++ {
		s := &r.stages[i]
		r.now = [gpu.MaxWords]uint32{}
		groups := s.Extents(r.now[:s.Kernel.Words])
		if groups == 0 {
			continue
		}
		if r.now != r.last[i] {
			if err := r.kernels[i].SetWords(2*len(s.Spans), r.now[:s.Kernel.Words]...); err != nil {
				return i, err
			}
			r.last[i] = r.now
			r.bytes += int64(4 * s.Kernel.Words)
		}
		if err := r.start(i, groups); err != nil {
			return i, err
		}
		work += s.Work
		if program := r.programs[i]; !program.ran {
			program.ran = true
			return i + 1, nil
		}
	}
	return i, nil
}

// start puts stage i into the queue.
func (r *recording) start(i, groups int) (err error) {
	if r.events == nil {
		return r.kernels[i].Enqueue(groups, gpu.Threads)
	}
	r.events[i], err = r.kernels[i].EnqueueTimed(groups, gpu.Threads)
	return err
}

// forget frees the events of the last run.
func (r *recording) forget() {
	for i, e := range r.events {
		e.Free()
		r.events[i] = cl.Event{}
	}
}

// StageTimes implements gpu.TimedRecording.
func (r *recording) StageTimes(seconds []float64) error {
	if r.events == nil || !r.ended {
		return fmt.Errorf("%w: the recording is not timed, or was not run to its end", cl.ErrUnusable)
	}
	for i, e := range r.events {
		seconds[i] = 0
		if e == (cl.Event{}) {
			continue
		}
		var err error
		if seconds[i], err = e.Seconds(); err != nil {
			return err
		}
	}
	return nil
}

// Written implements gpu.Recording.
func (r *recording) Written() int64 { return r.bytes }

// Held implements gpu.Recording: parameters are the driver's.
func (r *recording) Held() int64 { return 0 }

// Free implements gpu.Recording.
func (r *recording) Free() {
	r.forget()
	for _, k := range r.kernels {
		k.Free()
	}
}
