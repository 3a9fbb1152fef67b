package cl

import (
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// staging is memory of the host that a device copies to and from while nobody
// waits inside of the driver. What is copied passes through it, since a device
// that does not answer may still write there when the caller has gone on.
type staging struct {
	bytes  []byte
	pinner runtime.Pinner
}

// stagingBytes is how much is copied at a time.
const stagingBytes = 4 << 20

// abandoned is the staging of devices that do not answer: it stays for ever.
var abandoned struct {
	sync.Mutex
	list []*staging
}

// Write copies data into the buffer, behind what the queue has been given
// before. It waits for the end of that, each time at most for the given limit:
// after a failure with ErrLost or ErrTimeout the device is of no more use.
func (b *Buffer) Write(offset int64, data []byte, limit time.Duration) error {
	return b.transfer(offset, len(data), func(s *staging, at, n int) error {
		copy(s.bytes, data[at:at+n])
		return b.copyPiece(b.device.entries.EnqueueWriteBuffer, "clEnqueueWriteBuffer", s, offset+int64(at), n, limit)
	})
}

// Read copies from the buffer, behind what the queue has been given before, and
// waits as Write does.
func (b *Buffer) Read(offset int64, data []byte, limit time.Duration) error {
	return b.transfer(offset, len(data), func(s *staging, at, n int) error {
		err := b.copyPiece(b.device.entries.EnqueueReadBuffer, "clEnqueueReadBuffer", s, offset+int64(at), n, limit)
		if err == nil {
			copy(data[at:], s.bytes[:n])
		}
		return err
	})
}

// transfer gives the pieces of a copy to f, in order.
func (b *Buffer) transfer(offset int64, size int, f func(s *staging, at, n int) error) error {
	d := b.device
	if offset < 0 || int64(size) > b.size || offset > b.size-int64(size) {
		return fmt.Errorf("%w: %d bytes at %d of a buffer of %d", ErrUnusable, size, offset, b.size)
	}
	for at := 0; at < size; at += stagingBytes {
		if err := d.Broken(); err != nil {
			return err
		}
		if d.staging == nil {
			d.staging = &staging{bytes: make([]byte, stagingBytes)}
		}
		if err := f(d.staging, at, min(size-at, stagingBytes)); err != nil {
			return err
		}
	}
	return nil
}

// copyPiece copies between the staging and the buffer.
func (b *Buffer) copyPiece(e entry, name string, s *staging, offset int64, n int, limit time.Duration) error {
	const blocking = 0
	d, handle := b.device, new(uintptr)
	s.pinner.Pin(&s.bytes[0])
	err := check(e.call(d.queue, b.handle, blocking, uintptr(offset), uintptr(n), uintptr(unsafe.Pointer(&s.bytes[0])), 0, 0, uintptr(unsafe.Pointer(handle))), name)
	if err != nil {
		s.pinner.Unpin()
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	if err := (Event{d, *handle}).Wait(limit); err != nil {
		abandoned.Lock()
		abandoned.list = append(abandoned.list, s)
		abandoned.Unlock()
		d.staging = nil
		return err
	}
	s.pinner.Unpin()
	return nil
}
