package vk

import "unsafe"

// Matrix is a product that the invocations of a subgroup compute together:
// A [M, K] times B [K, N], added to C [M, N].
type Matrix struct {
	M, N, K int
	Bytes   bool // of signed bytes, summed as 32-bit integers; else of f16, summed as f32
}

// The extensions that arithmetic variants need, beside the first for what it says.
const (
	extensionFloat16Int8  = "VK_KHR_shader_float16_int8"
	extensionDot          = "VK_KHR_shader_integer_dot_product"
	extensionMatrix       = "VK_KHR_cooperative_matrix"
	extensionMemoryModel  = "VK_KHR_vulkan_memory_model"
	extensionSubgroupSize = "VK_EXT_subgroup_size_control"
)

// features are the structures by which a device tells what it can do and is told
// what will be used of that.
type features struct {
	all        physicalDeviceFeatures2
	storage16  physicalDevice16BitStorageFeatures
	storage8   physicalDevice8BitStorageFeatures
	arithmetic physicalDeviceShaderFloat16Int8Features
	dot        physicalDeviceShaderIntegerDotProductFeatures
	subgroups  physicalDeviceSubgroupSizeControlFeatures
	model      physicalDeviceVulkanMemoryModelFeatures
	matrix     physicalDeviceCooperativeMatrixFeatures
}

// readFeatures asks for those features whose structures the device knows. Of what
// shaders use only the extensions are enabled, so a device without one lacks it,
// though its version of Vulkan has taken it in.
func (i *Instance) readFeatures(p *Physical, api uint32) {
	f := &features{
		all:      physicalDeviceFeatures2{sType: typeFeatures2},
		storage8: physicalDevice8BitStorageFeatures{sType: type8BitStorageFeatures},
	}
	f.setTypes()
	f.all.pNext = unsafe.Pointer(&f.storage16)
	next := &f.storage16.pNext
	if p.has(api, version(1, 2), "VK_KHR_8bit_storage") {
		*next, next = unsafe.Pointer(&f.storage8), &f.storage8.pNext
	}
	if p.has(api, 0, extensionFloat16Int8) {
		*next, next = unsafe.Pointer(&f.arithmetic), &f.arithmetic.pNext
	}
	if p.has(api, 0, extensionDot) {
		*next, next = unsafe.Pointer(&f.dot), &f.dot.pNext
	}
	if p.has(api, 0, extensionSubgroupSize) {
		*next, next = unsafe.Pointer(&f.subgroups), &f.subgroups.pNext
	}
	if p.has(api, 0, extensionMemoryModel) {
		*next, next = unsafe.Pointer(&f.model), &f.model.pNext
	}
	if p.has(api, 0, extensionMatrix) {
		*next = unsafe.Pointer(&f.matrix)
	}
	i.entries.GetPhysicalDeviceFeatures2.call(p.handle, uintptr(unsafe.Pointer(&f.all)))
	p.Features.FP16Storage = f.storage16.storageBuffer16BitAccess != 0
	p.Features.Int8Storage = f.storage8.storageBuffer8BitAccess != 0
	p.Features.FP16Arithmetic = f.arithmetic.shaderFloat16 != 0
	p.Features.Int8Arithmetic = f.arithmetic.shaderInt8 != 0
	p.Features.IntegerDot = f.dot.shaderIntegerDotProduct != 0
	p.sized = f.subgroups.subgroupSizeControl != 0 && f.subgroups.computeFullSubgroups != 0
	p.Features.CooperativeMatrix = f.matrix.cooperativeMatrix != 0 && f.model.vulkanMemoryModel != 0 && p.Features.FP16Arithmetic
	i.readDot(p)
	i.readSubgroups(p)
	i.readMatrices(p)
}

func (f *features) setTypes() {
	f.storage16.sType = type16BitStorageFeatures
	f.arithmetic.sType, f.dot.sType = typeFloat16Int8Features, typeIntegerDotProductFeatures
	f.subgroups.sType, f.model.sType, f.matrix.sType = typeSubgroupSizeFeatures, typeMemoryModelFeatures, typeMatrixFeatures
}

// readDot asks whether dot products of bytes are quick.
func (i *Instance) readDot(p *Physical) {
	if !p.Features.IntegerDot {
		return
	}
	dot := &physicalDeviceShaderIntegerDotProductProperties{sType: typeIntegerDotProperties}
	all := &physicalDeviceProperties2{sType: typeProperties2, pNext: unsafe.Pointer(dot)}
	i.entries.GetPhysicalDeviceProperties2.call(p.handle, uintptr(unsafe.Pointer(all)))
	p.Features.FastIntegerDot = dot.integerDotProduct4x8BitPackedSignedAccelerated != 0
}

// readSubgroups asks whether a shader may demand subgroups of the usual size.
func (i *Instance) readSubgroups(p *Physical) {
	if !p.sized {
		return
	}
	size := &physicalDeviceSubgroupSizeControlProperties{sType: typeSubgroupSizeProperties}
	all := &physicalDeviceProperties2{sType: typeProperties2, pNext: unsafe.Pointer(size)}
	i.entries.GetPhysicalDeviceProperties2.call(p.handle, uintptr(unsafe.Pointer(all)))
	p.readSizes(size)
}

// readSizes finds out how a shader gets subgroups of the usual size: by demanding it,
// or because there is no other.
func (p *Physical) readSizes(size *physicalDeviceSubgroupSizeControlProperties) {
	usual := uint32(p.Limits.SubgroupSize)
	if size.minSubgroupSize == usual && size.maxSubgroupSize == usual {
		p.oneSize = true
		return
	}
	p.sized = size.requiredSubgroupSizeStages&shaderStageCompute != 0 && usual >= size.minSubgroupSize && usual <= size.maxSubgroupSize &&
		uint64(size.maxComputeWorkgroupSubgroups)*uint64(usual) >= uint64(least.WorkGroupInvocations)
}

// readMatrices lists the products of f16 and of bytes that subgroups compute.
func (i *Instance) readMatrices(p *Physical) {
	if !p.Features.CooperativeMatrix || i.entries.GetCooperativeMatrixProperties == 0 {
		return
	}
	found, err := list("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", func(n *uint32, first *cooperativeMatrixProperties) Result {
		if first != nil { // each says of what type it is
			for k := range *n {
				(*cooperativeMatrixProperties)(unsafe.Add(unsafe.Pointer(first), uintptr(k)*unsafe.Sizeof(*first))).sType = typeMatrixProperties
			}
		}
		return i.entries.GetCooperativeMatrixProperties.call(p.handle, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
	})
	if err != nil {
		return
	}
	for _, m := range found {
		half := m.AType == componentF16 && m.BType == componentF16 && m.CType == componentF32 && m.ResultType == componentF32
		bytes := m.AType == componentI8 && m.BType == componentI8 && m.CType == componentI32 && m.ResultType == componentI32
		if m.scope == scopeSubgroup && m.saturatingAccumulation == 0 && (half || bytes && p.Features.Int8Arithmetic) {
			p.Matrices = append(p.Matrices, Matrix{int(m.MSize), int(m.NSize), int(m.KSize), bytes})
		}
	}
}

// enabled are the features and extensions that a device is opened with: what
// shaders may use of it.
func (p *Physical) enabled() (*features, []string) {
	f := &features{all: physicalDeviceFeatures2{sType: typeFeatures2}}
	f.setTypes()
	next := &f.all.pNext
	if p.Features.FP16Storage {
		f.storage16.storageBuffer16BitAccess = 1
		*next, next = unsafe.Pointer(&f.storage16), &f.storage16.pNext
	}
	var extensions []string
	use := func(wanted bool, extension string, structure unsafe.Pointer, tail *unsafe.Pointer) bool {
		if !wanted || !p.has(0, 0, extension) {
			return false
		}
		*next, next = structure, tail
		extensions = append(extensions, extension)
		return true
	}
	if use(p.Features.FP16Arithmetic || p.Features.Int8Arithmetic, extensionFloat16Int8, unsafe.Pointer(&f.arithmetic), &f.arithmetic.pNext) {
		f.arithmetic.shaderFloat16, f.arithmetic.shaderInt8 = flag(p.Features.FP16Arithmetic), flag(p.Features.Int8Arithmetic)
	}
	if use(p.Features.IntegerDot, extensionDot, unsafe.Pointer(&f.dot), &f.dot.pNext) {
		f.dot.shaderIntegerDotProduct = 1
	}
	if use(p.sized, extensionSubgroupSize, unsafe.Pointer(&f.subgroups), &f.subgroups.pNext) {
		f.subgroups.subgroupSizeControl, f.subgroups.computeFullSubgroups = 1, 1
	}
	if p.Features.CooperativeMatrix && use(true, extensionMemoryModel, unsafe.Pointer(&f.model), &f.model.pNext) {
		f.model.vulkanMemoryModel = 1
		use(true, extensionMatrix, unsafe.Pointer(&f.matrix), &f.matrix.pNext)
		f.matrix.cooperativeMatrix = 1
	}
	return f, extensions
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// Sized reports whether a shader can have full subgroups of the usual size.
func (p *Physical) Sized() bool { return p.sized }
