package ref

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// cost puts the plain kernels behind all others.
const cost = 1000

// Kernels returns the plain kernel of every op. Each supports all that its op
// allows.
func Kernels() []kernel.Kernel {
	plain := func(id op.ID, name string, bind func(*kernel.Call) (kernel.Runner, error)) kernel.Kernel {
		return kernel.Kernel{Op: id, Name: name + "_f32_ref", Cost: cost, Bind: bind}
	}
	return []kernel.Kernel{
		plain(op.Gather, "gather", bindGather),
		plain(op.RMSNormalization, "rms_normalization", bindRMSNormalization),
		plain(op.Linear, "linear", bindLinear),
		plain(op.LinearLoRA, "linear_lora", bindLinearLoRA),
		plain(op.RotaryEmbedding, "rotary_embedding", bindRotaryEmbedding),
		plain(op.Attention, "attention", bindAttention),
		plain(op.SwiGLU, "swiglu", bindSwiGLU),
		plain(op.Add, "add", bindAdd),
		plain(op.CrossEntropyHead, "cross_entropy_head", bindCrossEntropyHead),
		plain(op.WeightedSum, "weighted_sum", bindWeightedSum),
		plain(op.ChoiceLoss, "choice_loss", bindChoiceLoss),
		plain(op.UpdateLoRA, "update_lora", bindUpdateLoRA),
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
