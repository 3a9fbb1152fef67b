package vk

import (
	"fmt"
	"time"
	"unsafe"
)

// Commands is a command buffer with its fence: recorded once, then run and
// waited for any number of times. It keeps what it passes to C, so that running
// allocates nothing of its own.
type Commands struct {
	device *Device
	pool   handle
	fence  handle
	buffer uintptr

	begin   commandBufferBeginInfo
	barrier memoryBarrier
	submit  submitInfo
	region  bufferCopy
	set     handle
	bound   *Pipeline
	running bool
}

// NewCommands makes a command buffer.
func (d *Device) NewCommands() (*Commands, error) {
	c := &Commands{device: d}
	if err := c.create(); err != nil {
		c.destroy()
		return nil, fmt.Errorf("commands on %s: %w", d.Physical.Name, err)
	}
	d.owner.Keep(c, c.destroy)
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

// Free frees the command buffer. It must not be running.
func (c *Commands) Free() { c.device.owner.Free(c) }

// Begin starts a recording; what was recorded before is forgotten. It will wait
// for recordings that are submitted before it and see what they write: a fence
// that the host has waited for does not promise the latter.
func (c *Commands) Begin() error {
	if err := c.device.Broken(); err != nil {
		return err
	}
	c.bound = nil
	c.begin = commandBufferBeginInfo{sType: typeCommandBufferBeginInfo}
	if err := check(c.device.entries.BeginCommandBuffer.call(c.buffer, uintptr(unsafe.Pointer(&c.begin))), "vkBeginCommandBuffer"); err != nil {
		return err
	}
	const stages, written = stageComputeShader | stageTransfer, accessShaderWrite | accessTransferWrite
	c.wait(stages, written, stages, written|accessShaderRead|accessTransferRead)
	return nil
}

// Dispatch records the pipeline that set i is made for, with its buffers. The
// number of work groups along x, y and z are three words of a buffer at a
// multiple of 4 bytes, read when the recording is run.
func (c *Commands) Dispatch(sets *Sets, i int, groups *Buffer, offset int64) error {
	e, s := &c.device.entries, &sets.of[i]
	if offset < 0 || offset%4 != 0 || offset > groups.size-12 {
		return fmt.Errorf("%w: work groups at %d of a buffer of %d bytes", ErrUnusable, offset, groups.size)
	}
	if c.bound != s.pipeline {
		e.CmdBindPipeline.call(c.buffer, bindPointCompute, uintptr(s.pipeline.handle))
		c.bound = s.pipeline
	}
	c.set = s.handle
	e.CmdBindDescriptorSets.call(c.buffer, bindPointCompute, uintptr(s.pipeline.layout), 0, 1, uintptr(unsafe.Pointer(&c.set)), 0, 0)
	e.CmdDispatchIndirect.call(c.buffer, uintptr(groups.handle), uintptr(offset))
	return nil
}

// Copy records a copy of bytes from one buffer to another.
func (c *Commands) Copy(to *Buffer, at int64, from *Buffer, offset, bytes int64) error {
	if bytes < 1 || at < 0 || offset < 0 || at > to.size-bytes || offset > from.size-bytes {
		return fmt.Errorf("%w: a copy of %d bytes from %d of %d to %d of %d", ErrUnusable, bytes, offset, from.size, at, to.size)
	}
	c.region = bufferCopy{srcOffset: uint64(offset), dstOffset: uint64(at), size: uint64(bytes)}
	c.device.entries.CmdCopyBuffer.call(c.buffer, uintptr(from.handle), uintptr(to.handle), 1, uintptr(unsafe.Pointer(&c.region)))
	return nil
}

// Barrier makes later dispatches wait for earlier ones and see what they wrote.
func (c *Commands) Barrier() {
	c.wait(stageComputeShader, accessShaderWrite, stageComputeShader, accessShaderRead|accessShaderWrite)
}

func (c *Commands) wait(before uintptr, written uint32, after uintptr, seen uint32) {
	c.barrier = memoryBarrier{sType: typeMemoryBarrier, srcAccessMask: written, dstAccessMask: seen}
	c.device.entries.CmdPipelineBarrier.call(c.buffer, before, after, 0, 1, uintptr(unsafe.Pointer(&c.barrier)), 0, 0, 0, 0)
}

// End ends the recording; the host will see what it writes.
func (c *Commands) End() error {
	c.wait(stageComputeShader|stageTransfer, accessShaderWrite|accessTransferWrite, stageHost, accessHostRead)
	return check(c.device.entries.EndCommandBuffer.call(c.buffer), "vkEndCommandBuffer")
}

// Submit gives the recording to the device, which runs what it is given in
// order. It sees what the host wrote before. Wait must follow before the next
// Submit.
func (c *Commands) Submit() error {
	d := c.device
	if err := d.Broken(); err != nil {
		return err
	}
	c.submit = submitInfo{sType: typeSubmitInfo, commandBufferCount: 1, pCommandBuffers: &c.buffer}
	if err := check(d.entries.QueueSubmit.call(d.queue, 1, uintptr(unsafe.Pointer(&c.submit)), uintptr(c.fence)), "vkQueueSubmit"); err != nil {
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	c.running = true
	return nil
}

// Wait waits for the end of what was submitted, if anything was, at most for the
// given time. After a failure with ErrLost or ErrTimeout the device is of no
// more use.
func (c *Commands) Wait(limit time.Duration) error {
	if !c.running {
		return nil
	}
	d := c.device
	if err := check(d.entries.WaitForFences.call(d.handle, 1, uintptr(unsafe.Pointer(&c.fence)), 1, uintptr(limit.Nanoseconds())), "vkWaitForFences"); err != nil {
		return d.failed(fmt.Errorf("%s: within %s: %w", d.Physical.Name, limit, err))
	}
	c.running = false
	if err := check(d.entries.ResetFences.call(d.handle, 1, uintptr(unsafe.Pointer(&c.fence))), "vkResetFences"); err != nil {
		return d.failed(fmt.Errorf("%s: %w", d.Physical.Name, err))
	}
	return nil
}
