package vk

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"unsafe"
)

// PipelineInfo describes a compute pipeline: a shader whose entry point is
// main, with storage buffers at bindings 0, 1, … of set 0 and after them a
// uniform buffer of parameters.
type PipelineInfo struct {
	Code           []byte   // SPIR-V
	Bindings       int      // storage buffers
	ParameterBytes int      // size of the parameters
	Constants      []uint32 // specialisation constants 0, 1, …
	Cache          *Cache   // of what was compiled before, or nil
	// Subgroup demands full subgroups of that size (Physical.Sized); 0: any.
	Subgroup int
}

// Pipeline is a shader that is ready to run.
type Pipeline struct {
	device    *Device
	module    handle
	setLayout handle
	layout    handle
	handle    handle
	bindings  int // storage buffers
	bytes     int // of parameters
}

// NewPipeline compiles a shader.
func (d *Device) NewPipeline(info PipelineInfo) (*Pipeline, error) {
	limits := &d.Physical.Limits
	if len(info.Code) == 0 || len(info.Code)%4 != 0 || info.Bindings < 1 || info.Bindings > min(MostBindings, limits.StorageBuffers) ||
		info.ParameterBytes < 4 || info.ParameterBytes > limits.UniformRange {
		return nil, fmt.Errorf("%w: a shader of %d bytes with %d buffers and %d bytes of parameters",
			ErrUnusable, len(info.Code), info.Bindings, info.ParameterBytes)
	}
	p := &Pipeline{device: d, bindings: info.Bindings, bytes: info.ParameterBytes}
	if err := p.create(&info); err != nil {
		p.destroy()
		return nil, fmt.Errorf("a shader on %s: %w", d.Physical.Name, err)
	}
	d.owner.Keep(p, p.destroy)
	return p, nil
}

func (p *Pipeline) create(info *PipelineInfo) error {
	if err := p.createModule(info.Code); err != nil {
		return err
	}
	if err := p.createLayout(); err != nil {
		return err
	}
	d := p.device
	entries := make([]specializationMapEntry, len(info.Constants))
	for i := range entries {
		entries[i] = specializationMapEntry{constantID: uint32(i), offset: uint32(4 * i), size: 4}
	}
	create := &computePipelineCreateInfo{
		sType: typeComputePipelineCreateInfo,
		stage: pipelineShaderStageCreateInfo{
			sType: typePipelineShaderStage, stage: shaderStageCompute, module: p.module, pName: cString("main"),
		},
		layout: p.layout, basePipelineIndex: -1,
	}
	if info.Subgroup > 0 {
		create.stage.flags = requireFullSubgroups
	}
	if info.Subgroup > 0 && !d.Physical.oneSize {
		create.stage.pNext = unsafe.Pointer(&pipelineShaderStageRequiredSubgroupSizeCreateInfo{
			sType: typeRequiredSubgroupSize, requiredSubgroupSize: uint32(info.Subgroup),
		})
	}
	if len(entries) > 0 {
		create.stage.pSpecializationInfo = &specializationInfo{
			mapEntryCount: uint32(len(entries)), pMapEntries: &entries[0],
			dataSize: uintptr(4 * len(entries)), pData: &append([]uint32(nil), info.Constants...)[0],
		}
	}
	var made handle
	err := check(d.entries.CreateComputePipelines.call(d.handle, info.Cache.pointer(), 1, uintptr(unsafe.Pointer(create)), 0, uintptr(unsafe.Pointer(&made))),
		"vkCreateComputePipelines")
	p.handle = made
	return err
}

func (p *Pipeline) createModule(code []byte) error {
	words := make([]uint32, len(code)/4) // aligned, which embedded bytes need not be
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(code[4*i:])
	}
	info := &shaderModuleCreateInfo{sType: typeShaderModuleCreateInfo, codeSize: uintptr(len(code)), pCode: &words[0]}
	var made handle
	err := check(p.device.entries.CreateShaderModule.call(p.device.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))),
		"vkCreateShaderModule")
	p.module = made
	return err
}

func (p *Pipeline) createLayout() error {
	d := p.device
	bindings := make([]descriptorSetLayoutBinding, p.bindings+1)
	for i := range bindings {
		bindings[i] = descriptorSetLayoutBinding{
			binding: uint32(i), descriptorType: descriptorStorageBuffer, descriptorCount: 1, stageFlags: shaderStageCompute,
		}
	}
	bindings[p.bindings].descriptorType = descriptorUniformBuffer
	set := &descriptorSetLayoutCreateInfo{sType: typeDescriptorSetLayout, bindingCount: uint32(len(bindings)), pBindings: &bindings[0]}
	var setLayout, layout handle
	if err := check(d.entries.CreateDescriptorSetLayout.call(d.handle, uintptr(unsafe.Pointer(set)), 0, uintptr(unsafe.Pointer(&setLayout))),
		"vkCreateDescriptorSetLayout"); err != nil {
		return err
	}
	p.setLayout = setLayout
	info := &pipelineLayoutCreateInfo{sType: typePipelineLayoutCreateInfo, setLayoutCount: 1, pSetLayouts: &setLayout}
	err := check(d.entries.CreatePipelineLayout.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&layout))),
		"vkCreatePipelineLayout")
	p.layout = layout
	return err
}

func (p *Pipeline) destroy() {
	e, device := &p.device.entries, p.device.handle
	for _, o := range []struct {
		destroy entry
		handle  *handle
	}{
		{e.DestroyPipeline, &p.handle},
		{e.DestroyPipelineLayout, &p.layout},
		{e.DestroyDescriptorSetLayout, &p.setLayout},
		{e.DestroyShaderModule, &p.module},
	} {
		if *o.handle != 0 {
			o.destroy.call(device, uintptr(*o.handle), 0)
			*o.handle = 0
		}
	}
}

// Free frees the pipeline. Nothing that is running may use it.
func (p *Pipeline) Free() { p.device.owner.Free(p) }

// Binding is a pipeline with the buffers that it is to work on.
type Binding struct {
	Pipeline   *Pipeline
	Spans      []Span // one for each of the pipeline's bindings
	Parameters Span
}

// Sets are descriptor sets: pipelines' buffers as the device knows them.
type Sets struct {
	device *Device
	pool   handle
	of     []descriptorSet
}

type descriptorSet struct {
	pipeline *Pipeline
	handle   handle
}

// NewSets makes a descriptor set for each binding.
func (d *Device) NewSets(bindings []Binding) (*Sets, error) {
	if len(bindings) == 0 {
		return nil, fmt.Errorf("%w: descriptors of nothing", ErrUnusable)
	}
	s := &Sets{device: d}
	if err := s.create(bindings); err != nil {
		s.destroy()
		return nil, fmt.Errorf("descriptors on %s: %w", d.Physical.Name, err)
	}
	d.owner.Keep(s, s.destroy)
	return s, nil
}

func (s *Sets) create(bindings []Binding) error {
	d, buffers := s.device, 0
	for _, b := range bindings {
		if err := b.check(); err != nil {
			return err
		}
		buffers += len(b.Spans)
	}
	info := &descriptorPoolCreateInfo{
		sType: typeDescriptorPoolCreateInfo, maxSets: uint32(len(bindings)), poolSizeCount: 2,
		pPoolSizes: &[]descriptorPoolSize{
			{type_: descriptorStorageBuffer, descriptorCount: uint32(buffers)},
			{type_: descriptorUniformBuffer, descriptorCount: uint32(len(bindings))},
		}[0],
	}
	var pool handle
	if err := check(d.entries.CreateDescriptorPool.call(d.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&pool))),
		"vkCreateDescriptorPool"); err != nil {
		return err
	}
	s.pool = pool
	layouts := make([]handle, len(bindings))
	for i, b := range bindings {
		layouts[i] = b.Pipeline.setLayout
	}
	sets := make([]handle, len(bindings))
	allocate := &descriptorSetAllocateInfo{
		sType: typeDescriptorSetAllocateInfo, descriptorPool: pool, descriptorSetCount: uint32(len(layouts)), pSetLayouts: &layouts[0],
	}
	if err := check(d.entries.AllocateDescriptorSets.call(d.handle, uintptr(unsafe.Pointer(allocate)), uintptr(unsafe.Pointer(&sets[0]))),
		"vkAllocateDescriptorSets"); err != nil {
		return err
	}
	var writes []writeDescriptorSet
	for i, b := range bindings {
		s.of = append(s.of, descriptorSet{b.Pipeline, sets[i]})
		for k, span := range b.Spans {
			writes = append(writes, span.write(sets[i], k, descriptorStorageBuffer))
		}
		writes = append(writes, b.Parameters.write(sets[i], len(b.Spans), descriptorUniformBuffer))
	}
	d.entries.UpdateDescriptorSets.call(d.handle, uintptr(len(writes)), uintptr(unsafe.Pointer(&writes[0])), 0, 0)
	return nil
}

// write puts a span into a descriptor set.
func (s *Span) write(set handle, binding int, kind uint32) writeDescriptorSet {
	return writeDescriptorSet{
		sType: typeWriteDescriptorSet, dstSet: set, dstBinding: uint32(binding), descriptorCount: 1, descriptorType: kind,
		pBufferInfo: &descriptorBufferInfo{buffer: s.Buffer.handle, offset: uint64(s.Offset), range_: uint64(s.Size)},
	}
}

// check holds the spans against the pipeline and the device's limits.
func (b *Binding) check() error {
	if len(b.Spans) != b.Pipeline.bindings {
		return fmt.Errorf("%w: %d buffers for a shader of %d", ErrUnusable, len(b.Spans), b.Pipeline.bindings)
	}
	l := &b.Pipeline.device.Physical.Limits
	for i, s := range b.Spans {
		if err := s.check(l, l.StorageBufferRange); err != nil {
			return fmt.Errorf("buffer %d: %w", i, err)
		}
	}
	if err := b.Parameters.check(l, int64(l.UniformRange)); err != nil || b.Parameters.Size < int64(b.Pipeline.bytes) {
		return fmt.Errorf("%d bytes of parameters for a shader of %d: %w", b.Parameters.Size, b.Pipeline.bytes, cmp.Or(err, ErrUnusable))
	}
	return nil
}

// check sees that a shader can address the span.
func (s *Span) check(l *Limits, most int64) error {
	switch {
	case s.Buffer == nil || s.Size < 1 || s.Offset < 0 || s.Offset > s.Buffer.size-s.Size:
		return fmt.Errorf("%w: %d bytes at %d of a buffer", ErrUnusable, s.Size, s.Offset)
	case s.Size > most:
		return fmt.Errorf("%w: a shader can address %d bytes at most, not %d", ErrRange, most, s.Size)
	case s.Offset%int64(max(l.OffsetAlignment, 4)) != 0:
		return fmt.Errorf("%w: offset %d is no multiple of %d", ErrUnusable, s.Offset, l.OffsetAlignment)
	}
	return nil
}

func (s *Sets) destroy() {
	if s.pool != 0 {
		s.device.entries.DestroyDescriptorPool.call(s.device.handle, uintptr(s.pool), 0)
	}
	s.pool, s.of = 0, nil
}

// Free frees the sets. Nothing that is running may use them.
func (s *Sets) Free() { s.device.owner.Free(s) }
