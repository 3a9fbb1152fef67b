package model

import (
	"fmt"

	"zeroth/graph"
	"zeroth/runtime/op"
)

// buildRoBERTa builds RoBERTa (Liu et al. 2019) as a masked language model: BERT's
// bidirectional blocks with LayerNorm behind each sum, and a head with a layer
// of its own. The row of a <mask> gives the distribution of its token. All
// tokens have type 0, whose vector is added to the table of positions.
func buildRoBERTa(w Weights, o Options) (*graph.Module, error) {
	b := &roberta{newBlock(w, o, false)}
	return assemble(b.block, b, o)
}

type roberta struct{ *block }

const (
	robertaEmbeddings = "roberta.embeddings."
	robertaEmbedding  = robertaEmbeddings + "word_embeddings.weight"
)

func (b *roberta) backbone(g *graph.Graph, in inputs) *graph.Value {
	c := b.config
	x := g.Apply(op.Gather, "embedding", nil, b.embedding(robertaEmbedding, c.HiddenSize).Value(), in.tokens) // [N, C]
	x = b.add(g, "embedding_sum", x, g.Apply(op.Gather, "positions", nil, b.learnedPositions(
		robertaEmbeddings+"position_embeddings.weight", robertaEmbeddings+"token_type_embeddings.weight"), in.positions))
	x = b.layerNorm(g, robertaEmbeddings+"LayerNorm", x)
	for layer := range c.Layers {
		name := fmt.Sprintf("roberta.encoder.layer.%d.", layer)
		x = b.add(g, name+"attention_residual", x, b.attention(g, layer, name+"attention.", x, in.offsets))
		x = b.layerNorm(g, name+"attention.output.LayerNorm", x)
		x = b.add(g, name+"mlp_residual", x, b.feedForward(g, layer, name+"intermediate.dense", name+"output.dense", x))
		x = b.layerNorm(g, name+"output.LayerNorm", x)
	}
	// The head's own layer has the exact GELU whatever the config's activation.
	x = b.linear(g, "lm_head.dense", x, c.HiddenSize, true)
	x = g.Apply(op.Gelu, "lm_head.activation", op.Attrs{op.BoolAttr("approximate", false)}, x)
	return b.layerNorm(g, "lm_head.layer_norm", x)
}

func (b *roberta) head() []*graph.Value {
	matrix := b.headMatrix("lm_head.decoder.weight", robertaEmbedding, b.config.HiddenSize)
	return []*graph.Value{matrix, b.vector("lm_head.bias", b.config.VocabSize)}
}

// attention: x [N, C] → [N, C].
func (b *roberta) attention(g *graph.Graph, layer int, name string, x, offsets *graph.Value) *graph.Value {
	C := b.config.HiddenSize
	q := b.site(g, layer, "q", name+"self.query", x, C, true)
	k := b.site(g, layer, "k", name+"self.key", x, C, true)
	v := b.site(g, layer, "v", name+"self.value", x, C, true)
	y := b.attend(g, name+"self.attention", q, k, v, offsets)
	return b.site(g, layer, "o", name+"output.dense", y, C, true)
}
