// Package cl is the part of OpenCL 1.2 that computing needs, without cgo: the
// few dozen entry points that list devices, hold buffers, build programs and
// run their kernels in order. It loads the system's libOpenCL through
// kernels/dl; without one, Devices fails with ErrUnavailable.
//
//	list, err := cl.Devices()
//	device, err := list[0].Open()
//
// Constants are compared with the system's headers by a test. What a driver
// says of itself is bounded and cleaned before it is shown.
//
// Only kernels/opencl and the tool's list of devices use it. It knows nothing
// of ops or tensors.
package cl
