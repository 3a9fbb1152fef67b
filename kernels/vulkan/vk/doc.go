// Package vk is the part of Vulkan 1.1 that computing needs, without cgo: the
// few dozen entry points that create a device, its buffers and pipelines, and
// record and run dispatches. It loads the system's libvulkan through
// kernels/dl; without one, Open fails with ErrUnavailable.
//
//	instance, err := vk.Open(vk.Options{})
//	for _, p := range instance.Devices() { … }
//	device, err := instance.NewDevice(instance.Devices()[0])
//
// Structures keep the names that the Vulkan specification gives them and their
// fields, and a test compares each size and offset with the system's headers.
// They hold Go pointers that C reads during a call and never after it.
//
// Only kernels/vulkan and the tool's list of devices use it. It knows nothing
// of ops or tensors.
package vk
