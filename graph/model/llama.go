package model

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/pass"
	"zeroth/runtime/op"
)

// ErrModel is wrapped when a checkpoint cannot be turned into a module.
var ErrModel = errors.New("cannot build the model")

// Weights is what a builder asks of a checkpoint.
type Weights interface {
	Config() importer.Config
	// ReadF32 fills dst with a tensor's elements, row-major.
	ReadF32(name string, dst []float32) error
}

// Options say how a model is built.
type Options struct {
	// Context bounds the positions; 0 means the model's own limit, at most
	// 4096. It sets the size of the rotary tables.
	Context int
	// MeanChoices scores a candidate by the mean of its token losses, not the sum.
	MeanChoices bool
}

const defaultContext = 4096

// Llama builds the Llama architecture (Touvron et al. 2023): pre-norm blocks
// with RMSNorm, rotary positions, grouped-query attention and SwiGLU.
//
// The methods are "forward" (logits of the chosen rows) and "losses" (row
// losses, their weighted sum, and the loss over candidates); their inputs are
// packed tokens without padding, see mpzo/data.Batch.
func Llama(w Weights, o Options) (*graph.Module, error) {
	c := w.Config()
	if o.Context <= 0 {
		o.Context = min(c.MaxPositions, defaultContext)
	}
	b := &llama{block: newBlock(w), config: c}
	b.norm = op.Attrs{op.FloatAttr("epsilon", c.NormEps)}
	b.rotary(o.Context)
	for layer := range c.Layers {
		b.addSites(layer)
	}
	choices := op.Attrs{op.BoolAttr("mean", o.MeanChoices)}
	for _, g := range []*graph.Graph{b.forward(), b.losses(choices)} {
		if g.Err() != nil {
			return nil, fmt.Errorf("%w: %w", ErrModel, g.Err())
		}
		b.module.Methods = append(b.module.Methods, g)
	}
	b.describe(o)
	if err := pass.HoistGathers(b.module); err != nil {
		return nil, err
	}
	pass.RemoveDead(b.module)
	return b.module, nil
}

type llama struct {
	*block
	config   importer.Config
	norm     op.Attrs
	cos, sin *graph.Constant
}

// forward: tokens [N] → logits [R, V] of the chosen rows.
func (b *llama) forward() *graph.Graph {
	g := graph.NewGraph("forward")
	x := b.backbone(g)
	head := b.head()
	g.Output("logits", g.Apply(op.Linear, "lm_head", nil, x, head.Value()))
	return g
}

// losses: tokens [N], labels [R] → nll [R], losses [], choice_losses [].
func (b *llama) losses(choices op.Attrs) *graph.Graph {
	g := graph.NewGraph("losses")
	x := b.backbone(g)
	labels := g.Input("labels", op.I32, op.S(op.LossRows, 0))
	nll := g.Apply(op.CrossEntropyHead, "cross_entropy", nil, x, b.head().Value(), labels)
	weights := g.Input("weights", op.F32, op.S(op.LossRows, 0))
	rowOffsets := g.Input("row_offsets", op.I32, op.S(op.Choices, 1))
	choiceOffsets := g.Input("choice_offsets", op.I32, op.S(op.Examples, 1))
	gold := g.Input("gold", op.I32, op.S(op.Examples, 0))
	g.Output("losses", g.Apply(op.WeightedSum, "losses", nil, nll, weights))
	g.Output("choice_losses", g.Apply(op.ChoiceLoss, "choice_losses", choices, nll, rowOffsets, choiceOffsets, gold))
	g.Output("nll", nll)
	return g
}

// backbone: tokens [N] → the final norm's rows [R, C].
func (b *llama) backbone(g *graph.Graph) *graph.Value {
	c := b.config
	tokens := g.Input("tokens", op.I32, op.S(op.Tokens, 0))
	positions := g.Input("positions", op.I32, op.S(op.Tokens, 0))
	offsets := g.Input("offsets", op.I32, op.S(op.Sequences, 1))
	rows := g.Input("rows", op.I32, op.S(op.LossRows, 0))

	x := g.Apply(op.Gather, "embedding", nil, b.embedding().Value(), tokens) // [N, C]
	for layer := range c.Layers {
		name := fmt.Sprintf("model.layers.%d.", layer)
		h := g.Apply(op.RMSNormalization, name+"input_layernorm", b.norm, x, b.vector(name+"input_layernorm.weight", c.HiddenSize))
		x = g.Apply(op.Add, name+"attention_residual", nil, x, b.attention(g, name+"self_attn.", h, positions, offsets))
		h = g.Apply(op.RMSNormalization, name+"post_attention_layernorm", b.norm, x, b.vector(name+"post_attention_layernorm.weight", c.HiddenSize))
		x = g.Apply(op.Add, name+"mlp_residual", nil, x, b.feedForward(g, name+"mlp.", h))
	}
	x = g.Apply(op.RMSNormalization, "model.norm", b.norm, x, b.vector("model.norm.weight", c.HiddenSize))
	return g.Apply(op.Gather, "model.norm.rows", nil, x, rows)
}

// attention: h [N, C] → [N, C].
func (b *llama) attention(g *graph.Graph, name string, h, positions, offsets *graph.Value) *graph.Value {
	c := b.config
	rotate := func(x *graph.Value, heads int) *graph.Value {
		attrs := op.Attrs{op.IntAttr("num_heads", heads), op.BoolAttr("interleaved", c.Interleaved)}
		return g.Apply(op.RotaryEmbedding, x.Name+".rotary", attrs, x, positions, b.cos.Value(), b.sin.Value())
	}
	q := rotate(b.linear(g, name+"q_proj", h, c.Heads*c.HeadDim), c.Heads)
	k := rotate(b.linear(g, name+"k_proj", h, c.KVHeads*c.HeadDim), c.KVHeads)
	v := b.linear(g, name+"v_proj", h, c.KVHeads*c.HeadDim)
	y := g.Apply(op.Attention, name+"attention", op.Attrs{
		op.IntAttr("num_heads", c.Heads), op.IntAttr("kv_num_heads", c.KVHeads),
		op.FloatAttr("scale", 1/math.Sqrt(float64(c.HeadDim))), op.IntAttr("causal", 1),
	}, q, k, v, offsets)
	return b.linear(g, name+"o_proj", y, c.HiddenSize)
}

// feedForward: h [N, C] → [N, C].
func (b *llama) feedForward(g *graph.Graph, name string, h *graph.Value) *graph.Value {
	gate := b.linear(g, name+"gate_proj", h, b.config.IntermediateSize)
	up := b.linear(g, name+"up_proj", h, b.config.IntermediateSize)
	y := g.Apply(op.SwiGLU, name+"swiglu", nil, gate, up)
	return b.linear(g, name+"down_proj", y, b.config.HiddenSize)
}

// embedding is the token table [V, C]; a tied one is shared with the head and
// lies in the head's layout.
func (b *llama) embedding() *graph.Constant {
	return b.weight("model.embed_tokens.weight", b.config.VocabSize, b.config.HiddenSize, b.config.Tied)
}

func (b *llama) head() *graph.Constant {
	if b.config.Tied {
		return b.embedding()
	}
	return b.weight("lm_head.weight", b.config.VocabSize, b.config.HiddenSize, true)
}

// addSites names the linear layers of a layer. A site's id depends on its
// place in the model alone.
func (b *llama) addSites(layer int) {
	c := b.config
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	for i, s := range []struct {
		module, path string
		out, in      int
	}{
		{"q", "self_attn.q_proj", q, c.HiddenSize},
		{"k", "self_attn.k_proj", kv, c.HiddenSize},
		{"v", "self_attn.v_proj", kv, c.HiddenSize},
		{"o", "self_attn.o_proj", c.HiddenSize, q},
		{"gate", "mlp.gate_proj", c.IntermediateSize, c.HiddenSize},
		{"up", "mlp.up_proj", c.IntermediateSize, c.HiddenSize},
		{"down", "mlp.down_proj", c.HiddenSize, c.IntermediateSize},
	} {
		b.module.Sites = append(b.module.Sites, &graph.Site{
			ID: uint32(layer*7 + i), Name: fmt.Sprintf("model.layers.%d.%s", layer, s.path),
			Module: s.module, Layer: layer, Out: s.out, In: s.in,
		})
	}
}

// rotary makes the tables of RoPE (Su et al. 2021): the angle of pair i at
// position t is t · θ^(−2i/D).
func (b *llama) rotary(context int) {
	c := b.config
	table := func(name string, f func(float64) float64) *graph.Constant {
		return b.table(name, context, c.HeadDim/2, func(position, pair int) float32 {
			return float32(f(float64(position) * math.Pow(c.RopeTheta, -2*float64(pair)/float64(c.HeadDim))))
		})
	}
	b.cos, b.sin = table("rotary.cos", math.Cos), table("rotary.sin", math.Sin)
}

// describe records the model's shape for whoever reads the program.
func (b *llama) describe(o Options) {
	c := b.config
	for key, n := range map[string]int{
		"hidden_size": c.HiddenSize, "intermediate_size": c.IntermediateSize, "layers": c.Layers,
		"heads": c.Heads, "kv_heads": c.KVHeads, "head_dim": c.HeadDim, "vocab_size": c.VocabSize,
		"context": o.Context, "bos_id": c.BOS, "eos_id": c.EOS,
	} {
		b.module.Meta[key] = strconv.Itoa(n)
	}
	b.module.Meta["arch"] = "llama"
	b.module.Meta["mean_choices"] = strconv.FormatBool(o.MeanChoices)
	b.module.Meta["rope.interleaved"] = strconv.FormatBool(c.Interleaved)
	b.module.Meta["tied"] = strconv.FormatBool(c.Tied)
}
