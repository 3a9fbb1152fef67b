package vk

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable is wrapped where there is no Vulkan to be had: no library,
	// a version below 1.1, or an entry point that is missing.
	ErrUnavailable = errors.New("vulkan is not available")
	// ErrUnusable is wrapped when a device lacks what computing needs.
	ErrUnusable = errors.New("device cannot be used")
	// ErrRange is wrapped when a range is longer than a shader can address.
	ErrRange = errors.New("too large for a shader")
	// ErrMemory is wrapped when host or device memory is exhausted.
	ErrMemory = errors.New("out of memory on the device")
	// ErrLost is wrapped when the device stopped working: it was unplugged, its
	// driver was reset, or a shader ran past the driver's own limit.
	ErrLost = errors.New("device lost")
	// ErrTimeout is wrapped when work did not end in time. What it may still
	// read or write is never freed.
	ErrTimeout = errors.New("device does not answer")
)

// Result is a VkResult: negative values are errors.
type Result int32

const (
	success                   Result = 0
	notReady                  Result = 1
	timeout                   Result = 2
	incomplete                Result = 5
	errorOutOfHostMemory      Result = -1
	errorOutOfDeviceMemory    Result = -2
	errorInitializationFailed Result = -3
	errorDeviceLost           Result = -4
	errorMemoryMapFailed      Result = -5
	errorLayerNotPresent      Result = -6
	errorExtensionNotPresent  Result = -7
	errorFeatureNotPresent    Result = -8
	errorIncompatibleDriver   Result = -9
	errorTooManyObjects       Result = -10
	errorFormatNotSupported   Result = -11
	errorFragmentedPool       Result = -12
	errorUnknown              Result = -13
	errorOutOfPoolMemory      Result = -1000069000
	errorInvalidHandle        Result = -1000072003
	errorFragmentation        Result = -1000161000
	errorInvalidAddress       Result = -1000257000
)

// meaning is a Result in words, with the error that it counts as, if any.
type meaning struct {
	name string
	text string
	kind error
}

var meanings = map[Result]meaning{
	notReady:                  {"VK_NOT_READY", "not ready", nil},
	timeout:                   {"VK_TIMEOUT", "the work did not end in time", ErrTimeout},
	incomplete:                {"VK_INCOMPLETE", "the list is longer than was allowed for", nil},
	errorOutOfHostMemory:      {"VK_ERROR_OUT_OF_HOST_MEMORY", "out of host memory", ErrMemory},
	errorOutOfDeviceMemory:    {"VK_ERROR_OUT_OF_DEVICE_MEMORY", "out of device memory", ErrMemory},
	errorInitializationFailed: {"VK_ERROR_INITIALIZATION_FAILED", "the driver could not be started", ErrUnavailable},
	errorDeviceLost:           {"VK_ERROR_DEVICE_LOST", "the device was lost", ErrLost},
	errorMemoryMapFailed:      {"VK_ERROR_MEMORY_MAP_FAILED", "memory could not be mapped", ErrMemory},
	errorLayerNotPresent:      {"VK_ERROR_LAYER_NOT_PRESENT", "a layer is not installed", nil},
	errorExtensionNotPresent:  {"VK_ERROR_EXTENSION_NOT_PRESENT", "an extension is missing", ErrUnusable},
	errorFeatureNotPresent:    {"VK_ERROR_FEATURE_NOT_PRESENT", "a feature is missing", ErrUnusable},
	errorIncompatibleDriver:   {"VK_ERROR_INCOMPATIBLE_DRIVER", "no driver that works with this loader is installed", ErrUnavailable},
	errorTooManyObjects:       {"VK_ERROR_TOO_MANY_OBJECTS", "too many objects of one kind, memory allocations most likely", ErrMemory},
	errorFormatNotSupported:   {"VK_ERROR_FORMAT_NOT_SUPPORTED", "a format is not supported", nil},
	errorFragmentedPool:       {"VK_ERROR_FRAGMENTED_POOL", "a descriptor pool is fragmented", ErrMemory},
	errorUnknown:              {"VK_ERROR_UNKNOWN", "the driver gave no reason", nil},
	errorOutOfPoolMemory:      {"VK_ERROR_OUT_OF_POOL_MEMORY", "a descriptor pool is exhausted", ErrMemory},
	errorInvalidHandle:        {"VK_ERROR_INVALID_EXTERNAL_HANDLE", "an external handle is not valid", nil},
	errorFragmentation:        {"VK_ERROR_FRAGMENTATION", "memory is fragmented", ErrMemory},
	errorInvalidAddress:       {"VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS", "an address is not valid", nil},
}

func (r Result) Error() string {
	if m, ok := meanings[r]; ok {
		return fmt.Sprintf("%s (%s)", m.text, m.name)
	}
	return fmt.Sprintf("VkResult %d, which Vulkan 1.1 does not name", int32(r))
}

// Is makes a Result the sentinel error of its kind.
func (r Result) Is(target error) bool {
	m, ok := meanings[r]
	return ok && m.kind != nil && m.kind == target
}

// check turns what an entry point returned into an error that names it.
func check(r Result, entry string) error {
	if r == success {
		return nil
	}
	return fmt.Errorf("%s: %w", entry, r)
}
