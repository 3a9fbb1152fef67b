package model

import (
	"fmt"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// buildOPT builds OPT (Zhang et al. 2022): blocks with LayerNorm in front, learned
// positions and ReLU. OPT-350m is the odd one: its norms stand behind each sum,
// and project_in and project_out lead from shorter token embeddings to the
// hidden size and back.
func buildOPT(w Weights, o Options) (*graph.Module, error) {
	b := &opt{newBlock(w, o, true)}
	return assemble(b.block, b, o)
}

type opt struct{ *block }

const (
	optStem      = "model.decoder."
	optEmbedding = optStem + "embed_tokens.weight"
)

func (b *opt) backbone(g *graph.Graph, in inputs) *graph.Value {
	c := b.config
	x := g.Apply(op.Gather, "embedding", nil, b.embedding(optEmbedding, c.EmbeddingSize).Value(), in.tokens) // [N, E]
	if b.projects() {
		x = b.linear(g, optStem+"project_in", x, c.HiddenSize, false) // [N, C]
	}
	x = b.add(g, "embedding_sum", x, g.Apply(op.Gather, "positions", nil,
		b.learnedPositions(optStem+"embed_positions.weight", ""), in.positions))
	for layer := range c.Layers {
		name := fmt.Sprintf(optStem+"layers.%d.", layer)
		x = b.sublayer(g, name+"self_attn_layer_norm", name+"attention_residual", x, func(h *graph.Value) *graph.Value {
			return b.attention(g, layer, name+"self_attn.", h, in.offsets)
		})
		x = b.sublayer(g, name+"final_layer_norm", name+"mlp_residual", x, func(h *graph.Value) *graph.Value {
			return b.feedForward(g, layer, name+"fc1", name+"fc2", h)
		})
	}
	if c.FinalNorm {
		x = b.layerNorm(g, optStem+"final_layer_norm", x)
	}
	if b.projects() {
		x = b.linear(g, optStem+"project_out", x, c.EmbeddingSize, false) // [N, E]
	}
	return x
}

func (b *opt) projects() bool { return b.config.EmbeddingSize != b.config.HiddenSize }

// sublayer: x + f(norm(x)), or norm(x + f(x)) in the post-norm variant.
func (b *opt) sublayer(g *graph.Graph, norm, residual string, x *graph.Value, f func(*graph.Value) *graph.Value) *graph.Value {
	if b.config.PostNorm {
		return b.layerNorm(g, norm, b.add(g, residual, x, f(x)))
	}
	return b.add(g, residual, x, f(b.layerNorm(g, norm, x)))
}

func (b *opt) head() []*graph.Value {
	return []*graph.Value{b.headMatrix("lm_head.weight", optEmbedding, b.config.EmbeddingSize)}
}

// attention: h [N, C] → [N, C].
func (b *opt) attention(g *graph.Graph, layer int, name string, h, offsets *graph.Value) *graph.Value {
	C := b.config.HiddenSize
	q := b.site(g, layer, "q", name+"q_proj", h, C, true)
	k := b.site(g, layer, "k", name+"k_proj", h, C, true)
	v := b.site(g, layer, "v", name+"v_proj", h, C, true)
	y := b.attend(g, name+"attention", q, k, v, offsets)
	return b.site(g, layer, "o", name+"out_proj", y, C, true)
}
