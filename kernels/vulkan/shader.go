package vulkan

import (
	"embed"
	"fmt"

	"zeroth/kernels/vulkan/vk"
)

//go:embed shaders/*.spv
var shaders embed.FS

// shader names a compiled shader and says what it takes.
type shader struct {
	name     string
	bindings int // storage buffers
	push     int // words of push constants
}

var (
	shaderAdapt       = shader{"adapt", 6, 3}
	shaderAttention   = shader{"attention", 5, 10}
	shaderChoiceLoss  = shader{"choiceloss", 5, 4}
	shaderElementwise = shader{"elementwise", 3, 3}
	shaderGather      = shader{"gather", 3, 6}
	shaderHead        = shader{"head", 6, 9}
	shaderHeadSum     = shader{"headsum", 3, 2}
	shaderLinear      = shader{"linear", 6, 10}
	shaderNormalize   = shader{"normalize", 4, 4}
	shaderPerturb     = shader{"perturb", 6, 6}
	shaderRotary      = shader{"rotary", 5, 5}
	shaderSlice       = shader{"slice", 2, 4}
	shaderUpdate      = shader{"update", 5, 7}
	shaderWeightedSum = shader{"weightedsum", 3, 2}
)

// maxConstants is the most specialisation constants of a shader.
const maxConstants = 5

// pipelineKey tells pipelines apart: a shader and its specialisation constants.
type pipelineKey struct {
	shader    string
	constants [maxConstants]uint32
}

// pipeline compiles a shader, once for the same constants.
func (d *Device) pipeline(s shader, constants ...uint32) (*vk.Pipeline, error) {
	key := pipelineKey{shader: s.name}
	copy(key.constants[:], constants)
	d.building.Lock()
	defer d.building.Unlock()
	if p, ok := d.pipelines[key]; ok {
		return p, nil
	}
	code, err := shaders.ReadFile("shaders/" + s.name + ".spv")
	if err != nil {
		return nil, err
	}
	p, err := d.device.NewPipeline(vk.PipelineInfo{Code: code, Bindings: s.bindings, PushBytes: 4 * s.push, Constants: constants})
	if err != nil {
		return nil, fmt.Errorf("shader %s: %w", s.name, err)
	}
	d.pipelines[key] = p
	return p, nil
}

// boolean is a specialisation constant or push constant.
func boolean(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
