package cl

import (
	"errors"
	"fmt"
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
	timed    bool // the queue's events know times

	owner   dl.Owner // of what must be released before it
	staging *staging // nil as long as nothing was copied
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

// KeepTimes gives the device a queue whose events know how long things took.
// Nothing may be in the queue that it has.
func (d *Device) KeepTimes() error {
	if err := d.Broken(); err != nil || d.timed {
		return err
	}
	status := new(int32)
	queue := d.entries.CreateCommandQueue.make(d.context, d.Physical.handle, queueProfiling, uintptr(unsafe.Pointer(status)))
	if err := check(Status(*status), "clCreateCommandQueue"); err != nil {
		return fmt.Errorf("%s: a queue with times: %w", d.Physical.Name, err)
	}
	d.entries.ReleaseCommandQueue.call(d.queue)
	d.queue, d.timed = queue, true
	return nil
}

// failed remembers an error after which nothing more can be run.
func (d *Device) failed(err error) error {
	if silent := errors.Is(err, ErrTimeout); silent || errors.Is(err, ErrLost) {
		d.owner.Break(err, silent)
	}
	return err
}

// GiveUp makes the device one that does not answer: something of it is at work
// that is not waited for. Nothing of it is used or freed any more.
func (d *Device) GiveUp(err error) { d.owner.Break(err, true) }

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

// Flush makes the device begin what the queue has been given.
func (d *Device) Flush() error { return check(d.entries.Flush.call(d.queue), "clFlush") }
