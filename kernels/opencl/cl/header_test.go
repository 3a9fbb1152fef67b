package cl

import (
	"fmt"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// values are our constants by C's names.
var values = map[string]int64{
	"CL_PLATFORM_VERSION":           platformVersion,
	"CL_PLATFORM_NAME":              platformName,
	"CL_DEVICE_TYPE":                deviceType,
	"CL_DEVICE_MAX_WORK_GROUP_SIZE": deviceMaxWorkGroupSize,
	"CL_DEVICE_MAX_WORK_ITEM_SIZES": deviceMaxWorkItemSizes,
	"CL_DEVICE_MAX_MEM_ALLOC_SIZE":  deviceMaxMemAllocSize,
	"CL_DEVICE_SINGLE_FP_CONFIG":    deviceSingleFPConfig,
	"CL_DEVICE_GLOBAL_MEM_SIZE":     deviceGlobalMemSize,
	"CL_DEVICE_LOCAL_MEM_SIZE":      deviceLocalMemSize,
	"CL_DEVICE_ENDIAN_LITTLE":       deviceEndianLittle,
	"CL_DEVICE_AVAILABLE":           deviceAvailable,
	"CL_DEVICE_COMPILER_AVAILABLE":  deviceCompilerAvailable,
	"CL_DEVICE_NAME":                deviceName,
	"CL_DEVICE_VENDOR":              deviceVendor,
	"CL_DRIVER_VERSION":             driverVersion,
	"CL_DEVICE_VERSION":             deviceVersion,
	"CL_DEVICE_EXTENSIONS":          deviceExtensions,
	"CL_DEVICE_HOST_UNIFIED_MEMORY": deviceHostUnifiedMemory,
	"CL_DEVICE_INTEGER_DOT_PRODUCT_ACCELERATION_PROPERTIES_4x8BIT_PACKED_KHR": deviceIntegerDotPacked,
	"CL_DEVICE_TYPE_CPU":                typeCPU,
	"CL_DEVICE_TYPE_GPU":                typeGPU,
	"CL_DEVICE_TYPE_ACCELERATOR":        typeAccelerator,
	"CL_DEVICE_TYPE_ALL":                typeAll,
	"CL_FP_INF_NAN":                     fpInfNaN,
	"CL_FP_ROUND_TO_NEAREST":            fpRoundToNearest,
	"CL_CONTEXT_PLATFORM":               contextPlatform,
	"CL_MEM_READ_WRITE":                 memReadWrite,
	"CL_PROGRAM_BINARY_SIZES":           programBinarySizes,
	"CL_PROGRAM_BINARIES":               programBinaries,
	"CL_PROGRAM_BUILD_LOG":              programBuildLog,
	"CL_KERNEL_WORK_GROUP_SIZE":         kernelWorkGroupSize,
	"CL_EVENT_COMMAND_EXECUTION_STATUS": eventExecutionStatus,
	"CL_COMPLETE":                       eventComplete,
	"CL_QUEUE_PROFILING_ENABLE":         queueProfiling,
	"CL_PROFILING_COMMAND_START":        profilingStart,
	"CL_PROFILING_COMMAND_END":          profilingEnd,
	"CL_SUCCESS":                        int64(success),
}

// sizes are what our calls take C's types for.
var sizes = map[string]int64{
	"cl_device_integer_dot_product_acceleration_properties_khr": 24,
	"size_t": 8, "cl_bool": 4, "cl_uint": 4, "cl_int": 4, "cl_ulong": 8, "cl_bitfield": 8, "cl_context_properties": 8,
	"cl_mem": 8, "cl_event": 8, "cl_device_id": 8, "cl_platform_id": 8, "cl_command_queue_properties": 8, "cl_device_type": 8,
}

// probe is a C program that prints "name value" for constants and sizes. It is
// not compiled if a function that we call is not declared.
func probe() string {
	var b strings.Builder
	b.WriteString("#define CL_TARGET_OPENCL_VERSION 120\n#include <CL/cl.h>\n#include <CL/cl_ext.h>\n#include <stdio.h>\nint main(void) {\n")
	for name := range expected() {
		if _, isType := sizes[name]; isType {
			fmt.Fprintf(&b, "printf(\"%s %%lld\\n\", (long long)sizeof(%s));\n", name, name)
		} else {
			fmt.Fprintf(&b, "printf(\"%s %%lld\\n\", (long long)(%s));\n", name, name)
		}
	}
	for _, n := range new(entries).list() {
		fmt.Fprintf(&b, "(void)sizeof(&%s);\n", n.name)
	}
	b.WriteString("return 0;\n}\n")
	return b.String()
}

// expected is what the probe should print.
func expected() map[string]int64 {
	want := make(map[string]int64)
	for _, list := range []map[string]int64{values, sizes} {
		for name, v := range list {
			want[name] = v
		}
	}
	for s, m := range meanings {
		want[m.name] = int64(s)
	}
	return want
}

// Constants, types and functions are those of the system's headers.
func TestHeaders(t *testing.T) {
	want := expected()
	if len(want) < 80 {
		t.Errorf("only %d values are compared", len(want))
	}
	testdata.CompareWithC(t, "/usr/include/CL/cl.h", probe(), want)
}
