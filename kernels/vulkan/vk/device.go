package vk

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// Device is an opened device with one queue. Its methods may be called by many
// goroutines, but those that record or run commands by one at a time.
type Device struct {
	Physical *Physical
	entries  deviceEntries
	handle   uintptr
	queue    uintptr

	mutex  sync.Mutex
	closed bool
	broken error             // why nothing more can be run
	owned  map[object]func() // how what is not freed yet is destroyed
}

// object is something of a device that must be freed before it.
type object interface{ free() }

// NewDevice opens a device.
func (i *Instance) NewDevice(p *Physical) (*Device, error) {
	if p.Unusable != "" {
		return nil, fmt.Errorf("%w: %s: %s", ErrUnusable, p.Name, p.Unusable)
	}
	info := &deviceCreateInfo{
		sType: typeDeviceCreateInfo, queueCreateInfoCount: 1,
		pQueueCreateInfos: &deviceQueueCreateInfo{
			sType: typeDeviceQueueCreateInfo, queueFamilyIndex: p.queueFamily, queueCount: 1, pQueuePriorities: new(float32(1)),
		},
	}
	d := &Device{Physical: p, owned: make(map[object]func())}
	var made uintptr
	if err := check(i.entries.CreateDevice.call(p.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))), "vkCreateDevice"); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	d.handle = made
	if err := resolve(i.entries.GetDeviceProcAddr, d.handle, d.entries.list()); err != nil {
		d.Close()
		return nil, err
	}
	var queue uintptr
	d.entries.GetDeviceQueue.call(d.handle, uintptr(p.queueFamily), 0, uintptr(unsafe.Pointer(&queue)))
	d.queue = queue
	return d, nil
}

// keep remembers how something is destroyed.
func (d *Device) keep(o object, destroy func()) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.owned[o] = destroy
}

// release destroys something, once. What a device that does not answer may
// still be using stays.
func (d *Device) release(o object) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	destroy, ok := d.owned[o]
	if !ok || errors.Is(d.broken, ErrTimeout) {
		return
	}
	delete(d.owned, o)
	destroy()
}

// failed remembers an error after which nothing more can be run.
func (d *Device) failed(err error) error {
	if errors.Is(err, ErrLost) || errors.Is(err, ErrTimeout) {
		d.mutex.Lock()
		defer d.mutex.Unlock()
		d.broken = err
	}
	return err
}

// Broken is the error after which nothing more can be run, if there was one.
func (d *Device) Broken() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.broken
}

// Close frees everything of the device and closes it, and reports whether it is
// closed: one that does not answer is left as it is, and its instance must be.
func (d *Device) Close() bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if errors.Is(d.broken, ErrTimeout) {
		return false
	}
	if d.closed || d.entries.DestroyDevice == 0 {
		return true
	}
	if d.entries.DeviceWaitIdle != 0 {
		d.entries.DeviceWaitIdle.call(d.handle)
	}
	for o, destroy := range d.owned {
		delete(d.owned, o)
		destroy()
	}
	d.entries.DestroyDevice.call(d.handle, 0)
	d.closed = true
	return true
}

// Buffer is device memory that the host sees, as a storage buffer.
type Buffer struct {
	device *Device
	handle handle
	memory handle
	// Bytes is the memory as the host sees it. It belongs to the device: not
	// to be touched after Free.
	Bytes []byte
}

// NewBuffer allocates a buffer of at least one byte. Its contents are
// undefined.
func (d *Device) NewBuffer(size int64) (*Buffer, error) {
	if size < 1 || uint64(size) > uint64(maxInt) {
		return nil, fmt.Errorf("%w: a buffer of %d bytes", ErrMemory, size)
	}
	b := &Buffer{device: d}
	if err := b.create(size); err != nil {
		b.destroy()
		return nil, fmt.Errorf("a buffer of %d bytes on %s: %w", size, d.Physical.Name, err)
	}
	d.keep(b, b.destroy)
	return b, nil
}

const maxInt = int(^uint(0) >> 1)

func (b *Buffer) create(size int64) error {
	d := b.device
	info := &bufferCreateInfo{
		sType: typeBufferCreateInfo, size: uint64(size),
		usage: usageStorageBuffer | usageTransferSource | usageTransferDestination,
	}
	var made, memory handle
	if err := check(d.entries.CreateBuffer.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))), "vkCreateBuffer"); err != nil {
		return err
	}
	b.handle = made
	requirements := new(memoryRequirements)
	d.entries.GetBufferMemoryRequirements.call(d.handle, uintptr(b.handle), uintptr(unsafe.Pointer(requirements)))
	kind, ok := d.Physical.memoryType(requirements.memoryTypeBits)
	if !ok {
		return fmt.Errorf("%w: no memory that the host can map", ErrUnusable)
	}
	allocate := &memoryAllocateInfo{sType: typeMemoryAllocateInfo, allocationSize: requirements.size, memoryTypeIndex: kind}
	if err := check(d.entries.AllocateMemory.call(d.handle, uintptr(unsafe.Pointer(allocate)), 0, uintptr(unsafe.Pointer(&memory))), "vkAllocateMemory"); err != nil {
		return err
	}
	b.memory = memory
	if err := check(d.entries.BindBufferMemory.call(d.handle, uintptr(b.handle), uintptr(b.memory), 0), "vkBindBufferMemory"); err != nil {
		return err
	}
	var mapped unsafe.Pointer
	// An offset and a size of 64 bits are one word each on the systems that have a loader.
	whole := uint64(wholeSize)
	if err := check(d.entries.MapMemory.call(d.handle, uintptr(b.memory), 0, uintptr(whole), 0, uintptr(unsafe.Pointer(&mapped))), "vkMapMemory"); err != nil {
		return err
	}
	b.Bytes = unsafe.Slice((*byte)(mapped), int(size))
	return nil
}

func (b *Buffer) destroy() {
	d := b.device
	b.Bytes = nil
	if b.handle != 0 {
		d.entries.DestroyBuffer.call(d.handle, uintptr(b.handle), 0)
	}
	if b.memory != 0 {
		d.entries.FreeMemory.call(d.handle, uintptr(b.memory), 0) // unmaps it, too
	}
	b.handle, b.memory = 0, 0
}

func (b *Buffer) free() { b.device.release(b) }

// Free frees the buffer. Nothing that is running may use it.
func (b *Buffer) Free() { b.free() }

// Span is a range of a buffer, at a multiple of Limits.OffsetAlignment.
type Span struct {
	Buffer *Buffer
	Offset int64
	Size   int64 // at least 1
}

// Bytes is the memory of the span as the host sees it.
func (s Span) Bytes() []byte { return s.Buffer.Bytes[s.Offset : s.Offset+s.Size : s.Offset+s.Size] }
