package vk

import (
	"fmt"
	"unsafe"

	"zeroth/kernels/dl"
)

// entry is the address of a function of Vulkan.
type entry uintptr

// call calls an entry point and returns its VkResult, or what a function
// without one leaves behind.
//
//go:uintptrescapes
func (e entry) call(args ...uintptr) Result { return Result(int32(dl.Call(uintptr(e), args...))) }

// instanceEntries are the entry points that an instance has.
type instanceEntries struct {
	DestroyInstance                        entry
	EnumeratePhysicalDevices               entry
	GetPhysicalDeviceProperties2           entry
	GetPhysicalDeviceFeatures2             entry
	GetPhysicalDeviceMemoryProperties      entry
	GetPhysicalDeviceQueueFamilyProperties entry
	EnumerateDeviceExtensionProperties     entry
	CreateDevice                           entry
	GetDeviceProcAddr                      entry
	// GetCooperativeMatrixProperties is 0 where no device has the extension.
	GetCooperativeMatrixProperties entry
}

func (e *instanceEntries) list() []named {
	return []named{
		{"vkDestroyInstance", &e.DestroyInstance},
		{"vkEnumeratePhysicalDevices", &e.EnumeratePhysicalDevices},
		{"vkGetPhysicalDeviceProperties2", &e.GetPhysicalDeviceProperties2},
		{"vkGetPhysicalDeviceFeatures2", &e.GetPhysicalDeviceFeatures2},
		{"vkGetPhysicalDeviceMemoryProperties", &e.GetPhysicalDeviceMemoryProperties},
		{"vkGetPhysicalDeviceQueueFamilyProperties", &e.GetPhysicalDeviceQueueFamilyProperties},
		{"vkEnumerateDeviceExtensionProperties", &e.EnumerateDeviceExtensionProperties},
		{"vkCreateDevice", &e.CreateDevice},
		{"vkGetDeviceProcAddr", &e.GetDeviceProcAddr},
	}
}

// deviceEntries are the entry points that a device has. Those of a device go
// straight to its driver, past the loader.
type deviceEntries struct {
	DestroyDevice, GetDeviceQueue                                 entry
	CreateBuffer, DestroyBuffer, GetBufferMemoryRequirements      entry
	AllocateMemory, FreeMemory, BindBufferMemory, MapMemory       entry
	CreateShaderModule, DestroyShaderModule                       entry
	CreateDescriptorSetLayout, DestroyDescriptorSetLayout         entry
	CreatePipelineLayout, DestroyPipelineLayout                   entry
	CreateComputePipelines, DestroyPipeline                       entry
	CreatePipelineCache, DestroyPipelineCache                     entry
	GetPipelineCacheData, MergePipelineCaches                     entry
	CreateDescriptorPool, DestroyDescriptorPool                   entry
	AllocateDescriptorSets, UpdateDescriptorSets                  entry
	CreateCommandPool, DestroyCommandPool, AllocateCommandBuffers entry
	BeginCommandBuffer, EndCommandBuffer                          entry
	CmdBindPipeline, CmdBindDescriptorSets, CmdDispatchIndirect   entry
	CmdPipelineBarrier, CmdCopyBuffer                             entry
	CreateQueryPool, DestroyQueryPool, GetQueryPoolResults        entry
	CmdResetQueryPool, CmdWriteTimestamp                          entry
	CreateFence, DestroyFence, ResetFences, WaitForFences         entry
	QueueSubmit, DeviceWaitIdle                                   entry
}

func (e *deviceEntries) list() []named {
	return []named{
		{"vkDestroyDevice", &e.DestroyDevice},
		{"vkGetDeviceQueue", &e.GetDeviceQueue},
		{"vkCreateBuffer", &e.CreateBuffer},
		{"vkDestroyBuffer", &e.DestroyBuffer},
		{"vkGetBufferMemoryRequirements", &e.GetBufferMemoryRequirements},
		{"vkAllocateMemory", &e.AllocateMemory},
		{"vkFreeMemory", &e.FreeMemory},
		{"vkBindBufferMemory", &e.BindBufferMemory},
		{"vkMapMemory", &e.MapMemory},
		{"vkCreateShaderModule", &e.CreateShaderModule},
		{"vkDestroyShaderModule", &e.DestroyShaderModule},
		{"vkCreateDescriptorSetLayout", &e.CreateDescriptorSetLayout},
		{"vkDestroyDescriptorSetLayout", &e.DestroyDescriptorSetLayout},
		{"vkCreatePipelineLayout", &e.CreatePipelineLayout},
		{"vkDestroyPipelineLayout", &e.DestroyPipelineLayout},
		{"vkCreateComputePipelines", &e.CreateComputePipelines},
		{"vkDestroyPipeline", &e.DestroyPipeline},
		{"vkCreatePipelineCache", &e.CreatePipelineCache},
		{"vkDestroyPipelineCache", &e.DestroyPipelineCache},
		{"vkGetPipelineCacheData", &e.GetPipelineCacheData},
		{"vkMergePipelineCaches", &e.MergePipelineCaches},
		{"vkCreateDescriptorPool", &e.CreateDescriptorPool},
		{"vkDestroyDescriptorPool", &e.DestroyDescriptorPool},
		{"vkAllocateDescriptorSets", &e.AllocateDescriptorSets},
		{"vkUpdateDescriptorSets", &e.UpdateDescriptorSets},
		{"vkCreateCommandPool", &e.CreateCommandPool},
		{"vkDestroyCommandPool", &e.DestroyCommandPool},
		{"vkAllocateCommandBuffers", &e.AllocateCommandBuffers},
		{"vkBeginCommandBuffer", &e.BeginCommandBuffer},
		{"vkEndCommandBuffer", &e.EndCommandBuffer},
		{"vkCmdBindPipeline", &e.CmdBindPipeline},
		{"vkCmdBindDescriptorSets", &e.CmdBindDescriptorSets},
		{"vkCmdDispatchIndirect", &e.CmdDispatchIndirect},
		{"vkCmdPipelineBarrier", &e.CmdPipelineBarrier},
		{"vkCmdCopyBuffer", &e.CmdCopyBuffer},
		{"vkCreateQueryPool", &e.CreateQueryPool},
		{"vkDestroyQueryPool", &e.DestroyQueryPool},
		{"vkGetQueryPoolResults", &e.GetQueryPoolResults},
		{"vkCmdResetQueryPool", &e.CmdResetQueryPool},
		{"vkCmdWriteTimestamp", &e.CmdWriteTimestamp},
		{"vkCreateFence", &e.CreateFence},
		{"vkDestroyFence", &e.DestroyFence},
		{"vkResetFences", &e.ResetFences},
		{"vkWaitForFences", &e.WaitForFences},
		{"vkQueueSubmit", &e.QueueSubmit},
		{"vkDeviceWaitIdle", &e.DeviceWaitIdle},
	}
}

// named is an entry point to be looked up.
type named struct {
	name string
	to   *entry
}

// resolve looks entry points up by vkGetInstanceProcAddr or
// vkGetDeviceProcAddr, of which object is the first argument.
func resolve(lookUp entry, object uintptr, list []named) error {
	for _, n := range list {
		*n.to = find(lookUp, object, n.name)
		if *n.to == 0 {
			return fmt.Errorf("%w: the driver has no %s", ErrUnavailable, n.name)
		}
	}
	return nil
}

// find gives the address of an entry point, or 0.
func find(lookUp entry, object uintptr, name string) entry {
	return entry(dl.Call(uintptr(lookUp), object, uintptr(unsafe.Pointer(cString(name)))))
}

// cString is a Go string for C: a copy that ends with a zero.
func cString(s string) *byte { return &append([]byte(s), 0)[0] }

// cStrings is a list of strings for C, nil if there are none.
func cStrings(list []string) **byte {
	if len(list) == 0 {
		return nil
	}
	pointers := make([]*byte, len(list))
	for i, s := range list {
		pointers[i] = cString(s)
	}
	return &pointers[0]
}

// text is what a driver wrote into a fixed array, fit to be shown.
func text(b []byte) string { return dl.Text(b, len(b)) }
