package model

import (
	"fmt"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// buildGPT2 builds GPT-2 (Radford et al. 2019): pre-norm blocks with LayerNorm,
// learned positions, and one product for queries, keys and values.
func buildGPT2(w Weights, o Options) (*graph.Module, error) {
	b := &gpt2{newBlock(w, o, true)}
	return assemble(b.block, b, o)
}

type gpt2 struct{ *block }

const gpt2Embedding = "transformer.wte.weight"

func (b *gpt2) backbone(g *graph.Graph, in inputs) *graph.Value {
	c := b.config
	x := g.Apply(op.Gather, "embedding", nil, b.embedding(gpt2Embedding, c.HiddenSize).Value(), in.tokens) // [N, C]
	x = b.add(g, "embedding_sum", x, g.Apply(op.Gather, "positions", nil,
		b.learnedPositions("transformer.wpe.weight", ""), in.positions))
	for layer := range c.Layers {
		name := fmt.Sprintf("transformer.h.%d.", layer)
		h := b.layerNorm(g, name+"ln_1", x)
		x = b.add(g, name+"attention_residual", x, b.attention(g, layer, name+"attn.", h, in.offsets))
		h = b.layerNorm(g, name+"ln_2", x)
		x = b.add(g, name+"mlp_residual", x, b.feedForward(g, layer, name+"mlp.c_fc", name+"mlp.c_proj", h))
	}
	return b.layerNorm(g, "transformer.ln_f", x)
}

func (b *gpt2) head() []*graph.Value {
	return []*graph.Value{b.headMatrix("lm_head.weight", gpt2Embedding, b.config.HiddenSize)}
}

// attention: h [N, C] → [N, C].
func (b *gpt2) attention(g *graph.Graph, layer int, name string, h, offsets *graph.Value) *graph.Value {
	C := b.config.HiddenSize
	qkv := b.site(g, layer, "qkv", name+"c_attn", h, 3*C, true) // [N, 3C]
	part := func(which string, i int) *graph.Value {
		attrs := op.Attrs{op.IntAttr("start", i*C), op.IntAttr("size", C)}
		return g.Apply(op.Slice, name+which, attrs, qkv)
	}
	y := b.attend(g, name+"attention", part("q", 0), part("k", 1), part("v", 2), offsets)
	return b.site(g, layer, "o", name+"c_proj", y, C, true)
}
