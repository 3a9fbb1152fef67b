package vk

import (
	"errors"
	"fmt"
	"unsafe"

	"zeroth/kernels/dl"
)

// Device is an opened device with one queue. Its methods may be called by many
// goroutines, but those that record or run commands by one at a time.
type Device struct {
	Physical *Physical
	entries  deviceEntries
	handle   uintptr
	queue    uintptr

	owner dl.Owner // of what must be destroyed before it
}

// NewDevice opens a device.
func (i *Instance) NewDevice(p *Physical) (*Device, error) {
	if p.Unusable != "" {
		return nil, fmt.Errorf("%w: %s: %s", ErrUnusable, p.Name, p.Unusable)
	}
	used, extensions := p.enabled()
	info := &deviceCreateInfo{
		sType: typeDeviceCreateInfo, pNext: unsafe.Pointer(&used.all), queueCreateInfoCount: 1,
		enabledExtensionCount: uint32(len(extensions)), ppEnabledExtensionNames: cStrings(extensions),
		pQueueCreateInfos: &deviceQueueCreateInfo{
			sType: typeDeviceQueueCreateInfo, queueFamilyIndex: p.queueFamily, queueCount: 1, pQueuePriorities: new(float32(1)),
		},
	}
	d := &Device{Physical: p}
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
// closed: one that does not answer is left as it is, and its instance must be.
func (d *Device) Close() bool {
	if d.entries.DestroyDevice == 0 {
		return true
	}
	return d.owner.Close(func() {
		if d.entries.DeviceWaitIdle != 0 {
			d.entries.DeviceWaitIdle.call(d.handle)
		}
	}, func() { d.entries.DestroyDevice.call(d.handle, 0) })
}
