package vulkan

import (
	"context"
	"embed"
	"fmt"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

//go:embed shaders/*.spv
var shaders embed.FS

// pipelineKey tells pipelines apart: the file of a shader and its specialisation constants.
type pipelineKey struct {
	shader    string
	constants [gpu.MaxConstants]uint32
}

// shaderFile is the file of a kernel.
func shaderFile(k gpu.Kernel) string {
	if k.Half {
		return k.Name + ".half.spv"
	}
	return k.Name + ".spv"
}

// Compile implements gpu.Device.
func (d *Device) Compile(ctx context.Context, k gpu.Kernel, constants []uint32) error {
	_, err := d.pipeline(ctx, k, constants)
	return inGPU(err)
}

// pipeline compiles a shader, once for the same constants. A driver that is still
// at it when ctx is cancelled is left to itself, and the device given up.
func (d *Device) pipeline(ctx context.Context, k gpu.Kernel, constants []uint32) (*vk.Pipeline, error) {
	key := pipelineKey{shader: shaderFile(k)}
	copy(key.constants[:], constants)
	d.building.Lock()
	defer d.building.Unlock()
	if p, ok := d.pipelines[key]; ok {
		return p, nil
	}
	code, err := shaders.ReadFile("shaders/" + key.shader)
	if err != nil {
		return nil, err
	}
	if err := d.device.Broken(); err != nil {
		return nil, err
	}
	info := vk.PipelineInfo{Code: code, Bindings: k.Buffers, ParameterBytes: 4 * k.Words, Constants: constants, Cache: d.cache.compiled()}
	if len(constants) > gpu.SubgroupConstant {
		info.Subgroup = int(constants[gpu.SubgroupConstant])
	}
	p, left, err := gpu.Await(ctx, func() (*vk.Pipeline, error) { return d.device.NewPipeline(info) })
	if left {
		d.device.GiveUp(fmt.Errorf("its compiler was left at work: %w", err))
	}
	if err != nil {
		return nil, fmt.Errorf("shader %s: %w", key.shader, err)
	}
	d.pipelines[key] = p
	d.cache.grew()
	return p, nil
}
