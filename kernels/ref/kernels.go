package ref

import (
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// cost puts the plain kernels behind all others.
const cost = 1000

// Kernels returns the plain kernel of every op. Each supports all that its op
// allows.
func Kernels() []kernel.Kernel {
	plain := func(id op.ID, bind func(*kernel.Call) (kernel.Runner, error)) kernel.Kernel {
		return kernel.Kernel{Op: id, Name: strings.ToLower(id.String()) + "_f32_ref", Cost: cost, Bind: bind}
	}
	return []kernel.Kernel{
		plain(op.Gather, bindGather),
		plain(op.RMSNormalization, bindRMSNormalization),
		plain(op.Linear, bindLinear),
		plain(op.LinearLoRA, bindLinearLoRA),
		plain(op.RotaryEmbedding, bindRotaryEmbedding),
		plain(op.Attention, bindAttention),
		plain(op.SwiGLU, bindSwiGLU),
		plain(op.Add, bindAdd),
		plain(op.CrossEntropyHead, bindCrossEntropyHead),
		plain(op.WeightedSum, bindWeightedSum),
		plain(op.ChoiceLoss, bindChoiceLoss),
		plain(op.UpdateLoRA, bindUpdateLoRA),
		plain(op.LayerNormalization, bindLayerNormalization),
		plain(op.Gelu, bindGelu),
		plain(op.Relu, bindRelu),
		plain(op.Slice, bindSlice),
		plain(op.Perturb, bindPerturb),
		plain(op.LoRATangent, bindLoRATangent),
		plain(op.RMSNormalizationTangent, bindRMSNormalizationTangent),
		plain(op.LayerNormalizationTangent, bindLayerNormalizationTangent),
		plain(op.GeluTangent, bindGeluTangent),
		plain(op.ReluTangent, bindReluTangent),
		plain(op.SwiGLUTangent, bindSwiGLUTangent),
		plain(op.AttentionTangent, bindAttentionTangent),
		plain(op.CrossEntropyHeadTangent, bindCrossEntropyHeadTangent),
		plain(op.ChoiceLossTangent, bindChoiceLossTangent),
	}
}

// runner is a bound call: a loop over its tensors.
type runner func()

// Run computes the call. It cannot fail: types and index values have been
// checked before.
func (r runner) Run() error {
	r()
	return nil
}

// row views row i of a row-major matrix with the given number of columns.
func row(x []float32, i, columns int) []float32 {
	return x[i*columns : (i+1)*columns]
}
