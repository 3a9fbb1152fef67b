package cl

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"zeroth/kernels/dl"
)

// Device is an opened device with one queue, which runs all in order. Its
// methods may be called by many goroutines, but those that run or copy by one at
// a time.
type Device struct {
	Physical *Physical
	entries  *entries
	context  uintptr
	queue    uintptr

	owner dl.Owner // of what must be released before it
}

// Open opens the device.
func (p *Physical) Open() (*Device, error) {
	if p.Unusable != "" {
		return nil, fmt.Errorf("%w: %s: %s", ErrUnusable, p.Name, p.Unusable)
	}
	d := &Device{Physical: p, entries: p.entries}
	if err := d.create(); err != nil {
		d.Close()
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return d, nil
}

func (d *Device) create() error {
	properties, device, status := &[3]uintptr{contextPlatform, d.Physical.platform, 0}, &d.Physical.handle, new(int32)
	d.context = d.entries.CreateContext.make(uintptr(unsafe.Pointer(properties)), 1, uintptr(unsafe.Pointer(device)), 0, 0, uintptr(unsafe.Pointer(status)))
	if err := check(Status(*status), "clCreateContext"); err != nil {
		return err
	}
	d.queue = d.entries.CreateCommandQueue.make(d.context, d.Physical.handle, 0, uintptr(unsafe.Pointer(status)))
	return check(Status(*status), "clCreateCommandQueue")
}

// failed remembers an error after which nothing more can be run.
func (d *Device) failed(err error) error {
	if silent := errors.Is(err, ErrTimeout); silent || errors.Is(err, ErrLost) {
		d.owner.Break(err, silent)
	}
	return err
}

// Broken is the error after which nothing more can be run, if there was one.
func (d *Device) Broken() error { return d.owner.Broken() }

// Close frees everything of the device and closes it, and reports whether it is
// closed: one that does not answer is left as it is.
func (d *Device) Close() bool {
	return d.owner.Close(func() {}, func() {
		if d.queue != 0 {
			d.entries.ReleaseCommandQueue.call(d.queue)
		}
		if d.context != 0 {
			d.entries.ReleaseContext.call(d.context)
		}
	})
}

// Buffer is memory of the device.
type Buffer struct {
	device *Device
	handle uintptr
	size   int64
}

// NewBuffer allocates a buffer of at least one byte. Its contents are
// undefined. Drivers may put off what they allocate: a lack of memory can show
// when the buffer is first used.
func (d *Device) NewBuffer(size int64) (*Buffer, error) {
	if size < 1 || size > d.Physical.Limits.AllocationBytes {
		return nil, fmt.Errorf("%w: a buffer of %d bytes on %s, which allows %d", ErrMemory, size, d.Physical.Name, d.Physical.Limits.AllocationBytes)
	}
	b, status := &Buffer{device: d, size: size}, new(int32)
	b.handle = d.entries.CreateBuffer.make(d.context, memReadWrite, uintptr(size), 0, uintptr(unsafe.Pointer(status)))
	if err := check(Status(*status), "clCreateBuffer"); err != nil {
		return nil, fmt.Errorf("a buffer of %d bytes on %s: %w", size, d.Physical.Name, err)
	}
	d.owner.Keep(b, func() { d.entries.ReleaseMemObject.call(b.handle) })
	return b, nil
}

// Size is the number of bytes.
func (b *Buffer) Size() int64 { return b.size }

// Free frees the buffer. Nothing that is running may use it.
func (b *Buffer) Free() { b.device.owner.Free(b) }

// Write copies data into the buffer, behind what the queue has been given
// before; it has been copied when Write returns.
func (b *Buffer) Write(offset int64, data []byte) error {
	return b.transfer(b.device.entries.EnqueueWriteBuffer, "clEnqueueWriteBuffer", offset, data)
}

// Read copies from the buffer, behind what the queue has been given before.
func (b *Buffer) Read(offset int64, data []byte) error {
	return b.transfer(b.device.entries.EnqueueReadBuffer, "clEnqueueReadBuffer", offset, data)
}

func (b *Buffer) transfer(e entry, name string, offset int64, data []byte) error {
	d := b.device
	if offset < 0 || int64(len(data)) > b.size || offset > b.size-int64(len(data)) {
		return fmt.Errorf("%w: %d bytes at %d of a buffer of %d", ErrUnusable, len(data), offset, b.size)
	}
	if err := d.Broken(); err != nil || len(data) == 0 {
		return err
	}
	const blocking = 1
	err := check(e.call(d.queue, b.handle, blocking, uintptr(offset), uintptr(len(data)), uintptr(unsafe.Pointer(&data[0])), 0, 0, 0), name)
	if err != nil {
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	return nil
}

// Flush makes the device begin what the queue has been given.
func (d *Device) Flush() error { return check(d.entries.Flush.call(d.queue), "clFlush") }

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
