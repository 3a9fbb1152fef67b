package cl

import (
	"fmt"
	"runtime"
	"sync"

	"zeroth/kernels/dl"
)

// entry is the address of a function of OpenCL.
type entry uintptr

// call calls an entry point and returns its status.
//
//go:uintptrescapes
func (e entry) call(args ...uintptr) Status { return Status(int32(dl.Call(uintptr(e), args...))) }

// make calls an entry point that returns an object.
//
//go:uintptrescapes
func (e entry) make(args ...uintptr) uintptr { return dl.Call(uintptr(e), args...) }

// entries are the entry points in use, all of OpenCL 1.2.
type entries struct {
	GetPlatformIDs, GetPlatformInfo, GetDeviceIDs, GetDeviceInfo entry
	CreateContext, ReleaseContext                                entry
	CreateCommandQueue, ReleaseCommandQueue                      entry
	CreateBuffer, ReleaseMemObject                               entry
	EnqueueReadBuffer, EnqueueWriteBuffer                        entry
	CreateProgramWithSource, CreateProgramWithBinary             entry
	BuildProgram, GetProgramBuildInfo, GetProgramInfo            entry
	ReleaseProgram                                               entry
	CreateKernel, ReleaseKernel, SetKernelArg                    entry
	GetKernelWorkGroupInfo                                       entry
	EnqueueNDRangeKernel, EnqueueMarkerWithWaitList, Flush       entry
	GetEventInfo, GetEventProfilingInfo, ReleaseEvent            entry
}

// named is an entry point to be looked up.
type named struct {
	name string
	to   *entry
}

func (e *entries) list() []named {
	return []named{
		{"clGetPlatformIDs", &e.GetPlatformIDs},
		{"clGetPlatformInfo", &e.GetPlatformInfo},
		{"clGetDeviceIDs", &e.GetDeviceIDs},
		{"clGetDeviceInfo", &e.GetDeviceInfo},
		{"clCreateContext", &e.CreateContext},
		{"clReleaseContext", &e.ReleaseContext},
		{"clCreateCommandQueue", &e.CreateCommandQueue},
		{"clReleaseCommandQueue", &e.ReleaseCommandQueue},
		{"clCreateBuffer", &e.CreateBuffer},
		{"clReleaseMemObject", &e.ReleaseMemObject},
		{"clEnqueueReadBuffer", &e.EnqueueReadBuffer},
		{"clEnqueueWriteBuffer", &e.EnqueueWriteBuffer},
		{"clCreateProgramWithSource", &e.CreateProgramWithSource},
		{"clCreateProgramWithBinary", &e.CreateProgramWithBinary},
		{"clBuildProgram", &e.BuildProgram},
		{"clGetProgramBuildInfo", &e.GetProgramBuildInfo},
		{"clGetProgramInfo", &e.GetProgramInfo},
		{"clReleaseProgram", &e.ReleaseProgram},
		{"clCreateKernel", &e.CreateKernel},
		{"clReleaseKernel", &e.ReleaseKernel},
		{"clSetKernelArg", &e.SetKernelArg},
		{"clGetKernelWorkGroupInfo", &e.GetKernelWorkGroupInfo},
		{"clEnqueueNDRangeKernel", &e.EnqueueNDRangeKernel},
		{"clEnqueueMarkerWithWaitList", &e.EnqueueMarkerWithWaitList},
		{"clFlush", &e.Flush},
		{"clGetEventInfo", &e.GetEventInfo},
		{"clGetEventProfilingInfo", &e.GetEventProfilingInfo},
		{"clReleaseEvent", &e.ReleaseEvent},
	}
}

// libraries are the names of the loader, or of the driver itself, on each
// system.
var libraries = map[string][]string{
	"linux": {"libOpenCL.so.1", "libOpenCL.so"},
	"android": {
		"libOpenCL.so", "/vendor/lib64/libOpenCL.so", "/system/vendor/lib64/libOpenCL.so",
		"/vendor/lib64/egl/libGLES_mali.so", "/vendor/lib64/libPVROCL.so",
	},
	"windows": {"OpenCL.dll"},
	"darwin":  {"/System/Library/Frameworks/OpenCL.framework/OpenCL"},
}

// load loads the library, once. It stays loaded.
var load = sync.OnceValues(func() (*entries, error) {
	library, err := dl.Open(libraries[runtime.GOOS]...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	e := new(entries)
	for _, n := range e.list() {
		address, err := library.Symbol(n.name)
		if err != nil {
			return nil, fmt.Errorf("%w: at least version 1.2 is needed: %w", ErrUnavailable, err)
		}
		*n.to = entry(address)
	}
	return e, nil
})
