package vk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// Use says what a buffer is for, so that it lies where that is quickest.
type Use int

// The uses.
const (
	UseDevice Use = iota // by the device: the host may not see it
	UseInput             // written by the host, read by the device
	UseOutput            // read by the host
)

// wishes are the properties of memory for each use, best first. Where the host
// is to see a buffer, it sees it without flushing: every device has such memory.
var wishes = map[Use][]uint32{
	UseDevice: {memoryDeviceLocal, 0},
	UseInput: {
		memoryDeviceLocal | memoryHostVisible | memoryHostCoherent,
		memoryHostVisible | memoryHostCoherent,
	},
	UseOutput: {
		memoryHostVisible | memoryHostCoherent | memoryHostCached,
		memoryHostVisible | memoryHostCoherent,
	},
}

// Buffer is device memory as a buffer for all that a shader and a copy do.
type Buffer struct {
	device *Device
	handle handle
	memory handle
	size   int64
	// Bytes is the memory as the host sees it, nil if it does not. It belongs to
	// the device: not to be touched after Free.
	Bytes []byte
	// Cached says that the host reads Bytes quickly. A card's own memory it reads
	// past its caches, word by word over the bus.
	Cached bool
}

// NewBuffer allocates a buffer of at least one byte. Its contents are
// undefined. One for the device is mapped where its best memory can be and
// hidden is false.
func (d *Device) NewBuffer(size int64, use Use, hidden bool) (*Buffer, error) {
	if size < 1 || uint64(size) > uint64(maxInt) {
		return nil, fmt.Errorf("%w: a buffer of %d bytes", ErrMemory, size)
	}
	b := &Buffer{device: d, size: size}
	if err := b.create(use, hidden && use == UseDevice); err != nil {
		b.destroy()
		return nil, fmt.Errorf("a buffer of %d bytes on %s: %w", size, d.Physical.Name, err)
	}
	d.owner.Keep(b, b.destroy)
	return b, nil
}

const maxInt = int(^uint(0) >> 1)

func (b *Buffer) create(use Use, hidden bool) error {
	d := b.device
	info := &bufferCreateInfo{
		sType: typeBufferCreateInfo, size: uint64(b.size),
		usage: usageStorageBuffer | usageUniformBuffer | usageIndirectBuffer | usageTransferSource | usageTransferDestination,
	}
	var made handle
	if err := check(d.entries.CreateBuffer.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))), "vkCreateBuffer"); err != nil {
		return err
	}
	b.handle = made
	requirements := new(memoryRequirements)
	d.entries.GetBufferMemoryRequirements.call(d.handle, uintptr(b.handle), uintptr(unsafe.Pointer(requirements)))
	kind, err := b.allocate(requirements, use)
	if err != nil {
		return err
	}
	if err := check(d.entries.BindBufferMemory.call(d.handle, uintptr(b.handle), uintptr(b.memory), 0), "vkBindBufferMemory"); err != nil {
		return err
	}
	const seen = memoryHostVisible | memoryHostCoherent
	if hidden || d.Physical.memory.memoryTypes[kind].propertyFlags&seen != seen {
		return nil
	}
	var mapped unsafe.Pointer
	// An offset and a size of 64 bits are one word each on the systems that have a loader.
	whole := uint64(wholeSize)
	if err := check(d.entries.MapMemory.call(d.handle, uintptr(b.memory), 0, uintptr(whole), 0, uintptr(unsafe.Pointer(&mapped))), "vkMapMemory"); err != nil {
		return err
	}
	b.Bytes = unsafe.Slice((*byte)(mapped), int(b.size))
	b.Cached = d.Physical.memory.memoryTypes[kind].propertyFlags&memoryHostCached != 0
	return nil
}

// allocate takes the best memory that has room, and returns its type.
func (b *Buffer) allocate(requirements *memoryRequirements, use Use) (uint32, error) {
	err := fmt.Errorf("%w: no memory that suits", ErrUnusable)
	for _, kind := range b.device.Physical.memoryTypes(requirements.memoryTypeBits, use) {
		var memory handle
		info := &memoryAllocateInfo{sType: typeMemoryAllocateInfo, allocationSize: requirements.size, memoryTypeIndex: kind}
		d := b.device
		err = check(d.entries.AllocateMemory.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&memory))), "vkAllocateMemory")
		if err == nil {
			b.memory = memory
			return kind, nil
		}
		if !errors.Is(err, ErrMemory) {
			break
		}
	}
	return 0, err
}

// memoryTypes lists the types of memory, of those allowed, that suit a use, best
// first. For the device's own use that is the largest of its memories, and of its
// types one that the host sees too, if there is one: it needs no copying.
func (p *Physical) memoryTypes(allowed uint32, use Use) []uint32 {
	types := p.memory.memoryTypes[:p.memory.memoryTypeCount]
	var list []uint32
	for _, want := range wishes[use] {
		var found []uint32
		for t, m := range types {
			ordinary := m.propertyFlags < memoryHostCached<<1 // others want features of their own
			if allowed>>t&1 != 0 && ordinary && m.propertyFlags&want == want && !slices.Contains(list, uint32(t)) {
				found = append(found, uint32(t))
			}
		}
		if use == UseDevice {
			slices.SortStableFunc(found, func(a, b uint32) int {
				return cmp.Or(cmp.Compare(p.heapBytes(b), p.heapBytes(a)), cmp.Compare(hostRank(types[b]), hostRank(types[a])))
			})
		}
		list = append(list, found...)
	}
	return list
}

func (p *Physical) heapBytes(kind uint32) uint64 {
	heap := p.memory.memoryTypes[kind].heapIndex
	if heap >= uint32(len(p.memory.memoryHeaps)) {
		return 0
	}
	return p.memory.memoryHeaps[heap].size
}

// hostRank says how well the host sees a type of memory.
func hostRank(t memoryType) int {
	const seen = memoryHostVisible | memoryHostCoherent
	switch {
	case t.propertyFlags&(seen|memoryHostCached) == seen|memoryHostCached:
		return 2
	case t.propertyFlags&seen == seen:
		return 1
	}
	return 0
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

// Free frees the buffer. Nothing that is running may use it.
func (b *Buffer) Free() { b.device.owner.Free(b) }

// Size is the size in bytes.
func (b *Buffer) Size() int64 { return b.size }

// Span is a range of a buffer, at a multiple of Limits.OffsetAlignment.
type Span struct {
	Buffer *Buffer
	Offset int64
	Size   int64 // at least 1
}
