package op

import (
	"fmt"
	"math"
)

// The ops. The comment of each is its definition; kernels/ref computes it.
// Shapes leave out the width axis; w ∈ {1, P}.
//
// A weight matrix (W, and Gather's data) may be of any weight type; it stands
// for the values that its codes and scales give. A kernel of Linear, LinearLoRA
// or CrossEntropyHead may then round x: to bf16 where W is bf16, to 8 bits a row
// where W is i8, q4 or nf4, the largest magnitude of the row being 127. Copies 2i
// and 2i + 1 of x are a pair: it rounds the rows of their mean and of half their
// difference instead, and of the means of all pairs but the first only what they
// differ by from that, so that the difference of any two losses keeps its
// precision however small ε is. A copy without a partner it rounds twice, the
// second time what the first one left, so that one copy at a time is as good.
const (
	// Gather: y[i, :] = data[indices[i], :] (ONNX Gather, axis 0).
	// data [D, C], indices [I] → y [I, C], of data's width. It is the
	// embedding lookup, and it picks the hidden rows that a loss reads.
	Gather ID = 1
	// RMSNormalization: y = x / sqrt(mean(x²) + epsilon) · scale over the last
	// axis (ONNX 23). x [N, C], scale [C] → [N, C]. With scale [D], D a proper
	// divisor of C, each run of D channels is a vector of its own: the norm of
	// the C/D heads of a query or key.
	RMSNormalization ID = 2
	// Linear: y = x Wᵀ + bias (ONNX Gemm with transB = 1).
	// x [N, K], W [M, K], bias [M] → [N, M].
	Linear ID = 3
	// LinearLoRA: y_p = x_p Wᵀ + bias + scale · (x_p Aᵀ)(B + σ_p ε z_i)ᵀ for
	// copies p = 0 … P−1. Where first ≥ 0 they are ± pairs: j = first + p,
	// i = ⌊j/2⌋ and σ = +1 for even j, −1 for odd j. Where first < 0 they are
	// one-sided: k = −1 − first + p, σ = 0 for k = 0, else i = k − 1 and σ = +1
	// (noise.Copy). z is noise.Sampler(sampler) at (seed, site, i, m·r + c).
	// x [N, K], W [M, K], A [r, K], B [M, r], seed u32[2], first i32[1],
	// eps f32[1], bias [M] → [N, M], always wide. B + σεz is rounded to f32
	// after the product and after the sum.
	LinearLoRA ID = 4
	// RotaryEmbedding: each head's pairs turned by the angle of their position
	// (ONNX 23). x [N, H·D], positions [N], cos and sin [S, D/2] → [N, H·D].
	// Pairs are (2i, 2i+1) when interleaved, (i, i + D/2) otherwise.
	RotaryEmbedding ID = 5
	// Attention: softmax(scale · q kᵀ) v within each packed sequence, with
	// grouped query heads (ONNX 23, no pad tokens). q [N, H·D], k and v
	// [N, HKV·D], offsets [S+1] → [N, H·D]. Causal: a token sees itself and
	// what precedes it in its sequence.
	Attention ID = 6
	// SwiGLU: y = gate · sigmoid(gate) · up. gate, up [N, C] → [N, C].
	SwiGLU ID = 7
	// Add: y = a + b (ONNX Add, shapes equal but for width).
	Add ID = 8
	// CrossEntropyHead: y[r] = logsumexp(l_r) − l_r[labels[r]] with logits
	// l_r = x_r Wᵀ + bias: the negative log-likelihood of a label per row, with
	// no [R, V] buffer. x [R, C], W [V, C], labels [R], bias [V] → [R].
	CrossEntropyHead ID = 9
	// WeightedSum: y = Σ_r weights[r] · x[r]. x [R], weights [R] → [].
	WeightedSum ID = 10
	// ChoiceLoss: the mean over examples of −log softmax(score)[gold], where
	// the score of a candidate is minus the sum (or mean) of its row losses.
	// nll [R], rows [K+1] offsets, choices [G+1] offsets, gold [G] → []. No
	// example: 0. A candidate of no rows scores 0.
	ChoiceLoss ID = 11
	// UpdateLoRA: B ← B − c · Σ_i g[i] z_i in place, c = lr / q rounded to f32,
	// z as in LinearLoRA, element i of B in row-major order at index i whatever
	// its layout. Products and sums are rounded to f32 one by one, in order of i
	// from +0, so that every backend gets the same bits. No query (Q = 0) leaves
	// B as it is. A bf16 B is rounded stochastically (noise.RoundBF16), or steps
	// smaller than its last bit would be lost.
	// B [M, r] or [M], f32 or bf16 (slot), seed u32[2], g [Q], lr f32[1].
	UpdateLoRA ID = 12
	// LayerNormalization: y = (x − mean(x)) / sqrt(var(x) + epsilon) · scale +
	// bias over the last axis, var being the mean of (x − mean(x))² (ONNX 17).
	// x [N, C], scale and bias [C] → [N, C].
	LayerNormalization ID = 13
	// Gelu: y = x · Φ(x), Φ the normal distribution function, or with
	// approximate = 1 y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
	// (ONNX 20). x [N, C] → [N, C].
	Gelu ID = 14
	// Relu: y = max(x, 0), NaN where x is (ONNX 14). x [N, C] → [N, C].
	Relu ID = 15
	// Slice: y[n, c] = x[n, start + c] for c < size (ONNX Slice, axis 1). It
	// takes queries, keys and values out of one product. x [N, C] → [N, size].
	Slice ID = 16
	// Perturb: y = W + σ ε z, σ, ε and z as in LinearLoRA for the one copy p =
	// 0, element i of W in row-major order at index i whatever its layout.
	// εz and the sum are rounded to f32, then to W's type. It perturbs weights
	// of any kind, for one copy at a time, and leaves them as they are.
	// W [M, K] or [M], f32 or bf16, seed u32[2], first i32[1], eps f32[1] → as W.
	Perturb ID = 17

	// The tangent ops: what the result of an op changes by, to first order, where
	// its inputs change by their tangents. What they are taken at, x and the like,
	// is of width 1; tangents are wide, one copy a direction. Each is named after
	// its op, whose attributes and shapes it has. Ops that are linear in what has
	// a tangent are their own.

	// LoRATangent: y_p = x_p + h z_pᵀ, z_p being noise.Sampler(sampler) at (seed,
	// site, p, m·r + c). With h = scale · x Aᵀ it is what moving B along z_p adds
	// to the tangent of a LinearLoRA. x [N, M] wide, h [N, r], seed u32[2] →
	// [N, M] wide.
	LoRATangent ID = 18
	// RMSNormalizationTangent: y = (dx − x · mean(x · dx) / (mean(x²) + epsilon))
	// / sqrt(mean(x²) + epsilon) · scale.
	// dx [N, C] wide, x [N, C], scale [C] or [D] → [N, C] wide.
	RMSNormalizationTangent ID = 19
	// LayerNormalizationTangent: with c = x − mean(x), v = mean(c²) + epsilon,
	// y = (dx − mean(dx) − c · mean(c · dx) / v) / sqrt(v) · scale.
	// dx [N, C] wide, x [N, C], scale [C] → [N, C] wide.
	LayerNormalizationTangent ID = 20
	// GeluTangent: y = dx · Gelu'(x), that of the approximation where
	// approximate = 1. dx [N, C] wide, x [N, C] → [N, C] wide.
	GeluTangent ID = 21
	// ReluTangent: y = dx where x > 0, 0 where x ≤ 0, NaN where x is.
	// dx [N, C] wide, x [N, C] → [N, C] wide.
	ReluTangent ID = 22
	// SwiGLUTangent: y = up · s'(gate) · dgate + s(gate) · dup, s(g) = g ·
	// sigmoid(g) and s'(g) = sigmoid(g) · (1 + g · (1 − sigmoid(g))). The set bits
	// of given say which tangents there are, 1 for dgate and 2 for dup; the others
	// are zero and left out. d, the first, [N, C] wide, gate, up [N, C], e, the
	// second, [N, C] wide → [N, C] wide.
	SwiGLUTangent ID = 23
	// AttentionTangent: with the weights w = softmax(scale · q kᵀ) of a token and
	// head, ds = scale · (dq kᵀ + q dkᵀ): y = Σ_t w_t (dv_t + (ds_t − Σ_u w_u
	// ds_u) v_t). The set bits of given say which tangents there are, 1 for dq, 2
	// for dk and 4 for dv, in this order; the others are zero and left out.
	// q [N, H·D], k and v [N, HKV·D], offsets [S+1], one to three tangents, wide →
	// [N, H·D] wide.
	AttentionTangent ID = 24
	// CrossEntropyHeadTangent: y[r] = Σ_c dx[r, c] · g[r, c], the gradient of the
	// row's loss being g_r = Σ_v softmax(l_r)[v] · W_v − W_labels[r]. It is found
	// once for all copies, so that the tangents need no logits.
	// x [R, C], W [V, C], labels [R], dx [R, C] wide, bias [V] → [R] wide.
	CrossEntropyHeadTangent ID = 25
	// ChoiceLossTangent: the mean over examples of Σ_k softmax(score)[k] · ds_k −
	// ds_gold, ds_k being minus the sum (or mean) of the candidate's dnll.
	// nll [R], rows [K+1], choices [G+1], gold [G], dnll [R] wide → [] wide. No
	// example: 0.
	ChoiceLossTangent ID = 26
)

var table = []Spec{
	{
		ID: Gather, Name: "Gather", Version: 1,
		Inputs: []Port{
			{Name: "data", DType: F32, Rank: 2, Panels: true},
			{Name: "indices", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Below, Of: 0}},
		},
		infer: inferGather,
	},
	{
		ID: RMSNormalization, Name: "RMSNormalization", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2},
			{Name: "scale", DType: F32, Rank: 1, Narrow: true},
		},
		Attrs:   []AttrSpec{{"epsilon", Float, 0, 1}},
		InPlace: true,
		infer:   inferRMSNormalization,
	},
	{
		ID: Linear, Name: "Linear", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2},
			{Name: "W", DType: F32, Rank: 2, Narrow: true, Panels: true},
			{Name: "bias", DType: F32, Rank: 1, Narrow: true},
		},
		Optional: 1,
		infer:    inferLinear,
	},
	{
		ID: LinearLoRA, Name: "LinearLoRA", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2},
			{Name: "W", DType: F32, Rank: 2, Narrow: true, Panels: true},
			{Name: "A", DType: F32, Rank: 2, Narrow: true},
			{Name: "B", DType: F32, Rank: 2, Narrow: true},
			{Name: "seed", DType: U32, Rank: 1, Narrow: true},
			{Name: "first", DType: I32, Rank: 1, Narrow: true},
			{Name: "eps", DType: F32, Rank: 1, Narrow: true},
			{Name: "bias", DType: F32, Rank: 1, Narrow: true},
		},
		Optional: 1,
		Attrs: []AttrSpec{
			{"site", Int, 0, math.MaxUint32}, {"scale", Float, -1e6, 1e6}, {"sampler", Int, 1, 2},
		},
		infer: inferLinearLoRA,
	},
	{
		ID: RotaryEmbedding, Name: "RotaryEmbedding", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2},
			{Name: "positions", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Below, Of: 2}},
			{Name: "cos", DType: F32, Rank: 2, Narrow: true},
			{Name: "sin", DType: F32, Rank: 2, Narrow: true},
		},
		Attrs:   []AttrSpec{{"num_heads", Int, 1, MaxDim}, {"interleaved", Int, 0, 1}},
		InPlace: true,
		infer:   inferRotaryEmbedding,
	},
	{
		ID: Attention, Name: "Attention", Version: 1,
		Inputs: []Port{
			{Name: "q", DType: F32, Rank: 2},
			{Name: "k", DType: F32, Rank: 2},
			{Name: "v", DType: F32, Rank: 2},
			{Name: "offsets", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Offsets, Of: 0}},
		},
		Attrs: []AttrSpec{
			{"num_heads", Int, 1, MaxDim},
			{"kv_num_heads", Int, 1, MaxDim},
			{"scale", Float, 0, 1e6},
			{"causal", Int, 0, 1},
		},
		infer: inferAttention,
	},
	{
		ID: SwiGLU, Name: "SwiGLU", Version: 1,
		Inputs:  []Port{{Name: "gate", DType: F32, Rank: 2}, {Name: "up", DType: F32, Rank: 2}},
		InPlace: true,
		infer:   inferElementwise,
	},
	{
		ID: Add, Name: "Add", Version: 1,
		Inputs:  []Port{{Name: "a", DType: F32, Rank: 2}, {Name: "b", DType: F32, Rank: 2}},
		InPlace: true,
		infer:   inferElementwise,
	},
	{
		ID: CrossEntropyHead, Name: "CrossEntropyHead", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2},
			{Name: "W", DType: F32, Rank: 2, Narrow: true, Panels: true},
			{Name: "labels", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Below, Of: 1}},
			{Name: "bias", DType: F32, Rank: 1, Narrow: true},
		},
		Optional: 1,
		infer:    inferCrossEntropyHead,
	},
	{
		ID: WeightedSum, Name: "WeightedSum", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 1},
			{Name: "weights", DType: F32, Rank: 1, Narrow: true},
		},
		infer: inferWeightedSum,
	},
	{
		ID: ChoiceLoss, Name: "ChoiceLoss", Version: 1,
		Inputs: []Port{
			{Name: "nll", DType: F32, Rank: 1},
			{Name: "rows", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Offsets, Of: 0}},
			{Name: "choices", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Offsets, Of: 1, Less: 1}},
			{Name: "gold", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: InGroup, Of: 2}},
		},
		Attrs: []AttrSpec{{"mean", Int, 0, 1}},
		infer: inferChoiceLoss,
	},
	{
		ID: UpdateLoRA, Name: "UpdateLoRA", Version: 1,
		Inputs: []Port{
			{Name: "B", DType: F32, Narrow: true, Panels: true, Mutable: true},
			{Name: "seed", DType: U32, Rank: 1, Narrow: true},
			{Name: "g", DType: F32, Rank: 1, Narrow: true},
			{Name: "lr", DType: F32, Rank: 1, Narrow: true},
		},
		Attrs: []AttrSpec{{"site", Int, 0, math.MaxUint32}, {"sampler", Int, 1, 2}},
		infer: inferUpdateLoRA,
	},
	{
		ID: LayerNormalization, Name: "LayerNormalization", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2},
			{Name: "scale", DType: F32, Rank: 1, Narrow: true},
			{Name: "bias", DType: F32, Rank: 1, Narrow: true},
		},
		Attrs:   []AttrSpec{{"epsilon", Float, 0, 1}},
		InPlace: true,
		infer:   inferLayerNormalization,
	},
	{
		ID: Gelu, Name: "Gelu", Version: 1,
		Inputs:  []Port{{Name: "x", DType: F32, Rank: 2}},
		Attrs:   []AttrSpec{{"approximate", Int, 0, 1}},
		InPlace: true,
		infer:   inferUnary,
	},
	{
		ID: Relu, Name: "Relu", Version: 1,
		Inputs:  []Port{{Name: "x", DType: F32, Rank: 2}},
		InPlace: true,
		infer:   inferUnary,
	},
	{
		ID: Slice, Name: "Slice", Version: 1,
		Inputs: []Port{{Name: "x", DType: F32, Rank: 2}},
		Attrs:  []AttrSpec{{"start", Int, 0, MaxDim}, {"size", Int, 1, MaxDim}},
		infer:  inferSlice,
	},
	{
		ID: Perturb, Name: "Perturb", Version: 1,
		Inputs: []Port{
			{Name: "W", DType: F32, Narrow: true, Panels: true},
			{Name: "seed", DType: U32, Rank: 1, Narrow: true},
			{Name: "first", DType: I32, Rank: 1, Narrow: true},
			{Name: "eps", DType: F32, Rank: 1, Narrow: true},
		},
		Attrs: []AttrSpec{{"site", Int, 0, math.MaxUint32}, {"sampler", Int, 1, 2}},
		infer: inferPerturb,
	},
	{
		ID: LoRATangent, Name: "LoRATangent", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2, Wide: true},
			{Name: "h", DType: F32, Rank: 2, Narrow: true},
			{Name: "seed", DType: U32, Rank: 1, Narrow: true},
		},
		Attrs:   []AttrSpec{{"site", Int, 0, math.MaxUint32}, {"sampler", Int, 1, 2}},
		InPlace: true,
		infer:   inferLoRATangent,
	},
	{
		ID: RMSNormalizationTangent, Name: "RMSNormalizationTangent", Version: 1,
		Inputs: []Port{
			{Name: "dx", DType: F32, Rank: 2, Wide: true},
			{Name: "x", DType: F32, Rank: 2, Narrow: true},
			{Name: "scale", DType: F32, Rank: 1, Narrow: true},
		},
		Attrs:   []AttrSpec{{"epsilon", Float, 0, 1}},
		InPlace: true,
		infer:   inferRMSNormalizationTangent,
	},
	{
		ID: LayerNormalizationTangent, Name: "LayerNormalizationTangent", Version: 1,
		Inputs: []Port{
			{Name: "dx", DType: F32, Rank: 2, Wide: true},
			{Name: "x", DType: F32, Rank: 2, Narrow: true},
			{Name: "scale", DType: F32, Rank: 1, Narrow: true},
		},
		Attrs:   []AttrSpec{{"epsilon", Float, 0, 1}},
		InPlace: true,
		infer:   inferLayerNormalizationTangent,
	},
	{
		ID: GeluTangent, Name: "GeluTangent", Version: 1,
		Inputs: []Port{
			{Name: "dx", DType: F32, Rank: 2, Wide: true},
			{Name: "x", DType: F32, Rank: 2, Narrow: true},
		},
		Attrs:   []AttrSpec{{"approximate", Int, 0, 1}},
		InPlace: true,
		infer:   inferUnaryTangent,
	},
	{
		ID: ReluTangent, Name: "ReluTangent", Version: 1,
		Inputs: []Port{
			{Name: "dx", DType: F32, Rank: 2, Wide: true},
			{Name: "x", DType: F32, Rank: 2, Narrow: true},
		},
		InPlace: true,
		infer:   inferUnaryTangent,
	},
	{
		ID: SwiGLUTangent, Name: "SwiGLUTangent", Version: 1,
		Inputs: []Port{
			{Name: "d", DType: F32, Rank: 2, Wide: true},
			{Name: "gate", DType: F32, Rank: 2, Narrow: true},
			{Name: "up", DType: F32, Rank: 2, Narrow: true},
			{Name: "e", DType: F32, Rank: 2, Wide: true},
		},
		Optional: 1,
		Attrs:    []AttrSpec{{"given", Int, 1, 3}},
		InPlace:  true,
		infer:    inferSwiGLUTangent,
	},
	{
		ID: AttentionTangent, Name: "AttentionTangent", Version: 1,
		Inputs: []Port{
			{Name: "q", DType: F32, Rank: 2, Narrow: true},
			{Name: "k", DType: F32, Rank: 2, Narrow: true},
			{Name: "v", DType: F32, Rank: 2, Narrow: true},
			{Name: "offsets", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Offsets, Of: 0}},
			{Name: "d", DType: F32, Rank: 2, Wide: true},
			{Name: "e", DType: F32, Rank: 2, Wide: true},
			{Name: "f", DType: F32, Rank: 2, Wide: true},
		},
		Optional: 2,
		Attrs: []AttrSpec{
			{"num_heads", Int, 1, MaxDim},
			{"kv_num_heads", Int, 1, MaxDim},
			{"scale", Float, 0, 1e6},
			{"causal", Int, 0, 1},
			{"given", Int, 1, 7},
		},
		infer: inferAttentionTangent,
	},
	{
		ID: CrossEntropyHeadTangent, Name: "CrossEntropyHeadTangent", Version: 1,
		Inputs: []Port{
			{Name: "x", DType: F32, Rank: 2, Narrow: true},
			{Name: "W", DType: F32, Rank: 2, Narrow: true, Panels: true},
			{Name: "labels", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Below, Of: 1}},
			{Name: "dx", DType: F32, Rank: 2, Wide: true},
			{Name: "bias", DType: F32, Rank: 1, Narrow: true},
		},
		Optional: 1,
		infer:    inferCrossEntropyHeadTangent,
	},
	{
		ID: ChoiceLossTangent, Name: "ChoiceLossTangent", Version: 1,
		Inputs: []Port{
			{Name: "nll", DType: F32, Rank: 1, Narrow: true},
			{Name: "rows", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Offsets, Of: 0}},
			{Name: "choices", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: Offsets, Of: 1, Less: 1}},
			{Name: "gold", DType: I32, Rank: 1, Narrow: true, Index: &IndexRule{Kind: InGroup, Of: 2}},
			{Name: "dnll", DType: F32, Rank: 1, Wide: true},
		},
		Attrs: []AttrSpec{{"mean", Int, 0, 1}},
		infer: inferChoiceLossTangent,
	},
}

func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}
