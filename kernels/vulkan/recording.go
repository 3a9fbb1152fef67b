package vulkan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

// recording is a list of stages as command buffers. Each stage has a place in a
// buffer that the host writes: its parameters, then its number of work groups.
type recording struct {
	device *Device
	stages []gpu.Stage
	places *vk.Buffer
	sets   *vk.Sets
	chunks []*vk.Commands
	ends   []int          // of the chunks, in stages
	times  *vk.Timestamps // before each chunk and after each stage; nil where nobody asks
	last   []uint32       // what the places hold, placeWords each
	now    [placeWords]uint32
	bytes  int64 // written to places so far
}

const (
	placeBytes = gpu.Alignment
	placeWords = gpu.MaxWords + 3 // parameters, then the groups along x, y and z
)

// A submission has so many stages or so much work, and one is on its way while
// another runs: so a context that is cancelled is soon heeded, and none runs so
// long that a system takes the device for hung.
const (
	chunkStages = 256
	chunkWork   = 1 << 34 // multiplications: about a second of the slowest devices
)

// Record implements gpu.Device.
func (d *Device) Record(stages []gpu.Stage) (gpu.Recording, error) {
	r, err := d.newRecording(stages, false)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// RecordTimed implements gpu.Timer.
func (d *Device) RecordTimed(stages []gpu.Stage) (gpu.TimedRecording, error) {
	r, err := d.newRecording(stages, true)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (d *Device) newRecording(stages []gpu.Stage, timed bool) (*recording, error) {
	r := &recording{device: d, stages: stages, last: make([]uint32, placeWords*len(stages))}
	if err := r.make(timed); err != nil {
		r.Free()
		return nil, inGPU(err)
	}
	d.building.Lock()
	defer d.building.Unlock()
	d.cache.save()
	return r, nil
}

// inGPU makes an error one of package gpu's, where it is.
func inGPU(err error) error {
	switch {
	case errors.Is(err, vk.ErrMemory):
		return fmt.Errorf("%w: %w", gpu.ErrMemory, err)
	case errors.Is(err, vk.ErrRange):
		return fmt.Errorf("%w: %w", gpu.ErrTooLarge, err)
	}
	return err
}

func (r *recording) make(timed bool) error {
	if len(r.stages) == 0 {
		return nil
	}
	d := r.device
	var err error
	if r.places, err = d.device.NewBuffer(int64(placeBytes*len(r.stages)), vk.UseInput, false); err != nil {
		return err
	}
	clear(r.places.Bytes)
	bindings := make([]vk.Binding, len(r.stages))
	for i := range r.stages {
		if bindings[i], err = r.binding(i); err != nil {
			return err
		}
	}
	if r.sets, err = d.device.NewSets(bindings); err != nil {
		return err
	}
	r.ends = chunksOf(r.stages, d.firstRuns(bindings))
	if timed {
		if r.times, err = d.device.NewTimestamps(len(r.stages) + len(r.ends)); err != nil {
			return err
		}
	}
	return r.record()
}

// binding is the pipeline of stage i with its buffers.
func (r *recording) binding(i int) (vk.Binding, error) {
	s := &r.stages[i]
	pipeline, err := r.device.pipeline(context.Background(), s.Kernel, s.Constants)
	if err != nil {
		return vk.Binding{}, err
	}
	b := vk.Binding{Pipeline: pipeline, Parameters: vk.Span{Buffer: r.places, Offset: int64(placeBytes * i), Size: 4 * gpu.MaxWords}}
	for _, span := range s.Spans {
		buffer, ok := span.Buffer.(*vk.Buffer)
		if !ok {
			return b, fmt.Errorf("%w: %s: a buffer of another device", vk.ErrUnusable, s.Kernel.Name)
		}
		b.Spans = append(b.Spans, vk.Span{Buffer: buffer, Offset: span.Offset, Size: span.Size})
	}
	return b, nil
}

// firstRuns says which stages are the first that their pipelines run in, on a
// processor that plays a device: its driver compiles only then.
func (d *Device) firstRuns(bindings []vk.Binding) []bool {
	first := make([]bool, len(bindings))
	if d.device.Physical.Kind != "cpu" {
		return first
	}
	d.building.Lock()
	defer d.building.Unlock()
	for i, b := range bindings {
		first[i] = !d.ran[b.Pipeline]
		d.ran[b.Pipeline] = true
	}
	return first
}

// chunksOf cuts stages into submissions: the end of each. One ends behind a stage
// that compiles when it is first run: a context that is cancelled is not to wait
// for many of them.
func chunksOf(stages []gpu.Stage, compiles []bool) []int {
	var ends []int
	first, work := 0, 0.0
	for i := range stages {
		if i > first && (i-first == chunkStages || work+stages[i].Work > chunkWork || compiles[i-1]) {
			ends = append(ends, i)
			first, work = i, 0
		}
		work += stages[i].Work
	}
	return append(ends, len(stages))
}

// record records all stages, chunk by chunk.
func (r *recording) record() error {
	waits, first := gpu.Waits(r.stages), 0
	for chunk, end := range r.ends {
		c, err := r.device.device.NewCommands()
		if err != nil {
			return err
		}
		r.chunks = append(r.chunks, c)
		if err := c.Begin(); err != nil {
			return err
		}
		if r.times != nil {
			c.Forget(r.times, first+chunk, end-first+1)
			c.Timestamp(r.times, first+chunk)
		}
		for i := first; i < end; i++ {
			if waits[i] && i > first {
				c.Barrier()
			}
			if err := c.Dispatch(r.sets, i, r.places, int64(placeBytes*i+4*gpu.MaxWords)); err != nil {
				return err
			}
			if r.times != nil {
				c.Timestamp(r.times, i+chunk+1)
			}
		}
		if err := c.End(); err != nil {
			return err
		}
		first = end
	}
	return nil
}

// Run implements gpu.Recording.
func (r *recording) Run(ctx context.Context) error {
	d := r.device
	d.running.Lock()
	defer d.running.Unlock()
	if err := d.device.Broken(); err != nil {
		return err
	}
	r.write()
	for i, c := range r.chunks {
		err := ctx.Err()
		if err == nil {
			err = c.Submit()
		}
		if i > 0 {
			if late := r.chunks[i-1].Wait(d.timeout); late != nil {
				return late
			}
		}
		if err != nil {
			return err
		}
	}
	if n := len(r.chunks); n > 0 {
		return r.chunks[n-1].Wait(d.timeout)
	}
	return nil
}

// write writes the parameters and numbers of work groups that have changed.
func (r *recording) write() {
	for i := range r.stages {
		r.now = [placeWords]uint32{}
		groups := r.stages[i].Extents(r.now[:r.stages[i].Kernel.Words])
		r.now[gpu.MaxWords], r.now[gpu.MaxWords+1], r.now[gpu.MaxWords+2] = uint32(groups), 1, 1
		last := r.last[placeWords*i : placeWords*(i+1)]
		if [placeWords]uint32(last) == r.now {
			continue
		}
		copy(last, r.now[:])
		r.bytes += int64(4 * (r.stages[i].Kernel.Words + 3))
		for k, w := range r.now {
			binary.LittleEndian.PutUint32(r.places.Bytes[placeBytes*i+4*k:], w)
		}
	}
}

// StageTimes implements gpu.TimedRecording.
func (r *recording) StageTimes(seconds []float64) error {
	if r.times == nil {
		return fmt.Errorf("%w: the recording is not timed", vk.ErrUnusable)
	}
	if err := r.times.Read(); err != nil {
		return err
	}
	first := 0
	for chunk, end := range r.ends {
		for i := first; i < end; i++ {
			seconds[i] = r.times.Seconds(i+chunk, i+chunk+1)
		}
		first = end
	}
	return nil
}

// Written implements gpu.Recording.
func (r *recording) Written() int64 { return r.bytes }

// Held implements gpu.Recording.
func (r *recording) Held() int64 {
	if r.places == nil {
		return 0
	}
	return r.places.Size()
}

// Free implements gpu.Recording.
func (r *recording) Free() {
	for _, c := range r.chunks {
		c.Free()
	}
	if r.sets != nil {
		r.sets.Free()
	}
	if r.places != nil {
		r.places.Free()
	}
	if r.times != nil {
		r.times.Free()
	}
}
