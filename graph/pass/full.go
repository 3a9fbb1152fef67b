package pass

import (
	"errors"
	"fmt"
	"slices"

	"zeroth/graph"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// ErrFull is wrapped when a module's weights cannot be trained themselves.
var ErrFull = errors.New("not all weights can be trained")

// The metadata key that says what is trained, where it is not LoRA.
const (
	MetaParams = "params"
	ParamsFull = "full"
)

// TrainAll makes every weight a slot that keeps the constant's storage, has each
// method but "forward" read it perturbed, for one copy at a time, and adds the
// method "update": MeZO over all parameters (Malladi et al. 2023). Tables that
// were computed, not learned, stay constants. LoRA is removed.
//
// The storage must be writable, and weights f32 or bf16: a step is less than a
// code of any quantised type.
func TrainAll(m *graph.Module, sampler noise.Sampler) error {
	if err := RemoveLoRA(m); err != nil {
		return err
	}
	slots := make(map[*graph.Constant]*trained)
	for _, g := range m.Methods {
		if err := trainIn(m, g, slots, sampler); err != nil {
			return err
		}
	}
	m.Constants = slices.DeleteFunc(m.Constants, func(c *graph.Constant) bool { return slots[c] != nil })
	update := graph.NewGraph("update")
	seed := update.Input("seed", op.U32, op.C(2))
	grads := update.Input("g", op.F32, op.S(op.Queries, 0))
	lr := update.Input("lr", op.F32, op.C(1))
	for site, slot := range m.Slots {
		update.Apply(op.UpdateLoRA, slot.Name, perturbation(site, sampler), slot.Value(), seed, grads, lr)
	}
	m.Methods = append(m.Methods, update)
	m.Meta[MetaParams], m.Meta[MetaSampler] = ParamsFull, sampler.String()
	return update.Err()
}

// trained is a weight that has become a slot.
type trained struct {
	slot *graph.Slot
	site int // its index among the slots, by which it is perturbed
}

func perturbation(site int, sampler noise.Sampler) op.Attrs {
	return op.Attrs{op.IntAttr("site", site), op.IntAttr("sampler", int(sampler))}
}

// trainIn rewrites one method. A weight is perturbed anew for each use, so that
// no copy of it lives longer than the node that reads it.
func trainIn(m *graph.Module, g *graph.Graph, slots map[*graph.Constant]*trained, sampler noise.Sampler) error {
	perturbed := g.Name != "forward"
	var nodes []*graph.Node
	for _, n := range g.Nodes {
		for port, v := range n.In {
			if v.Const == nil || !learned(n.Op, v.Const) {
				continue
			}
			t, err := train(m, v.Const, slots)
			if err != nil {
				return fmt.Errorf("%w: method %s: node %s: %w", ErrFull, g.Name, n.Name, err)
			}
			n.In[port] = t.slot.Value()
			if perturbed {
				made := perturb(g, n, port, t, sampler)
				nodes = append(nodes, made)
				n.In[port] = made.Out[0]
			}
		}
		nodes = append(nodes, n)
	}
	g.Nodes = nodes
	return g.InferTypes()
}

// learned reports whether a constant that an op reads is a weight: neither a list
// of indices nor a rotary table.
func learned(id op.ID, c *graph.Constant) bool {
	return id != op.RotaryEmbedding && c.Type.DType.Weight()
}

// train gives the slot of a weight, made at its first use.
func train(m *graph.Module, c *graph.Constant, slots map[*graph.Constant]*trained) (*trained, error) {
	if t := slots[c]; t != nil {
		return t, nil
	}
	if d := c.Type.DType; d != op.F32 && d != op.BF16 {
		return nil, fmt.Errorf("%s is %s, want f32 or bf16", c.Name, d)
	}
	if c.Data == nil {
		return nil, fmt.Errorf("%s has no storage", c.Name)
	}
	t := &trained{slot: &graph.Slot{Name: c.Name, Type: c.Type, Data: c.Data}, site: len(m.Slots)}
	slots[c] = t
	m.Slots = append(m.Slots, t.slot)
	return t, nil
}

// perturb makes the node that perturbs a weight for input port of n.
func perturb(g *graph.Graph, n *graph.Node, port int, t *trained, sampler noise.Sampler) *graph.Node {
	seed, first, eps := perturbationInputs(g)
	made := &graph.Node{
		Op: op.Perturb, Name: fmt.Sprintf("%s.perturb.%d", n.Name, port),
		Attrs: perturbation(t.site, sampler), In: []*graph.Value{t.slot.Value(), seed, first, eps},
	}
	made.Out = []*graph.Value{{Name: made.Name, Type: t.slot.Type, Def: made}}
	return made
}
