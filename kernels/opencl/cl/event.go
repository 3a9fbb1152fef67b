package cl

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Event is a place in the queue: it has come when all before it is done.
type Event struct {
	device *Device
	handle uintptr
}

// Mark puts an event at the end of the queue.
func (d *Device) Mark() (Event, error) {
	if err := d.Broken(); err != nil {
		return Event{}, err
	}
	handle := new(uintptr)
	err := check(d.entries.EnqueueMarkerWithWaitList.call(d.queue, 0, 0, uintptr(unsafe.Pointer(handle))), "clEnqueueMarkerWithWaitList")
	if err != nil {
		return Event{}, d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	return Event{d, *handle}, nil
}

// The pauses between two looks at an event: short work is noticed soon, long
// work costs little looking.
const (
	firstPause = 20 * time.Microsecond
	lastPause  = time.Millisecond
)

// Wait waits until an event has come, at most for the given time, and frees it.
// OpenCL's own way to wait has no limit, so the event is looked at again and
// again. After a failure with ErrLost or ErrTimeout the device is of no more use.
func (e Event) Wait(limit time.Duration) error {
	d := e.device
	if err := check(d.entries.Flush.call(d.queue), "clFlush"); err != nil {
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	state, begin := new(int32), time.Now()
	for pause := firstPause; ; pause = min(pause*5/4, lastPause) {
		err := check(d.entries.GetEventInfo.call(e.handle, eventExecutionStatus, unsafe.Sizeof(*state), uintptr(unsafe.Pointer(state)), 0), "clGetEventInfo")
		switch {
		case err != nil:
			return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
		case *state < eventComplete:
			return d.failed(fmt.Errorf("%s: %w: what it ran ended with: %w", d.Physical.Name, ErrLost, Status(*state)))
		case *state == eventComplete:
			d.entries.ReleaseEvent.call(e.handle)
			return nil
		case time.Since(begin) > limit:
			return d.failed(fmt.Errorf("%s: %w within %s", d.Physical.Name, ErrTimeout, limit))
		}
		if pause == firstPause {
			runtime.Gosched()
		}
		time.Sleep(pause)
	}
}

// Seconds is how long the device was at work on what the event stands for, which
// must have come.
func (e Event) Seconds() (float64, error) {
	begin, end := new(uint64), new(uint64) // nanoseconds
	for what, to := range map[uintptr]*uint64{profilingStart: begin, profilingEnd: end} {
		err := check(e.device.entries.GetEventProfilingInfo.call(e.handle, what, unsafe.Sizeof(*to), uintptr(unsafe.Pointer(to)), 0), "clGetEventProfilingInfo")
		if err != nil {
			return 0, fmt.Errorf("%s: %w", e.device.Physical.Name, err)
		}
	}
	if *end < *begin {
		return 0, fmt.Errorf("%w: %s tells of work that ended before it began", ErrUnusable, e.device.Physical.Name)
	}
	return float64(*end-*begin) / 1e9, nil
}

// Free frees an event that nobody waits for; the one that is none, too.
func (e Event) Free() {
	if e.handle != 0 && e.device.Broken() == nil {
		e.device.entries.ReleaseEvent.call(e.handle)
	}
}
