package pass

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zeroth/graph"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// ErrSites is wrapped when LoRA sites are asked for that cannot be had.
var ErrSites = errors.New("invalid LoRA sites")

// LoRA says which sites are trained and how.
type LoRA struct {
	Rank    int
	Alpha   float64 // the low-rank product is scaled by Alpha / Rank
	Sampler noise.Sampler
	Modules []string // short names of linear layers; none means all
	Layers  []int    // none means all
	Sites   []string // full names; none means all that Modules and Layers leave
}

// The metadata keys under which a module says what LoRA it has.
const (
	MetaRank    = "lora.rank"
	MetaAlpha   = "lora.alpha"
	MetaSampler = "lora.sampler"
)

// InsertLoRA turns the linear layers at the selected sites into LinearLoRA in
// every method, gives each site its slots A [r, K] and B [M, r], and adds the
// method "update". A module that has LoRA already loses it first.
func InsertLoRA(m *graph.Module, o LoRA) error {
	if err := RemoveLoRA(m); err != nil {
		return err
	}
	if o.Rank < 1 || o.Rank > op.MaxRankLoRA {
		return fmt.Errorf("%w: rank %d is not within 1 to %d", ErrSites, o.Rank, op.MaxRankLoRA)
	}
	sites, err := selectSites(m, o)
	if err != nil {
		return err
	}
	for _, site := range sites {
		site.A = &graph.Slot{Name: site.Name + ".lora_A", Type: matrix(o.Rank, site.In)}
		site.B = &graph.Slot{Name: site.Name + ".lora_B", Type: matrix(site.Out, o.Rank)}
		m.Slots = append(m.Slots, site.A, site.B)
	}
	for _, g := range m.Methods {
		insertInto(g, sites, o)
		if err := g.InferTypes(); err != nil {
			return err
		}
	}
	m.Methods = append(m.Methods, updateMethod(sites, o.Sampler))
	m.Meta[MetaRank] = strconv.Itoa(o.Rank)
	m.Meta[MetaAlpha] = strconv.FormatFloat(o.Alpha, 'g', -1, 64)
	m.Meta[MetaSampler] = o.Sampler.String()
	return m.Method("update").Err()
}

func matrix(rows, columns int) op.Type {
	return op.Type{DType: op.F32, Shape: []op.Dim{op.C(rows), op.C(columns)}}
}

// insertInto rewrites one method.
func insertInto(g *graph.Graph, sites []*graph.Site, o LoRA) {
	byName := make(map[string]*graph.Site)
	for _, s := range sites {
		byName[s.Name] = s
	}
	for _, n := range g.Nodes {
		site := byName[n.Name]
		if site == nil || n.Op != op.Linear {
			continue
		}
		seed, first, eps := perturbationInputs(g)
		in := []*graph.Value{n.In[0], n.In[1], site.A.Value(), site.B.Value(), seed, first, eps}
		n.Op, n.In = op.LinearLoRA, append(in, n.In[2:]...)
		n.Attrs = op.Attrs{
			op.IntAttr("site", int(site.ID)),
			op.FloatAttr("scale", o.Alpha/float64(o.Rank)),
			op.IntAttr("sampler", int(o.Sampler)),
		}
	}
}

// perturbationInputs returns the method's inputs that choose a perturbation,
// and adds them to a method that has none yet.
func perturbationInputs(g *graph.Graph) (seed, first, eps *graph.Value) {
	if seed = g.FindInput("seed"); seed != nil {
		return seed, g.FindInput("first"), g.FindInput("eps")
	}
	return g.Input("seed", op.U32, op.C(2)), g.Input("first", op.I32, op.C(1)), g.Input("eps", op.F32, op.C(1))
}

func updateMethod(sites []*graph.Site, sampler noise.Sampler) *graph.Graph {
	g := graph.NewGraph("update")
	seed := g.Input("seed", op.U32, op.C(2))
	grads := g.Input("g", op.F32, op.S(op.Queries, 0))
	lr := g.Input("lr", op.F32, op.C(1))
	for _, s := range sites {
		g.Apply(op.UpdateLoRA, s.Name, perturbation(int(s.ID), sampler), s.B.Value(), seed, grads, lr)
	}
	return g
}

// RemoveLoRA turns every LinearLoRA back into Linear, and drops the slots and the
// methods "update" and "slopes".
func RemoveLoRA(m *graph.Module) error {
	for _, site := range m.Sites {
		site.A, site.B = nil, nil
	}
	m.Slots = nil
	m.Methods = slices.DeleteFunc(m.Methods, func(g *graph.Graph) bool { return g.Name == "update" || g.Name == MethodSlopes })
	m.Constants = slices.DeleteFunc(m.Constants, func(c *graph.Constant) bool { return strings.HasPrefix(c.Name, tangentConstant) })
	for _, key := range []string{MetaRank, MetaAlpha, MetaSampler, MetaParams} {
		delete(m.Meta, key)
	}
	for _, g := range m.Methods {
		for _, n := range g.Nodes {
			if n.Op == op.LinearLoRA {
				n.Op, n.Attrs = op.Linear, nil
				n.In = append([]*graph.Value{n.In[0], n.In[1]}, n.In[7:]...)
			}
		}
		g.Inputs = slices.DeleteFunc(g.Inputs, func(v *graph.Value) bool {
			return v.Name == "seed" || v.Name == "first" || v.Name == "eps"
		})
		if err := g.InferTypes(); err != nil {
			return err
		}
	}
	return nil
}

func selectSites(m *graph.Module, o LoRA) ([]*graph.Site, error) {
	var modules []string
	layers := 0
	for _, s := range m.Sites {
		if !slices.Contains(modules, s.Module) {
			modules = append(modules, s.Module)
		}
		layers = max(layers, s.Layer+1)
	}
	for _, name := range o.Modules {
		if !slices.Contains(modules, name) {
			return nil, fmt.Errorf("%w: no module %q: choose among %s", ErrSites, name, strings.Join(modules, ","))
		}
	}
	for _, layer := range o.Layers {
		if layer < 0 || layer >= layers {
			return nil, fmt.Errorf("%w: no layer %d: the model has layers 0-%d", ErrSites, layer, layers-1)
		}
	}
	for _, name := range o.Sites {
		if !slices.ContainsFunc(m.Sites, func(s *graph.Site) bool { return s.Name == name }) {
			return nil, fmt.Errorf("%w: the model has no linear layer %q", ErrSites, name)
		}
	}
	var chosen []*graph.Site
	for _, s := range m.Sites {
		if (len(o.Modules) == 0 || slices.Contains(o.Modules, s.Module)) &&
			(len(o.Layers) == 0 || slices.Contains(o.Layers, s.Layer)) &&
			(len(o.Sites) == 0 || slices.Contains(o.Sites, s.Name)) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: the program has none", ErrSites)
	}
	return chosen, nil
}

// ParseLayers reads a list of layers and closed ranges such as "0,3,12-21";
// "all" or nothing means every layer (nil).
func ParseLayers(text string) ([]int, error) {
	if text == "" || text == "all" {
		return nil, nil
	}
	var layers []int
	for _, part := range strings.Split(text, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := strconv.ParseUint(low, 10, 16)
		last := first
		if err == nil && isRange {
			last, err = strconv.ParseUint(high, 10, 16)
		}
		if err != nil || last < first {
			return nil, fmt.Errorf("%w: layers %q: want numbers and ranges such as 0,3,12-21, or all", ErrSites, text)
		}
		for layer := first; layer <= last; layer++ {
			if !slices.Contains(layers, int(layer)) {
				layers = append(layers, int(layer))
			}
		}
	}
	slices.Sort(layers)
	return layers, nil
}
