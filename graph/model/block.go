package model

import (
	"math"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/runtime/op"
)

// block holds what all architectures build with: the module under construction
// and the checkpoint it is made from.
type block struct {
	constants
	config  importer.Config
	context int
	causal  bool // a token sees itself and what precedes it, not what follows
}

func newBlock(w Weights, o Options, causal bool) *block {
	b := &block{config: w.Config(), context: o.Context, causal: causal}
	b.constants = constants{
		weights: w, types: o, module: &graph.Module{Meta: make(map[string]string)}, byName: make(map[string]*graph.Constant),
	}
	if b.context <= 0 {
		b.context = min(b.config.MaxPositions, defaultContext)
	}
	return b
}

// bias says whether a linear layer has one.
type bias bool

// site is linear at a place where LoRA can be put, in a layer and under the
// short name of a module.
func (b *block) site(g *graph.Graph, layer int, module, name string, x *graph.Value, out int, with bias) *graph.Value {
	if g.Err() == nil {
		b.addSite(layer, module, name, out, x.Type.Shape[1].Offset)
	}
	return b.linear(g, name, x, out, with)
}

// addSite enters a site that is not there yet: each method passes by it once.
// Its id depends on its place in the model alone.
func (b *block) addSite(layer int, module, name string, out, in int) {
	for _, s := range b.module.Sites {
		if s.Name == name {
			return
		}
	}
	b.module.Sites = append(b.module.Sites, &graph.Site{
		ID: uint32(len(b.module.Sites)), Name: name, Module: module, Layer: layer, Out: out, In: in,
	})
}

// linear: x [N, K] → x Wᵀ + bias [N, M].
func (b *block) linear(g *graph.Graph, name string, x *graph.Value, out int, with bias) *graph.Value {
	if g.Err() != nil {
		return x
	}
	in := x.Type.Shape[1].Offset
	all := []*graph.Value{x, b.matrix(name+".weight", out, in).Value()}
	if with {
		all = append(all, b.vector(name+".bias", out))
	}
	return g.Apply(op.Linear, name, nil, all...)
}

// rmsNorm: x [N, C] → [N, C], each run of size channels by itself.
func (b *block) rmsNorm(g *graph.Graph, name string, x *graph.Value, size int) *graph.Value {
	attrs := op.Attrs{op.FloatAttr("epsilon", b.config.NormEps)}
	return g.Apply(op.RMSNormalization, name, attrs, x, b.vector(name+".weight", size))
}

// layerNorm: x [N, C] → [N, C].
func (b *block) layerNorm(g *graph.Graph, name string, x *graph.Value) *graph.Value {
	attrs := op.Attrs{op.FloatAttr("epsilon", b.config.NormEps)}
	size := b.config.HiddenSize
	return g.Apply(op.LayerNormalization, name, attrs, x, b.vector(name+".weight", size), b.vector(name+".bias", size))
}

// add: a, b [N, C] → a + b.
func (b *block) add(g *graph.Graph, name string, x, y *graph.Value) *graph.Value {
	return g.Apply(op.Add, name, nil, x, y)
}

// attend: q [N, H·D], k and v [N, HKV·D] → [N, H·D].
func (b *block) attend(g *graph.Graph, name string, q, k, v, offsets *graph.Value) *graph.Value {
	c := b.config
	return g.Apply(op.Attention, name, op.Attrs{
		op.IntAttr("num_heads", c.Heads), op.IntAttr("kv_num_heads", c.KVHeads),
		op.FloatAttr("scale", 1/math.Sqrt(float64(c.HeadDim))), op.BoolAttr("causal", b.causal),
	}, q, k, v, offsets)
}

// activate: x [N, C] → f(x) [N, C].
func (b *block) activate(g *graph.Graph, name string, x *graph.Value) *graph.Value {
	if b.config.Activation == importer.ReLU {
		return g.Apply(op.Relu, name, nil, x)
	}
	approximate := op.BoolAttr("approximate", b.config.Activation == importer.GELUTanh)
	return g.Apply(op.Gelu, name, op.Attrs{approximate}, x)
}

// feedForward: x [N, C] → f(x W₁ᵀ + b₁) W₂ᵀ + b₂ [N, C], the modules fc1 and fc2.
func (b *block) feedForward(g *graph.Graph, layer int, first, second string, x *graph.Value) *graph.Value {
	y := b.site(g, layer, "fc1", first, x, b.config.IntermediateSize, true)
	y = b.activate(g, first+".activation", y)
	return b.site(g, layer, "fc2", second, y, b.config.HiddenSize, true)
}

// embedding is the token table [V, size]; a tied one is shared with the head
// and lies in the head's layout.
func (b *block) embedding(name string, size int) *graph.Constant {
	return b.outer(name, b.config.VocabSize, size, b.config.Tied)
}

// headMatrix is the output matrix [V, size]: the embedding where they are tied.
func (b *block) headMatrix(name, embedding string, size int) *graph.Value {
	if b.config.Tied {
		return b.embedding(embedding, size).Value()
	}
	return b.outer(name, b.config.VocabSize, size, true).Value()
}
