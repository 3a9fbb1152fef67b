package vulkan

import (
	"strings"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Kernels are the device's kernels of all ops, on tensors in host memory. They
// take whatever the op allows.
func (d *Device) Kernels() []kernel.Kernel {
	var list []kernel.Kernel
	for _, o := range []struct {
		id    op.ID
		build func(b *builder)
	}{
		{op.Gather, buildGather},
		{op.RMSNormalization, buildNormalization},
		{op.Linear, buildLinear},
		{op.LinearLoRA, buildLinearLoRA},
		{op.RotaryEmbedding, buildRotary},
		{op.Attention, buildAttention},
		{op.SwiGLU, buildElementwise(functionSwiGLU)},
		{op.Add, buildElementwise(functionAdd)},
		{op.CrossEntropyHead, buildCrossEntropyHead},
		{op.WeightedSum, buildWeightedSum},
		{op.ChoiceLoss, buildChoiceLoss},
		{op.UpdateLoRA, buildUpdateLoRA},
		{op.LayerNormalization, buildNormalization},
		{op.Gelu, buildElementwise(functionGelu)},
		{op.Relu, buildElementwise(functionRelu)},
		{op.Slice, buildSlice},
		{op.Perturb, buildPerturb},
	} {
		list = append(list, kernel.Kernel{
			Op: o.id, Name: strings.ToLower(o.id.String()) + "_vulkan", Cost: 100,
			Bind: func(c *kernel.Call) (kernel.Runner, error) { return d.bindHost(c, o.build) },
		})
	}
	return list
}
