package vk

//lint:file-ignore U1000 the fields are those of C, used or not

import "unsafe"

// handle is a non-dispatchable handle: 64 bits on every system. Dispatchable
// ones (instance, devices, queue, command buffer) are pointers: uintptr.
type handle uint64

// Structures as in vulkan_core.h, field by field. Fields that are not used are
// left out as padding; a name that Go reserves has a trailing underscore.

type applicationInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	pApplicationName   *byte
	applicationVersion uint32
	pEngineName        *byte
	engineVersion      uint32
	apiVersion         uint32
}

type instanceCreateInfo struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	flags                   uint32
	pApplicationInfo        *applicationInfo
	enabledLayerCount       uint32
	ppEnabledLayerNames     **byte
	enabledExtensionCount   uint32
	ppEnabledExtensionNames **byte
}

type layerProperties struct {
	layerName             [256]byte
	specVersion           uint32
	implementationVersion uint32
	description           [256]byte
}

type extensionProperties struct {
	extensionName [256]byte
	specVersion   uint32
}

type messengerCreateInfo struct {
	sType           uint32
	pNext           unsafe.Pointer
	flags           uint32
	messageSeverity uint32
	messageType     uint32
	pfnUserCallback uintptr
	pUserData       uintptr // a number of ours, not a pointer
}

type messengerCallbackData struct {
	sType           uint32
	pNext           unsafe.Pointer
	flags           uint32
	pMessageIdName  *byte
	messageIdNumber int32
	pMessage        *byte
}

type validationFeaturesInfo struct {
	sType                          uint32
	pNext                          unsafe.Pointer
	enabledValidationFeatureCount  uint32
	pEnabledValidationFeatures     *uint32
	disabledValidationFeatureCount uint32
	pDisabledValidationFeatures    *uint32
}

type physicalDeviceProperties2 struct {
	sType      uint32
	pNext      unsafe.Pointer
	properties physicalDeviceProperties
}

type physicalDeviceProperties struct {
	apiVersion        uint32
	driverVersion     uint32
	vendorID          uint32
	deviceID          uint32
	deviceType        uint32
	deviceName        [256]byte
	pipelineCacheUUID [16]byte
	limits            physicalDeviceLimits
	sparseProperties  [5]uint32
}

type physicalDeviceLimits struct {
	_                                   [6]uint32
	maxUniformBufferRange               uint32
	maxStorageBufferRange               uint32
	maxPushConstantsSize                uint32
	maxMemoryAllocationCount            uint32
	_                                   [9]uint32
	maxPerStageDescriptorStorageBuffers uint32
	_                                   [34]uint32
	maxComputeSharedMemorySize          uint32
	maxComputeWorkGroupCount            [3]uint32
	maxComputeWorkGroupInvocations      uint32
	maxComputeWorkGroupSize             [3]uint32
	_                                   [18]uint32
	minUniformBufferOffsetAlignment     uint64
	minStorageBufferOffsetAlignment     uint64
	_                                   [22]uint32
	timestampPeriod                     float32
	_                                   [17]uint32
	nonCoherentAtomSize                 uint64
}

type physicalDeviceSubgroupProperties struct {
	sType                     uint32
	pNext                     unsafe.Pointer
	subgroupSize              uint32
	supportedStages           uint32
	supportedOperations       uint32
	quadOperationsInAllStages uint32
}

type physicalDeviceMaintenance3Properties struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	maxPerSetDescriptors    uint32
	maxMemoryAllocationSize uint64
}

type physicalDeviceDriverProperties struct {
	sType              uint32
	pNext              unsafe.Pointer
	driverID           uint32
	driverName         [256]byte
	driverInfo         [256]byte
	conformanceVersion [4]uint8
}

type physicalDeviceFeatures2 struct {
	sType    uint32
	pNext    unsafe.Pointer
	features [55]uint32
}

type physicalDevice16BitStorageFeatures struct {
	sType                              uint32
	pNext                              unsafe.Pointer
	storageBuffer16BitAccess           uint32
	uniformAndStorageBuffer16BitAccess uint32
	storagePushConstant16              uint32
	storageInputOutput16               uint32
}

type physicalDevice8BitStorageFeatures struct {
	sType                             uint32
	pNext                             unsafe.Pointer
	storageBuffer8BitAccess           uint32
	uniformAndStorageBuffer8BitAccess uint32
	storagePushConstant8              uint32
}

type physicalDeviceShaderFloat16Int8Features struct {
	sType         uint32
	pNext         unsafe.Pointer
	shaderFloat16 uint32
	shaderInt8    uint32
}

type physicalDeviceShaderIntegerDotProductFeatures struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	shaderIntegerDotProduct uint32
}

type physicalDeviceShaderIntegerDotProductProperties struct {
	sType                                          uint32
	pNext                                          unsafe.Pointer
	_                                              [4]uint32
	integerDotProduct4x8BitPackedSignedAccelerated uint32
	_                                              [25]uint32
}

type physicalDeviceVulkanMemoryModelFeatures struct {
	sType                                         uint32
	pNext                                         unsafe.Pointer
	vulkanMemoryModel                             uint32
	vulkanMemoryModelDeviceScope                  uint32
	vulkanMemoryModelAvailabilityVisibilityChains uint32
}

type physicalDeviceSubgroupSizeControlFeatures struct {
	sType                uint32
	pNext                unsafe.Pointer
	subgroupSizeControl  uint32
	computeFullSubgroups uint32
}

type physicalDeviceSubgroupSizeControlProperties struct {
	sType                        uint32
	pNext                        unsafe.Pointer
	minSubgroupSize              uint32
	maxSubgroupSize              uint32
	maxComputeWorkgroupSubgroups uint32
	requiredSubgroupSizeStages   uint32
}

type pipelineShaderStageRequiredSubgroupSizeCreateInfo struct {
	sType                uint32
	pNext                unsafe.Pointer
	requiredSubgroupSize uint32
}

type physicalDeviceCooperativeMatrixFeatures struct {
	sType                               uint32
	pNext                               unsafe.Pointer
	cooperativeMatrix                   uint32
	cooperativeMatrixRobustBufferAccess uint32
}

type cooperativeMatrixProperties struct {
	sType                  uint32
	pNext                  unsafe.Pointer
	MSize                  uint32
	NSize                  uint32
	KSize                  uint32
	AType                  uint32
	BType                  uint32
	CType                  uint32
	ResultType             uint32
	saturatingAccumulation uint32
	scope                  uint32
}

type memoryType struct{ propertyFlags, heapIndex uint32 }

type memoryHeap struct {
	size  uint64
	flags uint32
}

type physicalDeviceMemoryProperties struct {
	memoryTypeCount uint32
	memoryTypes     [32]memoryType
	memoryHeapCount uint32
	memoryHeaps     [16]memoryHeap
}

type queueFamilyProperties struct {
	queueFlags                  uint32
	queueCount                  uint32
	timestampValidBits          uint32
	minImageTransferGranularity [3]uint32
}

type deviceQueueCreateInfo struct {
	sType            uint32
	pNext            unsafe.Pointer
	flags            uint32
	queueFamilyIndex uint32
	queueCount       uint32
	pQueuePriorities *float32
}

type deviceCreateInfo struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	flags                   uint32
	queueCreateInfoCount    uint32
	pQueueCreateInfos       *deviceQueueCreateInfo
	enabledLayerCount       uint32
	ppEnabledLayerNames     **byte
	enabledExtensionCount   uint32
	ppEnabledExtensionNames **byte
	pEnabledFeatures        unsafe.Pointer
}

type bufferCreateInfo struct {
	sType                 uint32
	pNext                 unsafe.Pointer
	flags                 uint32
	size                  uint64
	usage                 uint32
	sharingMode           uint32
	queueFamilyIndexCount uint32
	pQueueFamilyIndices   *uint32
}

type memoryRequirements struct {
	size           uint64
	alignment      uint64
	memoryTypeBits uint32
}

type memoryAllocateInfo struct {
	sType           uint32
	pNext           unsafe.Pointer
	allocationSize  uint64
	memoryTypeIndex uint32
}

type shaderModuleCreateInfo struct {
	sType    uint32
	pNext    unsafe.Pointer
	flags    uint32
	codeSize uintptr
	pCode    *uint32
}

type descriptorSetLayoutBinding struct {
	binding            uint32
	descriptorType     uint32
	descriptorCount    uint32
	stageFlags         uint32
	pImmutableSamplers unsafe.Pointer
}

type descriptorSetLayoutCreateInfo struct {
	sType        uint32
	pNext        unsafe.Pointer
	flags        uint32
	bindingCount uint32
	pBindings    *descriptorSetLayoutBinding
}

type pipelineLayoutCreateInfo struct {
	sType                  uint32
	pNext                  unsafe.Pointer
	flags                  uint32
	setLayoutCount         uint32
	pSetLayouts            *handle
	pushConstantRangeCount uint32
	pPushConstantRanges    unsafe.Pointer
}

type specializationMapEntry struct {
	constantID uint32
	offset     uint32
	size       uintptr
}

type specializationInfo struct {
	mapEntryCount uint32
	pMapEntries   *specializationMapEntry
	dataSize      uintptr
	pData         *uint32
}

type pipelineShaderStageCreateInfo struct {
	sType               uint32
	pNext               unsafe.Pointer
	flags               uint32
	stage               uint32
	module              handle
	pName               *byte
	pSpecializationInfo *specializationInfo
}

type computePipelineCreateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	flags              uint32
	stage              pipelineShaderStageCreateInfo
	layout             handle
	basePipelineHandle handle
	basePipelineIndex  int32
}

type pipelineCacheCreateInfo struct {
	sType           uint32
	pNext           unsafe.Pointer
	flags           uint32
	initialDataSize uintptr
	pInitialData    *byte
}

type descriptorPoolSize struct{ type_, descriptorCount uint32 }

type descriptorPoolCreateInfo struct {
	sType         uint32
	pNext         unsafe.Pointer
	flags         uint32
	maxSets       uint32
	poolSizeCount uint32
	pPoolSizes    *descriptorPoolSize
}

type descriptorSetAllocateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	descriptorPool     handle
	descriptorSetCount uint32
	pSetLayouts        *handle
}

type descriptorBufferInfo struct {
	buffer handle
	offset uint64
	range_ uint64
}

type writeDescriptorSet struct {
	sType            uint32
	pNext            unsafe.Pointer
	dstSet           handle
	dstBinding       uint32
	dstArrayElement  uint32
	descriptorCount  uint32
	descriptorType   uint32
	pImageInfo       unsafe.Pointer
	pBufferInfo      *descriptorBufferInfo
	pTexelBufferView unsafe.Pointer
}

type commandPoolCreateInfo struct {
	sType            uint32
	pNext            unsafe.Pointer
	flags            uint32
	queueFamilyIndex uint32
}

type commandBufferAllocateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	commandPool        handle
	level              uint32
	commandBufferCount uint32
}

type commandBufferBeginInfo struct {
	sType            uint32
	pNext            unsafe.Pointer
	flags            uint32
	pInheritanceInfo unsafe.Pointer
}

type submitInfo struct {
	sType                uint32
	pNext                unsafe.Pointer
	waitSemaphoreCount   uint32
	pWaitSemaphores      *handle
	pWaitDstStageMask    *uint32
	commandBufferCount   uint32
	pCommandBuffers      *uintptr
	signalSemaphoreCount uint32
	pSignalSemaphores    *handle
}

type queryPoolCreateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	flags              uint32
	queryType          uint32
	queryCount         uint32
	pipelineStatistics uint32
}

type fenceCreateInfo struct {
	sType uint32
	pNext unsafe.Pointer
	flags uint32
}

type bufferCopy struct{ srcOffset, dstOffset, size uint64 }

type memoryBarrier struct {
	sType         uint32
	pNext         unsafe.Pointer
	srcAccessMask uint32
	dstAccessMask uint32
}
