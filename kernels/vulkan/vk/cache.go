package vk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"
)

// Cache is what a driver has compiled, to be kept from one process to the next.
type Cache struct {
	device *Device
	handle handle
}

const (
	// cacheHeader are the bytes that a cache's data begin with: the header's
	// length, its version, the ids of vendor and device, and 16 bytes that change
	// with the driver.
	cacheHeader  = 32
	cacheVersion = 1
)

// cacheID is how the data of a device's caches begin.
func cacheID(p *physicalDeviceProperties) (id [cacheHeader]byte) {
	head := binary.LittleEndian.AppendUint32(id[:0], cacheHeader)
	head = binary.LittleEndian.AppendUint32(head, cacheVersion)
	head = binary.LittleEndian.AppendUint32(head, p.vendorID)
	head = binary.LittleEndian.AppendUint32(head, p.deviceID)
	copy(id[len(head):], p.pipelineCacheUUID[:])
	return id
}

// CacheID names what caches are good for: a device with its driver.
func (p *Physical) CacheID() []byte { return bytes.Clone(p.cacheID[:]) }

// NewCache makes a cache of data that another one gave (Data); nil for an empty
// one. Data that do not begin as this device's do are refused, and the driver
// does not see them: whoever keeps them must know that the rest is whole.
func (d *Device) NewCache(data []byte) (*Cache, error) {
	info := &pipelineCacheCreateInfo{sType: typePipelineCacheCreateInfo}
	if data != nil {
		if !bytes.HasPrefix(data, d.Physical.cacheID[:]) {
			return nil, fmt.Errorf("%w: the cache is another device's or driver's", ErrUnusable)
		}
		data = bytes.Clone(data) // Go's allocator aligns it
		info.initialDataSize, info.pInitialData = uintptr(len(data)), &data[0]
	}
	var made handle
	if err := check(d.entries.CreatePipelineCache.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))), "vkCreatePipelineCache"); err != nil {
		return nil, fmt.Errorf("a cache of %d bytes on %s: %w", len(data), d.Physical.Name, err)
	}
	c := &Cache{device: d, handle: made}
	d.owner.Keep(c, func() { d.entries.DestroyPipelineCache.call(d.handle, uintptr(c.handle), 0) })
	return c, nil
}

// pointer is the handle as pipelines are made with; 0 for none.
func (c *Cache) pointer() uintptr {
	if c == nil {
		return 0
	}
	return uintptr(c.handle)
}

// Data is what the cache holds. It fails where that is more than most bytes.
func (c *Cache) Data(most int) ([]byte, error) {
	e, device := &c.device.entries, c.device.handle
	for range 8 { // it may grow between the two calls
		size := new(uintptr)
		if err := check(e.GetPipelineCacheData.call(device, uintptr(c.handle), uintptr(unsafe.Pointer(size)), 0), "vkGetPipelineCacheData"); err != nil {
			return nil, err
		}
		if *size > uintptr(most) || *size < cacheHeader {
			return nil, fmt.Errorf("%w: the driver's cache has %d bytes", ErrUnusable, *size)
		}
		data := make([]byte, *size)
		switch r := e.GetPipelineCacheData.call(device, uintptr(c.handle), uintptr(unsafe.Pointer(size)), uintptr(unsafe.Pointer(&data[0]))); r {
		case success:
			return data[:min(int(*size), len(data))], nil
		case incomplete:
		default:
			return nil, check(r, "vkGetPipelineCacheData")
		}
	}
	return nil, check(incomplete, "vkGetPipelineCacheData")
}

// Merge adds what another cache holds.
func (c *Cache) Merge(from *Cache) error {
	source := from.handle
	return check(c.device.entries.MergePipelineCaches.call(c.device.handle, uintptr(c.handle), 1, uintptr(unsafe.Pointer(&source))), "vkMergePipelineCaches")
}

// Free frees the cache. Pipelines that were made with it stay.
func (c *Cache) Free() { c.device.owner.Free(c) }
