package vk

import (
	"fmt"
	"time"
	"unsafe"
)

// Commands is a command buffer with its fence: recorded, run, waited for, and
// recorded again. It keeps what it passes to C, so that recording and running
// allocate nothing of their own.
type Commands struct {
	device *Device
	pool   handle
	fence  handle
	buffer uintptr

	begin    commandBufferBeginInfo
	barrier  memoryBarrier
	submit   submitInfo
	set      handle
	constant [32]uint32
	bound    *Pipeline
}

// NewCommands makes a command buffer.
func (d *Device) NewCommands() (*Commands, error) {
	c := &Commands{device: d}
	if err := c.create(); err != nil {
		c.destroy()
		return nil, fmt.Errorf("commands on %s: %w", d.Physical.Name, err)
	}
	d.keep(c, c.destroy)
	return c, nil
}

func (c *Commands) create() error {
	d := c.device
	info := &commandPoolCreateInfo{sType: typeCommandPoolCreateInfo, flags: poolResetCommandBuffer, queueFamilyIndex: d.Physical.queueFamily}
	var pool, fence handle
	if err := check(d.entries.CreateCommandPool.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&pool))),
		"vkCreateCommandPool"); err != nil {
		return err
	}
	c.pool = pool
	allocate := &commandBufferAllocateInfo{
		sType: typeCommandBufferAllocateInfo, commandPool: pool, level: commandBufferPrimary, commandBufferCount: 1,
	}
	var buffer uintptr
	if err := check(d.entries.AllocateCommandBuffers.call(d.handle, uintptr(unsafe.Pointer(allocate)), uintptr(unsafe.Pointer(&buffer))),
		"vkAllocateCommandBuffers"); err != nil {
		return err
	}
	c.buffer = buffer
	create := &fenceCreateInfo{sType: typeFenceCreateInfo}
	err := check(d.entries.CreateFence.call(d.handle, uintptr(unsafe.Pointer(create)), 0, uintptr(unsafe.Pointer(&fence))), "vkCreateFence")
	c.fence = fence
	return err
}

func (c *Commands) destroy() {
	d := c.device
	if c.fence != 0 {
		d.entries.DestroyFence.call(d.handle, uintptr(c.fence), 0)
	}
	if c.pool != 0 {
		d.entries.DestroyCommandPool.call(d.handle, uintptr(c.pool), 0)
	}
	c.fence, c.pool, c.buffer = 0, 0, 0
}

func (c *Commands) free() { c.device.release(c) }

// Free frees the command buffer. It must not be running.
func (c *Commands) Free() { c.free() }

// Begin starts a recording; what was recorded before is forgotten.
func (c *Commands) Begin() error {
	if err := c.device.Broken(); err != nil {
		return err
	}
	c.bound = nil
	c.begin = commandBufferBeginInfo{sType: typeCommandBufferBeginInfo, flags: beginOneTimeSubmit}
	return check(c.device.entries.BeginCommandBuffer.call(c.buffer, uintptr(unsafe.Pointer(&c.begin))), "vkBeginCommandBuffer")
}

// Dispatch records groups work groups of the pipeline that set i is made for,
// with its buffers and these push constants.
func (c *Commands) Dispatch(sets *Sets, i int, push []uint32, groups int) error {
	e, s := &c.device.entries, &sets.of[i]
	if 4*len(push) != s.pipeline.pushBytes || groups < 1 || groups > c.device.Physical.Limits.WorkGroups {
		return fmt.Errorf("%w: %d work groups with %d push constants", ErrUnusable, groups, len(push))
	}
	if c.bound != s.pipeline {
		e.CmdBindPipeline.call(c.buffer, bindPointCompute, uintptr(s.pipeline.handle))
		c.bound = s.pipeline
	}
	c.set = s.handle
	e.CmdBindDescriptorSets.call(c.buffer, bindPointCompute, uintptr(s.pipeline.layout), 0, 1, uintptr(unsafe.Pointer(&c.set)), 0, 0)
	if len(push) > 0 {
		copy(c.constant[:], push)
		e.CmdPushConstants.call(c.buffer, uintptr(s.pipeline.layout), shaderStageCompute, 0, uintptr(4*len(push)), uintptr(unsafe.Pointer(&c.constant)))
	}
	e.CmdDispatch.call(c.buffer, uintptr(groups), 1, 1)
	return nil
}

// Barrier makes later dispatches wait for earlier ones and see what they wrote.
func (c *Commands) Barrier() {
	c.wait(accessShaderWrite, accessShaderRead|accessShaderWrite, stageComputeShader)
}

func (c *Commands) wait(from, to uint32, stage uintptr) {
	c.barrier = memoryBarrier{sType: typeMemoryBarrier, srcAccessMask: from, dstAccessMask: to}
	c.device.entries.CmdPipelineBarrier.call(c.buffer, stageComputeShader, stage, 0, 1, uintptr(unsafe.Pointer(&c.barrier)), 0, 0, 0, 0)
}

// End ends the recording; the host will see what it writes.
func (c *Commands) End() error {
	c.wait(accessShaderWrite, accessHostRead, stageHost)
	return check(c.device.entries.EndCommandBuffer.call(c.buffer), "vkEndCommandBuffer")
}

// Run runs the recording and waits for its end, at most for the given time.
// After a failure with ErrLost or ErrTimeout the device is of no more use.
func (c *Commands) Run(limit time.Duration) error {
	d := c.device
	if err := d.Broken(); err != nil {
		return err
	}
	c.submit = submitInfo{sType: typeSubmitInfo, commandBufferCount: 1, pCommandBuffers: &c.buffer}
	if err := check(d.entries.QueueSubmit.call(d.queue, 1, uintptr(unsafe.Pointer(&c.submit)), uintptr(c.fence)), "vkQueueSubmit"); err != nil {
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	if err := check(d.entries.WaitForFences.call(d.handle, 1, uintptr(unsafe.Pointer(&c.fence)), 1, uintptr(limit.Nanoseconds())), "vkWaitForFences"); err != nil {
		return d.failed(fmt.Errorf("%s: within %s: %w", d.Physical.Name, limit, err))
	}
	if err := check(d.entries.ResetFences.call(d.handle, 1, uintptr(unsafe.Pointer(&c.fence))), "vkResetFences"); err != nil {
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	return nil
}
