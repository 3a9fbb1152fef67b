package vulkan

import (
	"embed"
	"fmt"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

//go:embed shaders/*.spv
var shaders embed.FS

// pipelineKey tells pipelines apart: a shader and its specialisation constants.
type pipelineKey struct {
	shader    string
	constants [gpu.MaxConstants]uint32
}

// pipeline compiles a shader, once for the same constants.
func (d *Device) pipeline(k gpu.Kernel, constants []uint32) (*vk.Pipeline, error) {
	key := pipelineKey{shader: k.Name}
	copy(key.constants[:], constants)
	d.building.Lock()
	defer d.building.Unlock()
	if p, ok := d.pipelines[key]; ok {
		return p, nil
	}
	code, err := shaders.ReadFile("shaders/" + k.Name + ".spv")
	if err != nil {
		return nil, err
	}
	p, err := d.device.NewPipeline(vk.PipelineInfo{Code: code, Bindings: k.Buffers, ParameterBytes: 4 * k.Words, Constants: constants})
	if err != nil {
		return nil, fmt.Errorf("shader %s: %w", k.Name, err)
	}
	d.pipelines[key] = p
	return p, nil
}
