package cl

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable is wrapped where there is no OpenCL to be had: no library,
	// or one without an entry point of version 1.2.
	ErrUnavailable = errors.New("opencl is not available")
	// ErrUnusable is wrapped when a device lacks what computing needs, or is
	// asked for what it cannot do.
	ErrUnusable = errors.New("device cannot be used")
	// ErrMemory is wrapped when host or device memory is exhausted.
	ErrMemory = errors.New("out of memory on the device")
	// ErrBuild is wrapped when a program cannot be built; the message has the
	// compiler's log.
	ErrBuild = errors.New("program cannot be built")
	// ErrLost is wrapped when the device stopped working, or gave up what it
	// ran.
	ErrLost = errors.New("device lost")
	// ErrTimeout is wrapped when work did not end in time. What it may still
	// read or write is never freed.
	ErrTimeout = errors.New("device does not answer")
)

// Status is what an entry point returns: errors are negative.
type Status int32

const (
	success                    Status = 0
	deviceNotFound             Status = -1
	deviceNotAvailable         Status = -2
	compilerNotAvailable       Status = -3
	memObjectAllocationFailure Status = -4
	outOfResources             Status = -5
	outOfHostMemory            Status = -6
	buildProgramFailure        Status = -11
	mapFailure                 Status = -12
	execStatusError            Status = -14
	compileProgramFailure      Status = -15
	linkerNotAvailable         Status = -16
	linkProgramFailure         Status = -17
	invalidValue               Status = -30
	invalidDeviceType          Status = -31
	invalidPlatform            Status = -32
	invalidDevice              Status = -33
	invalidContext             Status = -34
	invalidQueueProperties     Status = -35
	invalidCommandQueue        Status = -36
	invalidHostPtr             Status = -37
	invalidMemObject           Status = -38
	invalidBinary              Status = -42
	invalidBuildOptions        Status = -43
	invalidProgram             Status = -44
	invalidProgramExecutable   Status = -45
	invalidKernelName          Status = -46
	invalidKernelDefinition    Status = -47
	invalidKernel              Status = -48
	invalidArgIndex            Status = -49
	invalidArgValue            Status = -50
	invalidArgSize             Status = -51
	invalidKernelArgs          Status = -52
	invalidWorkDimension       Status = -53
	invalidWorkGroupSize       Status = -54
	invalidWorkItemSize        Status = -55
	invalidGlobalOffset        Status = -56
	invalidEventWaitList       Status = -57
	invalidEvent               Status = -58
	invalidOperation           Status = -59
	invalidBufferSize          Status = -61
	invalidGlobalWorkSize      Status = -63
	invalidProperty            Status = -64
	invalidCompilerOptions     Status = -66

	// What the loader returns where no driver is installed; of cl_ext.h.
	platformNotFound Status = -1001
)

// meaning is a Status in words, with the error that it counts as, if any.
type meaning struct {
	name string
	text string
	kind error
}

var meanings = map[Status]meaning{
	deviceNotFound:             {"CL_DEVICE_NOT_FOUND", "there is no such device", nil},
	deviceNotAvailable:         {"CL_DEVICE_NOT_AVAILABLE", "the device is not available now", ErrUnusable},
	compilerNotAvailable:       {"CL_COMPILER_NOT_AVAILABLE", "the driver has no compiler", ErrUnusable},
	memObjectAllocationFailure: {"CL_MEM_OBJECT_ALLOCATION_FAILURE", "memory for a buffer could not be had", ErrMemory},
	outOfResources:             {"CL_OUT_OF_RESOURCES", "the device ran out of resources, or a kernel failed", ErrMemory},
	outOfHostMemory:            {"CL_OUT_OF_HOST_MEMORY", "out of host memory", ErrMemory},
	buildProgramFailure:        {"CL_BUILD_PROGRAM_FAILURE", "the compiler refused a program", ErrBuild},
	mapFailure:                 {"CL_MAP_FAILURE", "memory could not be mapped", ErrMemory},
	execStatusError:            {"CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", "earlier work failed", ErrLost},
	compileProgramFailure:      {"CL_COMPILE_PROGRAM_FAILURE", "the compiler refused a program", ErrBuild},
	linkerNotAvailable:         {"CL_LINKER_NOT_AVAILABLE", "the driver has no linker", ErrUnusable},
	linkProgramFailure:         {"CL_LINK_PROGRAM_FAILURE", "a program could not be linked", ErrBuild},
	invalidValue:               {"CL_INVALID_VALUE", "an argument is not valid", nil},
	invalidDeviceType:          {"CL_INVALID_DEVICE_TYPE", "a type of device is not valid", nil},
	invalidPlatform:            {"CL_INVALID_PLATFORM", "a platform is not valid", nil},
	invalidDevice:              {"CL_INVALID_DEVICE", "a device is not valid", nil},
	invalidContext:             {"CL_INVALID_CONTEXT", "the context is not valid", ErrLost},
	invalidQueueProperties:     {"CL_INVALID_QUEUE_PROPERTIES", "a queue's properties are not supported", nil},
	invalidCommandQueue:        {"CL_INVALID_COMMAND_QUEUE", "the queue is not valid any more", ErrLost},
	invalidHostPtr:             {"CL_INVALID_HOST_PTR", "a pointer to host memory is not valid", nil},
	invalidMemObject:           {"CL_INVALID_MEM_OBJECT", "a buffer is not valid", nil},
	invalidBinary:              {"CL_INVALID_BINARY", "a program's binary is not for this device", ErrBuild},
	invalidBuildOptions:        {"CL_INVALID_BUILD_OPTIONS", "the compiler does not know an option", ErrBuild},
	invalidProgram:             {"CL_INVALID_PROGRAM", "a program is not valid", nil},
	invalidProgramExecutable:   {"CL_INVALID_PROGRAM_EXECUTABLE", "a program has not been built for the device", ErrBuild},
	invalidKernelName:          {"CL_INVALID_KERNEL_NAME", "the program has no such kernel", ErrBuild},
	invalidKernelDefinition:    {"CL_INVALID_KERNEL_DEFINITION", "a kernel differs among devices", ErrBuild},
	invalidKernel:              {"CL_INVALID_KERNEL", "a kernel is not valid", nil},
	invalidArgIndex:            {"CL_INVALID_ARG_INDEX", "the kernel has no such argument", nil},
	invalidArgValue:            {"CL_INVALID_ARG_VALUE", "an argument's value is not valid", nil},
	invalidArgSize:             {"CL_INVALID_ARG_SIZE", "an argument's size is not what the kernel declares", nil},
	invalidKernelArgs:          {"CL_INVALID_KERNEL_ARGS", "arguments of the kernel have not been set", nil},
	invalidWorkDimension:       {"CL_INVALID_WORK_DIMENSION", "the number of dimensions is not valid", nil},
	invalidWorkGroupSize:       {"CL_INVALID_WORK_GROUP_SIZE", "the device does not run work groups of that size", ErrUnusable},
	invalidWorkItemSize:        {"CL_INVALID_WORK_ITEM_SIZE", "the device does not run work groups of that shape", ErrUnusable},
	invalidGlobalOffset:        {"CL_INVALID_GLOBAL_OFFSET", "an offset is not valid", nil},
	invalidEventWaitList:       {"CL_INVALID_EVENT_WAIT_LIST", "a list of events is not valid", nil},
	invalidEvent:               {"CL_INVALID_EVENT", "an event is not valid", nil},
	invalidOperation:           {"CL_INVALID_OPERATION", "the operation is not allowed", nil},
	invalidBufferSize:          {"CL_INVALID_BUFFER_SIZE", "a buffer is larger than the device allows", ErrMemory},
	invalidGlobalWorkSize:      {"CL_INVALID_GLOBAL_WORK_SIZE", "the number of work items is not valid", nil},
	invalidProperty:            {"CL_INVALID_PROPERTY", "a property is not supported", nil},
	invalidCompilerOptions:     {"CL_INVALID_COMPILER_OPTIONS", "the compiler does not know an option", ErrBuild},
	platformNotFound:           {"CL_PLATFORM_NOT_FOUND_KHR", "no driver is installed", nil},
}

func (s Status) Error() string {
	if m, ok := meanings[s]; ok {
		return fmt.Sprintf("%s (%s)", m.text, m.name)
	}
	return fmt.Sprintf("status %d, which OpenCL 1.2 does not name", int32(s))
}

// Is makes a Status the sentinel error of its kind.
func (s Status) Is(target error) bool {
	m, ok := meanings[s]
	return ok && m.kind != nil && m.kind == target
}

// check turns what an entry point returned into an error that names it.
func check(s Status, entry string) error {
	if s == success {
		return nil
	}
	return fmt.Errorf("%s: %w", entry, s)
}
