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
