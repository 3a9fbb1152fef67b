package vk

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// Physical is a device as it is listed, before it is opened.
type Physical struct {
	handle      uintptr
	queueFamily uint32
	timestamps  uint32  // valid bits of the queue's, 0 if it has none
	period      float64 // of a timestamp's unit, in nanoseconds
	memory      physicalDeviceMemoryProperties
	cacheID     [cacheHeader]byte // how its caches of pipelines begin
	sized       bool              // see Sized
	oneSize     bool              // subgroups have no other size

	Name       string   // as its driver calls it
	Kind       string   // discrete, integrated, virtual, cpu or other
	API        string   // the Vulkan version that it supports: "1.3.230"
	Driver     string   // the driver's name and version
	Heaps      []Heap   // its memories
	Features   Features // what it can do
	Limits     Limits   // how much of it
	Matrices   []Matrix // that a subgroup multiplies together
	Extensions []string // that it has, sorted
	// Unusable says why the device cannot be used; empty where it can.
	Unusable string
}

// Heap is a memory of a device.
type Heap struct {
	Bytes       int64 `json:"bytes"`
	DeviceLocal bool  `json:"device_local"` // close to the device
	HostVisible bool  `json:"host_visible"` // some of it can be mapped
}

// Features are abilities that a device may lack.
type Features struct {
	FP16Storage        bool `json:"fp16_storage"`        // f16 in storage buffers
	FP16Arithmetic     bool `json:"fp16_arithmetic"`     // f16 in shaders
	Int8Storage        bool `json:"int8_storage"`        // bytes in storage buffers
	Int8Arithmetic     bool `json:"int8_arithmetic"`     // bytes in shaders
	IntegerDot         bool `json:"integer_dot"`         // dot products of four bytes
	FastIntegerDot     bool `json:"fast_integer_dot"`    // by an instruction of their own
	SubgroupArithmetic bool `json:"subgroup_arithmetic"` // sums across a subgroup
	CooperativeMatrix  bool `json:"cooperative_matrix"`  // matrix products across a subgroup
}

// Limits are the device's limits that computing meets.
type Limits struct {
	StorageBufferRange   int64 `json:"storage_buffer_range"`   // bytes that a shader can address in one buffer
	AllocationBytes      int64 `json:"allocation_bytes"`       // of one allocation
	Allocations          int   `json:"allocations"`            // at a time
	SharedBytes          int   `json:"shared_bytes"`           // of a work group
	WorkGroupInvocations int   `json:"work_group_invocations"` // of a work group
	WorkGroups           int   `json:"work_groups"`            // of a dispatch, along x
	StorageBuffers       int   `json:"storage_buffers"`        // of a shader
	SubgroupSize         int   `json:"subgroup_size"`          // invocations that run in step
	OffsetAlignment      int   `json:"offset_alignment"`       // bytes, of a range of any buffer
	UniformRange         int   `json:"uniform_range"`          // bytes that a shader can address in one uniform buffer
}

func (i *Instance) enumerate() error {
	handles, err := list[uintptr]("vkEnumeratePhysicalDevices", func(n *uint32, first *uintptr) Result {
		return i.entries.EnumeratePhysicalDevices.call(i.handle, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
	})
	if err != nil {
		return err
	}
	for _, h := range handles {
		i.devices = append(i.devices, i.describe(h))
	}
	return nil
}

// describe asks a device for all that is told of it.
func (i *Instance) describe(h uintptr) *Physical {
	p := &Physical{handle: h}
	extensions, err := list[extensionProperties]("vkEnumerateDeviceExtensionProperties", func(n *uint32, first *extensionProperties) Result {
		return i.entries.EnumerateDeviceExtensionProperties.call(h, 0, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
	})
	for _, e := range extensions {
		p.Extensions = append(p.Extensions, text(e.extensionName[:]))
	}
	slices.Sort(p.Extensions)

	// Which structures may be asked for depends on the device's own version,
	// which is in the first one: a device of Vulkan 1.0 gets no others.
	first := &physicalDeviceProperties2{sType: typeProperties2}
	i.entries.GetPhysicalDeviceProperties2.call(h, uintptr(unsafe.Pointer(first)))
	api := first.properties.apiVersion
	p.readIdentity(&first.properties)
	i.readMemory(p)
	found := i.findQueue(p)
	switch {
	case api < version(1, 1):
		p.Unusable = fmt.Sprintf("its driver supports Vulkan %s, at least 1.1 is needed", p.API)
		return p
	case err != nil:
		p.Unusable = err.Error()
		return p
	case !found:
		p.Unusable = "it has no queue that computes"
	}
	i.readProperties(p, api)
	i.readFeatures(p, api)
	if p.Unusable == "" {
		p.Unusable = p.lacks()
	}
	return p
}

// has reports whether a device has an extension, or a version that took it in.
func (p *Physical) has(api, since uint32, extension string) bool {
	_, found := slices.BinarySearch(p.Extensions, extension)
	return found || since != 0 && api >= since
}

func (p *Physical) readIdentity(properties *physicalDeviceProperties) {
	p.Name = text(properties.deviceName[:])
	p.Kind = "other"
	if kind, ok := map[uint32]string{
		deviceTypeIntegrated: "integrated", deviceTypeDiscrete: "discrete", deviceTypeVirtual: "virtual", deviceTypeCPU: "cpu",
	}[properties.deviceType]; ok {
		p.Kind = kind
	}
	p.cacheID = cacheID(properties)
	v := properties.apiVersion
	p.API = fmt.Sprintf("%d.%d.%d", versionMajor(v), versionMinor(v), versionPatch(v))
	p.Driver = fmt.Sprintf("version %#x", properties.driverVersion)
}

// text is the driver's name and version.
func (d *physicalDeviceDriverProperties) text() string {
	return strings.TrimSpace(text(d.driverName[:]) + " " + text(d.driverInfo[:]))
}

// readProperties fills in the limits, and the driver's name where it tells it.
func (i *Instance) readProperties(p *Physical, api uint32) {
	driver := &physicalDeviceDriverProperties{sType: typeDriverProperties}
	maintenance := &physicalDeviceMaintenance3Properties{sType: typeMaintenance3Properties}
	subgroup := &physicalDeviceSubgroupProperties{sType: typeSubgroupProperties, pNext: unsafe.Pointer(maintenance)}
	all := &physicalDeviceProperties2{sType: typeProperties2, pNext: unsafe.Pointer(subgroup)}
	named := p.has(api, version(1, 2), "VK_KHR_driver_properties")
	if named {
		maintenance.pNext = unsafe.Pointer(driver)
	}
	i.entries.GetPhysicalDeviceProperties2.call(p.handle, uintptr(unsafe.Pointer(all)))
	if named {
		p.Driver = driver.text()
	}
	l := &all.properties.limits
	p.Limits = Limits{
		StorageBufferRange: int64(l.maxStorageBufferRange), AllocationBytes: int64(min(maintenance.maxMemoryAllocationSize, 1<<62)),
		Allocations: int(l.maxMemoryAllocationCount), SharedBytes: int(l.maxComputeSharedMemorySize),
		WorkGroupInvocations: int(min(l.maxComputeWorkGroupInvocations, l.maxComputeWorkGroupSize[0])),
		WorkGroups:           int(l.maxComputeWorkGroupCount[0]),
		StorageBuffers:       int(min(l.maxPerStageDescriptorStorageBuffers, 1<<30)), SubgroupSize: int(subgroup.subgroupSize),
		OffsetAlignment: int(max(l.minStorageBufferOffsetAlignment, l.minUniformBufferOffsetAlignment)), UniformRange: int(l.maxUniformBufferRange),
	}
	p.period = float64(l.timestampPeriod)
	p.Features.SubgroupArithmetic = subgroup.supportedOperations&subgroupArithmetic != 0 && subgroup.supportedStages&shaderStageCompute != 0
}

func (i *Instance) readMemory(p *Physical) {
	memory := new(physicalDeviceMemoryProperties)
	i.entries.GetPhysicalDeviceMemoryProperties.call(p.handle, uintptr(unsafe.Pointer(memory)))
	memory.memoryHeapCount = min(memory.memoryHeapCount, uint32(len(memory.memoryHeaps)))
	memory.memoryTypeCount = min(memory.memoryTypeCount, uint32(len(memory.memoryTypes)))
	p.memory = *memory
	for _, h := range p.memory.memoryHeaps[:p.memory.memoryHeapCount] {
		p.Heaps = append(p.Heaps, Heap{Bytes: int64(min(h.size, 1<<62)), DeviceLocal: h.flags&heapDeviceLocal != 0})
	}
	for _, t := range p.memory.memoryTypes[:p.memory.memoryTypeCount] {
		if t.propertyFlags&memoryHostVisible != 0 && int(t.heapIndex) < len(p.Heaps) {
			p.Heaps[t.heapIndex].HostVisible = true
		}
	}
}

// Memory is how much memory there is for the device, in bytes, and whether that is
// the host's. A card's is its largest heap; where memory is shared all heaps are
// parts of one.
func (p *Physical) Memory() (bytes int64, shared bool) {
	shared = p.Kind == "integrated" || p.Kind == "cpu"
	for _, h := range p.Heaps {
		switch {
		case shared:
			bytes += h.Bytes
		case h.DeviceLocal:
			bytes = max(bytes, h.Bytes)
		}
	}
	return bytes, shared
}

// findQueue finds a family of queues that compute.
func (i *Instance) findQueue(p *Physical) bool {
	families, err := list[queueFamilyProperties]("vkGetPhysicalDeviceQueueFamilyProperties", func(n *uint32, first *queueFamilyProperties) Result {
		i.entries.GetPhysicalDeviceQueueFamilyProperties.call(p.handle, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
		return success
	})
	if err != nil {
		return false
	}
	for k, f := range families {
		if f.queueFlags&queueCompute != 0 && f.queueCount > 0 {
			p.queueFamily, p.timestamps = uint32(k), min(f.timestampValidBits, 64)
			return true
		}
	}
	return false
}

// least are the limits that every device of Vulkan has, by its specification;
// drivers that break it are told apart here and not by a crash. Of storage buffers
// it promises 4, and products use more: phones of the first years of Vulkan have no
// more than those.
var least = Limits{
	StorageBufferRange: 1 << 27, SharedBytes: 16 << 10, WorkGroupInvocations: 128, WorkGroups: 65535, UniformRange: 16384, StorageBuffers: LeastBindings,
}

// The storage buffers of shaders: those that every device must allow suffice for all
// shaders but some that a device need not have, and none has more than the most.
const (
	LeastBindings = 6
	MostBindings  = 7
)

// lacks says what a device has too little of.
func (p *Physical) lacks() string {
	l := p.Limits
	for _, c := range []struct {
		what       string
		have, want int64
	}{
		{"bytes of a storage buffer", l.StorageBufferRange, least.StorageBufferRange},
		{"bytes of shared memory", int64(l.SharedBytes), int64(least.SharedBytes)},
		{"invocations of a work group", int64(l.WorkGroupInvocations), int64(least.WorkGroupInvocations)},
		{"storage buffers of a shader", int64(l.StorageBuffers), int64(least.StorageBuffers)},
		{"work groups of a dispatch", int64(l.WorkGroups), int64(least.WorkGroups)},
		{"bytes of a uniform buffer", int64(l.UniformRange), int64(least.UniformRange)},
	} {
		if c.have < c.want {
			return fmt.Sprintf("it allows %d %s, %d are needed", c.have, c.what, c.want)
		}
	}
	if len(p.memoryTypes(^uint32(0), UseOutput)) == 0 {
		return "it has no memory that the host can map"
	}
	return ""
}
