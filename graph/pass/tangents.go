package pass

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"zeroth/graph"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// ErrTangents is wrapped when a module's losses have no tangents.
var ErrTangents = errors.New("no directional derivatives")

// MethodSlopes is the method that Tangents adds.
const MethodSlopes = "slopes"

// Its outputs beside those of "losses": what these change by.
var slopesOf = map[string]string{"losses": "slopes", "choice_losses": "choice_slopes"}

// What a value's or a node's name is followed by in that method.
const (
	suffixTangent = ".tangent"
	suffixDown    = ".lora_down"
	suffixHidden  = ".lora_h"
	suffixUp      = ".lora_up"
	suffixAlong   = ".along" // dx of a site's layer
	suffixBase    = ".base"
)

// tangentConstant is what the names of its own constants begin with.
const tangentConstant = "tangent."

// Tangents adds the method "slopes": "losses" of the unperturbed model, as a
// single copy, with the exact derivative of each along P directions z_0 … z_{P−1}
// beside it: forward-mode differentiation (Baydin et al. 2022, arXiv 2202.08587).
// Its inputs are those of "losses", without first and eps.
//
// Each value that depends on a trained B has a tangent, a wide value; what lies
// before the first trained layer has none, and nothing is computed for it. With
// h = scale · x Aᵀ a site becomes
//
//	y   = (x Wᵀ + bias) + h Bᵀ                   Linear, Add
//	dy_p = dx_p Wᵀ + scale · dx_p Aᵀ Bᵀ + h z_pᵀ  LinearLoRA with ε = 0, LoRATangent
//
// and where x has no tangent dy_p is h z_pᵀ alone, a LinearLoRA of h with W = 0,
// A = 1, B = 0 and ε = 1. What is linear in its tangents is computed by the op
// itself, all else by its tangent op.
func Tangents(m *graph.Module) error {
	losses := m.Method("losses")
	if losses == nil || losses.FindInput("seed") == nil {
		return fmt.Errorf("%w: the program has no method losses with LoRA", ErrTangents)
	}
	t := &tangents{
		module: m, g: graph.NewGraph(MethodSlopes), primal: make(map[*graph.Value]*graph.Value), tangent: make(map[*graph.Value]*graph.Value),
	}
	for _, v := range losses.Inputs {
		if v.Name != "first" && v.Name != "eps" {
			t.primal[v] = t.g.Input(v.Name, v.Type.DType, v.Type.Shape...)
		}
	}
	t.seed = t.g.FindInput("seed")
	for _, n := range losses.Nodes {
		if err := t.node(n); err != nil {
			return fmt.Errorf("%w: node %s: %w", ErrTangents, n.Name, err)
		}
	}
	for _, v := range losses.Outputs {
		if name, ok := slopesOf[v.Name]; ok {
			if t.tangent[v] == nil {
				return fmt.Errorf("%w: no LoRA site reaches %s", ErrTangents, v.Name)
			}
			t.g.Output(name, t.tangent[v])
		}
	}
	for _, v := range losses.Outputs {
		t.g.Output(v.Name, t.primal[v])
	}
	m.Methods = append(m.Methods, t.g)
	return t.g.Err()
}

// tangents is the method under construction: of each value of "losses" the same
// value of the unperturbed model, and its tangent, nil where it has none.
type tangents struct {
	module          *graph.Module
	g               *graph.Graph
	primal, tangent map[*graph.Value]*graph.Value
	seed            *graph.Value
}

// node adds what a node of "losses" becomes.
func (t *tangents) node(n *graph.Node) error {
	if n.Op == op.LinearLoRA {
		t.site(n)
		return t.g.Err()
	}
	in := make([]*graph.Value, len(n.In))
	moved := false
	for i, v := range n.In {
		if in[i] = t.of(v); in[i] == nil {
			return fmt.Errorf("%s perturbs what is no LoRA", n.Op)
		}
		moved = moved || t.tangent[v] != nil
	}
	y := t.g.Apply(n.Op, n.Name, n.Attrs, in...)
	if y == nil {
		return fmt.Errorf("%s has no result", n.Op)
	}
	t.primal[n.Out[0]] = y
	if !moved {
		return t.g.Err()
	}
	rule, ok := tangentRules[n.Op]
	if !ok {
		return fmt.Errorf("%s has no rule for its tangent", n.Op)
	}
	t.tangent[n.Out[0]] = rule(t, n, in)
	return t.g.Err()
}

// of is the value of the unperturbed model that stands for v; constants and slots
// are themselves.
func (t *tangents) of(v *graph.Value) *graph.Value {
	if v.Const != nil || v.Slot != nil {
		return v
	}
	return t.primal[v]
}

// site adds what a LinearLoRA becomes.
func (t *tangents) site(n *graph.Node) {
	x, w, a, b := t.of(n.In[0]), n.In[1], n.In[2], n.In[3]
	r := b.Type.Shape[1].Offset
	apply := func(id op.ID, suffix string, attrs op.Attrs, in ...*graph.Value) *graph.Value {
		return t.g.Apply(id, n.Name+suffix, attrs, in...)
	}
	scale := t.diagonal(r, float32(n.Attrs.Float("scale")))
	h := apply(op.Linear, suffixHidden, nil, apply(op.Linear, suffixDown, nil, x, a), scale.Value())
	base := apply(op.Linear, "", nil, append([]*graph.Value{x, w}, n.In[7:]...)...)
	t.primal[n.Out[0]] = apply(op.Add, suffixBase, nil, base, apply(op.Linear, suffixUp, nil, h, b))

	direction := slices.DeleteFunc(slices.Clone(n.Attrs), func(a op.Attr) bool { return a.Name == "scale" })
	dx := t.tangent[n.In[0]]
	if dx == nil {
		none := t.zero(b.Type).Value()
		plain := slices.Clone(n.Attrs)
		plain[slices.IndexFunc(plain, func(a op.Attr) bool { return a.Name == "scale" })] = op.FloatAttr("scale", 1)
		t.tangent[n.Out[0]] = apply(op.LinearLoRA, suffixTangent, plain, h, none, t.diagonal(r, 1).Value(), none,
			t.seed, t.word(op.I32, oneSidedFromFirst).Value(), t.word(op.F32, math.Float32bits(1)).Value())
		return
	}
	along := apply(op.LinearLoRA, suffixAlong, n.Attrs, dx, w, a, b,
		t.seed, t.word(op.I32, 0).Value(), t.word(op.F32, 0).Value())
	t.tangent[n.Out[0]] = apply(op.LoRATangent, suffixTangent, direction, along, h, t.seed)
}

// oneSidedFromFirst is the first of copies of which p is +ε z_p: −2, in bits
// (noise.Copy).
const oneSidedFromFirst = 0xfffffffe

// tangentRules make the tangent of a node's result, whose inputs in the new
// method are in. One of them at least has a tangent.
var tangentRules = map[op.ID]func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value{
	op.Gather:          (*tangents).same,
	op.Slice:           (*tangents).same,
	op.RotaryEmbedding: (*tangents).same,
	op.WeightedSum:     (*tangents).same,
	op.Linear: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.same(n, in[:2]) // without the bias
	},
	op.Add: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		a, b := t.tangent[n.In[0]], t.tangent[n.In[1]]
		switch {
		case a == nil:
			return b
		case b == nil:
			return a
		}
		return t.apply(op.Add, n, nil, a, b)
	},
	op.RMSNormalization: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.apply(op.RMSNormalizationTangent, n, n.Attrs, t.tangent[n.In[0]], in[0], in[1])
	},
	op.LayerNormalization: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.apply(op.LayerNormalizationTangent, n, n.Attrs, t.tangent[n.In[0]], in[0], in[1])
	},
	op.Gelu: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.apply(op.GeluTangent, n, n.Attrs, t.tangent[n.In[0]], in[0])
	},
	op.Relu: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.apply(op.ReluTangent, n, nil, t.tangent[n.In[0]], in[0])
	},
	op.SwiGLU: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		given, d := t.given(n.In)
		return t.apply(op.SwiGLUTangent, n, op.Attrs{given}, append([]*graph.Value{d[0], in[0], in[1]}, d[1:]...)...)
	},
	op.Attention: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		given, d := t.given(n.In[:3])
		return t.apply(op.AttentionTangent, n, append(slices.Clone(n.Attrs), given), append(slices.Clone(in), d...)...)
	},
	op.CrossEntropyHead: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.apply(op.CrossEntropyHeadTangent, n, nil, slices.Insert(slices.Clone(in), 3, t.tangent[n.In[0]])...)
	},
	op.ChoiceLoss: func(t *tangents, n *graph.Node, in []*graph.Value) *graph.Value {
		return t.apply(op.ChoiceLossTangent, n, n.Attrs, append(slices.Clone(in), t.tangent[n.In[0]])...)
	},
}

// apply adds a node for the tangent of n's result.
func (t *tangents) apply(id op.ID, n *graph.Node, attrs op.Attrs, in ...*graph.Value) *graph.Value {
	return t.g.Apply(id, n.Name+suffixTangent, attrs, in...)
}

// same is the rule of an op that is linear in its first input, which alone may
// have a tangent.
func (t *tangents) same(n *graph.Node, in []*graph.Value) *graph.Value {
	return t.apply(n.Op, n, n.Attrs, append([]*graph.Value{t.tangent[n.In[0]]}, in[1:]...)...)
}

// given are the tangents that inputs have, and the attribute that tells which.
func (t *tangents) given(in []*graph.Value) (op.Attr, []*graph.Value) {
	var there []*graph.Value
	bits := 0
	for i, v := range in {
		if d := t.tangent[v]; d != nil {
			there, bits = append(there, d), bits|1<<i
		}
	}
	return op.IntAttr("given", bits), there
}

// The constants of the method are shared by what needs the same.

// diagonal is value · 1 [n, n].
func (t *tangents) diagonal(n int, value float32) *graph.Constant {
	return t.constant(fmt.Sprintf("%g.%d", value, n), func(name string) *graph.Constant {
		data := platform.Aligned(4 * n * n)
		for i := range n {
			binary.LittleEndian.PutUint32(data[4*(i*n+i):], math.Float32bits(value))
		}
		return &graph.Constant{Name: name, Type: matrix(n, n), Data: data}
	})
}

func (t *tangents) zero(like op.Type) *graph.Constant {
	return t.constant(fmt.Sprintf("zero.%d.%d", like.Shape[0].Offset, like.Shape[1].Offset), func(name string) *graph.Constant {
		return &graph.Constant{Name: name, Type: like, Data: platform.Aligned(4 * like.Shape[0].Offset * like.Shape[1].Offset)}
	})
}

// word is a constant of one element with those bits.
func (t *tangents) word(d op.DType, bits uint32) *graph.Constant {
	return t.constant(fmt.Sprintf("%s.%#x", d, bits), func(name string) *graph.Constant {
		data := platform.Aligned(4)
		binary.LittleEndian.PutUint32(data, bits)
		return &graph.Constant{Name: name, Type: op.Type{DType: d, Shape: []op.Dim{op.C(1)}}, Data: data}
	})
}

func (t *tangents) constant(name string, make func(name string) *graph.Constant) *graph.Constant {
	name = tangentConstant + name
	for _, c := range t.module.Constants {
		if c.Name == name {
			return c
		}
	}
	c := make(name)
	t.module.Constants = append(t.module.Constants, c)
	return c
}
