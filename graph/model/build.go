package model

import (
	"errors"
	"fmt"
	"path"
	"strconv"

	"zeroth/graph"
	"zeroth/graph/importer"
	"zeroth/graph/pass"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// ErrModel is wrapped when a checkpoint cannot be turned into a module.
var ErrModel = errors.New("cannot build the model")

// Weights is what a builder asks of a checkpoint.
type Weights interface {
	Config() importer.Config
	// ReadRows fills dst with rows of a tensor from row first on, as many as dst
	// holds; the rows of a vector are its elements. Several goroutines call it.
	ReadRows(name string, first int, dst []float32) error
}

// Options say how a model is built.
type Options struct {
	// Context bounds the positions; 0 means the model's own limit, at most
	// 4096. It sets the size of the tables of positions.
	Context int
	// Weights is the element type of weight matrices; 0 means f32. Norms, biases
	// and positions stay f32. The embedding and the head, whose errors no other
	// layer makes good, are i8 where it is a type of 4 bits.
	Weights op.DType
	// Rules give matrices other types: the first whose pattern matches counts.
	Rules []Rule
	// Quantised, if not nil, is told of each matrix of a packed type, when it has
	// been written, what its weights lost.
	Quantised func(name string, t op.Type, lost quant.Error)
	// MeanChoices scores a candidate by the mean of its token losses, not the sum.
	MeanChoices bool
}

// Rule gives the matrices whose names match Pattern (of path.Match) a type.
type Rule struct {
	Pattern string
	Type    op.DType
}

// weightType is the type of a matrix; outer ones are the embedding and the head.
func (o *Options) weightType(name string, outer bool) op.DType {
	for _, r := range o.Rules {
		if matched, _ := path.Match(r.Pattern, name); matched {
			return r.Type
		}
	}
	switch {
	case o.Weights == 0:
		return op.F32
	case outer && o.Weights.Bytes() == 0:
		return op.I8
	}
	return o.Weights
}

// check refuses types that no weight matrix can have, and malformed patterns.
func (o *Options) check() error {
	for _, r := range append([]Rule{{Pattern: "*", Type: max(o.Weights, op.F32)}}, o.Rules...) {
		if !r.Type.Weight() {
			return fmt.Errorf("%w: no weight matrix can have elements of type %s", ErrModel, r.Type)
		}
		if _, err := path.Match(r.Pattern, ""); err != nil {
			return fmt.Errorf("%w: pattern %q: %w", ErrModel, r.Pattern, err)
		}
	}
	return nil
}

const defaultContext = 4096

// Build builds the checkpoint's architecture.
func Build(w Weights, o Options) (*graph.Module, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	switch name := w.Config().Architecture; name {
	case "llama", "qwen2", "qwen3":
		return buildLlama(w, o)
	case "gpt2":
		return buildGPT2(w, o)
	case "opt":
		return buildOPT(w, o)
	case "roberta":
		return buildRoBERTa(w, o)
	default:
		return nil, fmt.Errorf("%w: no builder for architecture %.64q", ErrModel, name)
	}
}

// architecture is what one model has of its own.
type architecture interface {
	// backbone: tokens [N] → what the head reads of each, [N, C].
	backbone(g *graph.Graph, in inputs) *graph.Value
	// head is the output matrix [V, C], and a bias [V] where there is one.
	head() []*graph.Value
}

// inputs are what all methods read: packed tokens [N] with their positions [N],
// where the sequences begin [S+1], and the rows [R] whose output is wanted.
type inputs struct{ tokens, positions, offsets, rows *graph.Value }

// assemble makes the module of an architecture that builds with b.
func assemble(b *block, a architecture, o Options) (*graph.Module, error) {
	if c := b.config; !c.Rotary() && b.context > c.MaxPositions {
		return nil, fmt.Errorf("%w: context %d: the model has learned %d positions", ErrModel, b.context, c.MaxPositions)
	}
	for _, g := range []*graph.Graph{forward(a), losses(a, o)} {
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

// hidden: tokens [N] → the rows [R, C] that the head reads.
func hidden(g *graph.Graph, a architecture) *graph.Value {
	in := inputs{
		tokens:    g.Input("tokens", op.I32, op.S(op.Tokens, 0)),
		positions: g.Input("positions", op.I32, op.S(op.Tokens, 0)),
		offsets:   g.Input("offsets", op.I32, op.S(op.Sequences, 1)),
		rows:      g.Input("rows", op.I32, op.S(op.LossRows, 0)),
	}
	x := a.backbone(g, in)
	return g.Apply(op.Gather, x.Name+".rows", nil, x, in.rows)
}

// forward: tokens [N] → logits [R, V] of the chosen rows.
func forward(a architecture) *graph.Graph {
	g := graph.NewGraph("forward")
	x := hidden(g, a)
	g.Output("logits", g.Apply(op.Linear, "lm_head", nil, append([]*graph.Value{x}, a.head()...)...))
	return g
}

// losses: tokens [N], labels [R] → nll [R], losses [], choice_losses [].
func losses(a architecture, o Options) *graph.Graph {
	g := graph.NewGraph("losses")
	x := hidden(g, a)
	labels := g.Input("labels", op.I32, op.S(op.LossRows, 0))
	head := a.head()
	nll := g.Apply(op.CrossEntropyHead, "cross_entropy", nil, append([]*graph.Value{x, head[0], labels}, head[1:]...)...)
	weights := g.Input("weights", op.F32, op.S(op.LossRows, 0))
	rowOffsets := g.Input("row_offsets", op.I32, op.S(op.Choices, 1))
	choiceOffsets := g.Input("choice_offsets", op.I32, op.S(op.Examples, 1))
	gold := g.Input("gold", op.I32, op.S(op.Examples, 0))
	choices := op.Attrs{op.BoolAttr("mean", o.MeanChoices)}
	g.Output("losses", g.Apply(op.WeightedSum, "losses", nil, nll, weights))
	g.Output("choice_losses", g.Apply(op.ChoiceLoss, "choice_losses", choices, nll, rowOffsets, choiceOffsets, gold))
	g.Output("nll", nll)
	return g
}

// describe records the model's shape for whoever reads the program.
func (b *block) describe(o Options) {
	c := b.config
	for key, n := range map[string]int{
		"hidden_size": c.HiddenSize, "intermediate_size": c.IntermediateSize, "layers": c.Layers,
		"heads": c.Heads, "kv_heads": c.KVHeads, "head_dim": c.HeadDim, "vocab_size": c.VocabSize,
		"context": b.context, "bos_id": c.BOS, "eos_id": c.EOS,
	} {
		b.module.Meta[key] = strconv.Itoa(n)
	}
	for key, is := range map[string]bool{
		"causal": b.causal, "mean_choices": o.MeanChoices, "rope.interleaved": c.Interleaved, "tied": c.Tied,
	} {
		b.module.Meta[key] = strconv.FormatBool(is)
	}
	b.module.Meta["arch"] = c.Architecture
	b.module.Meta["weights"] = max(o.Weights, op.F32).String()
}
