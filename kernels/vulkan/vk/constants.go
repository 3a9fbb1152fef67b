package vk

// Values of VkStructureType.
const (
	typeApplicationInfo           = 0
	typeInstanceCreateInfo        = 1
	typeDeviceQueueCreateInfo     = 2
	typeDeviceCreateInfo          = 3
	typeSubmitInfo                = 4
	typeMemoryAllocateInfo        = 5
	typeFenceCreateInfo           = 8
	typeQueryPoolCreateInfo       = 11
	typeBufferCreateInfo          = 12
	typeShaderModuleCreateInfo    = 16
	typePipelineShaderStage       = 18
	typePipelineCacheCreateInfo   = 17
	typeComputePipelineCreateInfo = 29
	typePipelineLayoutCreateInfo  = 30
	typeDescriptorSetLayout       = 32
	typeDescriptorPoolCreateInfo  = 33
	typeDescriptorSetAllocateInfo = 34
	typeWriteDescriptorSet        = 35
	typeCommandPoolCreateInfo     = 39
	typeCommandBufferAllocateInfo = 40
	typeCommandBufferBeginInfo    = 42
	typeMemoryBarrier             = 46
	typeFeatures2                 = 1000059000
	typeProperties2               = 1000059001
	typeFloat16Int8Features       = 1000082000
	type16BitStorageFeatures      = 1000083000
	typeSubgroupProperties        = 1000094000
	typeMessengerCreateInfo       = 1000128004
	typeMaintenance3Properties    = 1000168000
	type8BitStorageFeatures       = 1000177000
	typeDriverProperties          = 1000196000
	typeMemoryModelFeatures       = 1000211000
	typeSubgroupSizeProperties    = 1000225000
	typeRequiredSubgroupSize      = 1000225001
	typeSubgroupSizeFeatures      = 1000225002
	typeValidationFeatures        = 1000247000
	typeIntegerDotProductFeatures = 1000280000
	typeIntegerDotProperties      = 1000280001
	typeMatrixFeatures            = 1000506000
	typeMatrixProperties          = 1000506001
)

// Flags and enumerations, in the order of the structures that hold them.
const (
	deviceTypeIntegrated = 1
	deviceTypeDiscrete   = 2
	deviceTypeVirtual    = 3
	deviceTypeCPU        = 4

	queueCompute = 0x2

	memoryDeviceLocal  = 0x1
	memoryHostVisible  = 0x2
	memoryHostCoherent = 0x4
	memoryHostCached   = 0x8
	heapDeviceLocal    = 0x1

	usageTransferSource      = 0x1
	usageTransferDestination = 0x2
	usageUniformBuffer       = 0x10
	usageStorageBuffer       = 0x20
	usageIndirectBuffer      = 0x100

	descriptorUniformBuffer = 6
	descriptorStorageBuffer = 7
	shaderStageCompute      = 0x20
	bindPointCompute        = 1

	requireFullSubgroups = 0x2

	componentF16  = 0
	componentF32  = 1
	componentI8   = 3
	componentI32  = 5
	scopeSubgroup = 3

	poolResetCommandBuffer = 0x2
	commandBufferPrimary   = 0

	queryTimestamp = 2
	queryResult64  = 0x1

	stageComputeShader  = 0x800
	stageTransfer       = 0x1000
	stageBottom         = 0x2000
	stageHost           = 0x4000
	accessShaderRead    = 0x20
	accessShaderWrite   = 0x40
	accessTransferRead  = 0x800
	accessTransferWrite = 0x1000
	accessHostRead      = 0x2000

	wholeSize = 1<<64 - 1

	severityWarning = 0x100
	severityError   = 0x1000
	messageAll      = 0x7 // general, validation, performance

	validateSynchronization = 4

	subgroupArithmetic = 0x4
)

// version packs a Vulkan version of variant 0.
func version(major, minor uint32) uint32 { return major<<22 | minor<<12 }

func versionMajor(v uint32) uint32 { return v >> 22 & 0x7f }
func versionMinor(v uint32) uint32 { return v >> 12 & 0x3ff }
func versionPatch(v uint32) uint32 { return v & 0xfff }
