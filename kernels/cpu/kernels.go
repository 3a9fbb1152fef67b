package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// cost ranks these kernels before the plain ones (1000).
const cost = 100

// Kernels returns a kernel for every op, each the fastest that f allows. The
// names tell the instruction set and, where there is one, the tile:
// "linear_f32_6x16_avx2", "swiglu_f32_avx2".
func Kernels(f Features) []kernel.Kernel { return choose(f).kernels() }

// kernels binds the routines to every op.
func (r *routines) kernels() []kernel.Kernel {
	tile, isa := r.gemm.name, r.needs.String()
	list := []kernel.Kernel{
		{Op: op.Gather, Name: "gather_f32_" + isa, Bind: r.bindGather},
		{Op: op.RMSNormalization, Name: "rmsnormalization_f32_" + isa, Bind: r.bindRMSNormalization},
		{Op: op.Linear, Name: "linear_f32_" + tile, Bind: r.bindLinear, Scratch: r.scratchLinear},
		{Op: op.LinearLoRA, Name: "linearlora_f32_" + tile, Bind: r.bindLinearLoRA, Scratch: r.scratchLinearLoRA},
		{Op: op.RotaryEmbedding, Name: "rotaryembedding_f32_" + isa, Bind: r.bindRotaryEmbedding},
		{Op: op.Attention, Name: "attention_f32_" + isa, Bind: r.bindAttention, Scratch: r.scratchAttention},
		{Op: op.SwiGLU, Name: "swiglu_f32_" + isa, Bind: r.bindSwiGLU},
		{Op: op.Add, Name: "add_f32_" + isa, Bind: r.bindAdd},
		{Op: op.CrossEntropyHead, Name: "crossentropyhead_f32_" + tile, Bind: r.bindCrossEntropyHead, Scratch: r.scratchCrossEntropyHead},
		{Op: op.WeightedSum, Name: "weightedsum_f32_" + isa, Bind: r.bindWeightedSum},
		{Op: op.ChoiceLoss, Name: "choiceloss_f32_" + isa, Bind: r.bindChoiceLoss},
		{Op: op.UpdateLoRA, Name: "updatelora_f32_" + isa, Supports: matrixInRows, Bind: r.bindUpdateLoRA, Scratch: r.scratchUpdateLoRA},
		{Op: op.UpdateLoRA, Name: "updateweights_" + isa, Bind: r.bindUpdateWeights, Scratch: r.scratchTrainable},
		{Op: op.Perturb, Name: "perturb_" + isa, Bind: r.bindPerturb, Scratch: r.scratchTrainable},
		{Op: op.LayerNormalization, Name: "layernormalization_f32_" + isa, Bind: r.bindLayerNormalization},
		{Op: op.Gelu, Name: "gelu_f32_" + isa, Bind: r.bindGelu},
		{Op: op.Relu, Name: "relu_f32_" + isa, Bind: r.bindRelu},
		{Op: op.Slice, Name: "slice_f32_" + isa, Bind: r.bindSlice},
	}
	list = append(list, r.tangentKernels()...)
	for i := range list {
		list[i].Cost = cost
	}
	return append(list, r.codedKernels()...)
}

// tangentKernels binds the routines to the tangent ops.
func (r *routines) tangentKernels() []kernel.Kernel {
	tile, isa := r.gemm.name, r.needs.String()
	return []kernel.Kernel{
		{Op: op.LoRATangent, Name: "loratangent_f32_" + tile, Bind: r.bindLoRATangent, Scratch: r.scratchLoRATangent},
		{Op: op.RMSNormalizationTangent, Name: "rmsnormalizationtangent_f32_" + isa, Bind: r.bindRMSNormalizationTangent, Scratch: r.scratchNormTangent},
		{Op: op.LayerNormalizationTangent, Name: "layernormalizationtangent_f32_" + isa, Bind: r.bindLayerNormalizationTangent, Scratch: r.scratchNormTangent},
		{Op: op.GeluTangent, Name: "gelutangent_f32_" + isa, Bind: r.bindGeluTangent, Scratch: r.scratchElementTangent},
		{Op: op.ReluTangent, Name: "relutangent_f32_" + isa, Bind: r.bindReluTangent},
		{Op: op.SwiGLUTangent, Name: "swiglutangent_f32_" + isa, Bind: r.bindSwiGLUTangent, Scratch: r.scratchElementTangent},
		{Op: op.AttentionTangent, Name: "attentiontangent_f32_" + isa, Bind: r.bindAttentionTangent, Scratch: r.scratchAttentionTangent},
		{Op: op.CrossEntropyHeadTangent, Name: "crossentropyheadtangent_f32_" + tile, Bind: r.bindHeadTangent, Scratch: r.scratchHeadTangent},
		{Op: op.ChoiceLossTangent, Name: "choicelosstangent_f32_" + isa, Bind: r.bindChoiceLossTangent},
	}
}

// matrixInRows wants LoRA's B: the first of the inputs is a matrix in rows.
func matrixInRows(in []op.Type, _ op.Attrs) bool {
	return in[0].Layout == op.Rows && len(in[0].Shape) == 2
}

// codedKernels are those for weights of packed elements. The others take such
// weights too, and decode them.
func (r *routines) codedKernels() []kernel.Kernel {
	var list []kernel.Kernel
	for _, k := range []*codeKernel{&r.codes, &r.codesQ4, &r.codesBF16} {
		if k.fn == nil {
			continue
		}
		coded := func(in []op.Type, _ op.Attrs) bool { return r.codesFor(in[1].DType) == k }
		list = append(list,
			kernel.Kernel{Op: op.Linear, Name: "linear_codes_" + k.name, Cost: cost - 1, Supports: coded, Bind: r.bindCodedLinear, Scratch: r.scratchCodedLinear},
			kernel.Kernel{Op: op.LinearLoRA, Name: "linearlora_codes_" + k.name, Cost: cost - 1, Supports: coded, Bind: r.bindCodedLoRA, Scratch: r.scratchCodedLoRA},
			kernel.Kernel{Op: op.CrossEntropyHead, Name: "crossentropyhead_codes_" + k.name, Cost: cost - 1, Supports: coded, Bind: r.bindCodedHead, Scratch: r.scratchCodedHead},
		)
	}
	return list
}
