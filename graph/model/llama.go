package model

import (
	"fmt"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// buildLlama builds the Llama architecture (Touvron et al. 2023): pre-norm blocks
// with RMSNorm, rotary positions, grouped-query attention and SwiGLU. Qwen2 adds
// biases to q, k and v, Qwen3 an RMSNorm of each head of q and k.
func buildLlama(w Weights, o Options) (*graph.Module, error) {
	b := &llama{block: newBlock(w, o, true)}
	b.cos, b.sin = b.rotaryTables()
	return assemble(b.block, b, o)
}

type llama struct {
	*block
	cos, sin *graph.Constant // [context, D/2]
}

const llamaEmbedding = "model.embed_tokens.weight"

func (b *llama) backbone(g *graph.Graph, in inputs) *graph.Value {
	c := b.config
	x := g.Apply(op.Gather, "embedding", nil, b.embedding(llamaEmbedding, c.HiddenSize).Value(), in.tokens) // [N, C]
	for layer := range c.Layers {
		name := fmt.Sprintf("model.layers.%d.", layer)
		h := b.rmsNorm(g, name+"input_layernorm", x, c.HiddenSize)
		x = b.add(g, name+"attention_residual", x, b.attention(g, layer, name+"self_attn.", h, in))
		h = b.rmsNorm(g, name+"post_attention_layernorm", x, c.HiddenSize)
		x = b.add(g, name+"mlp_residual", x, b.swiglu(g, layer, name+"mlp.", h))
	}
	return b.rmsNorm(g, "model.norm", x, c.HiddenSize)
}

func (b *llama) head() []*graph.Value {
	return []*graph.Value{b.headMatrix("lm_head.weight", llamaEmbedding, b.config.HiddenSize)}
}

// attention: h [N, C] → [N, C].
func (b *llama) attention(g *graph.Graph, layer int, name string, h *graph.Value, in inputs) *graph.Value {
	c := b.config
	q := b.site(g, layer, "q", name+"q_proj", h, c.Heads*c.HeadDim, bias(c.QKVBias))
	k := b.site(g, layer, "k", name+"k_proj", h, c.KVHeads*c.HeadDim, bias(c.QKVBias))
	v := b.site(g, layer, "v", name+"v_proj", h, c.KVHeads*c.HeadDim, bias(c.QKVBias))
	if c.HeadNorm {
		q, k = b.rmsNorm(g, name+"q_norm", q, c.HeadDim), b.rmsNorm(g, name+"k_norm", k, c.HeadDim)
	}
	q, k = b.rotate(g, q, c.Heads, in.positions), b.rotate(g, k, c.KVHeads, in.positions)
	y := b.attend(g, name+"attention", q, k, v, in.offsets)
	return b.site(g, layer, "o", name+"o_proj", y, c.HiddenSize, false)
}

// rotate: x [N, heads·D] → [N, heads·D], turned by the positions.
func (b *llama) rotate(g *graph.Graph, x *graph.Value, heads int, positions *graph.Value) *graph.Value {
	attrs := op.Attrs{op.IntAttr("num_heads", heads), op.BoolAttr("interleaved", b.config.Interleaved)}
	return g.Apply(op.RotaryEmbedding, x.Name+".rotary", attrs, x, positions, b.cos.Value(), b.sin.Value())
}

// swiglu: h [N, C] → (silu(h Wgᵀ) ⊙ h Wuᵀ) Wdᵀ [N, C].
func (b *llama) swiglu(g *graph.Graph, layer int, name string, h *graph.Value) *graph.Value {
	gate := b.site(g, layer, "gate", name+"gate_proj", h, b.config.IntermediateSize, false)
	up := b.site(g, layer, "up", name+"up_proj", h, b.config.IntermediateSize, false)
	y := g.Apply(op.SwiGLU, name+"swiglu", nil, gate, up)
	return b.site(g, layer, "down", name+"down_proj", y, b.config.HiddenSize, false)
}
