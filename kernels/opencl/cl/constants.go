package cl

// What clGetPlatformInfo and clGetDeviceInfo are asked for.
const (
	platformVersion = 0x0901
	platformName    = 0x0902

	deviceType              = 0x1000
	deviceMaxWorkGroupSize  = 0x1004
	deviceMaxWorkItemSizes  = 0x1005
	deviceMaxMemAllocSize   = 0x1010
	deviceSingleFPConfig    = 0x101B
	deviceGlobalMemSize     = 0x101F
	deviceLocalMemSize      = 0x1023
	deviceEndianLittle      = 0x1026
	deviceAvailable         = 0x1027
	deviceCompilerAvailable = 0x1028
	deviceName              = 0x102B
	deviceVendor            = 0x102C
	driverVersion           = 0x102D
	deviceVersion           = 0x102F
	deviceExtensions        = 0x1030
	deviceHostUnifiedMemory = 0x1035

	// Of cl_khr_integer_dot_product, in cl_ext.h.
	deviceIntegerDotPacked = 0x1075
)

// Flags and the other questions, in the order of their functions.
const (
	typeCPU         = 1 << 1
	typeGPU         = 1 << 2
	typeAccelerator = 1 << 3
	typeAll         = 0xFFFFFFFF

	fpInfNaN         = 1 << 1
	fpRoundToNearest = 1 << 2

	contextPlatform = 0x1084

	memReadWrite = 1 << 0

	programBinarySizes = 0x1165
	programBinaries    = 0x1166
	programBuildLog    = 0x1183

	kernelWorkGroupSize = 0x11B0

	eventExecutionStatus = 0x11D3
	eventComplete        = 0

	queueProfiling = 1 << 1
	profilingStart = 0x1282
	profilingEnd   = 0x1283
)
