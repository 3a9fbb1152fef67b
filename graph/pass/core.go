package pass

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"zeroth/graph"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// ParamsCore says, under MetaParams, that the cores of sites are trained.
const ParamsCore = "core"

// What a site's name is followed by, in the names of its slots and nodes.
const (
	suffixV    = ".core_V"
	suffixU    = ".core_U"
	suffixR    = ".core_R"
	suffixBase = ".base"
)

// The constants that all cores share: a zero and a unit matrix [r, r].
const (
	coreZero = "core.zero"
	coreUnit = "core.unit"
)

// InsertCore gives each selected site a small core, as LoRA-XS has it (arXiv
// 2405.17604): the layer adds scale · x Vᵀ Rᵀ Uᵀ to its product. V [r, K] and
// U [M, r] are frozen, R [r, r] is trained, so a site has r² trained values
// where LoRA's B has M·r. The slots are the site's name with core_V, core_U and
// core_R behind it; "update" moves R.
//
//	h   = x Vᵀ                       Linear
//	t_p = scale · h_p (R + σ_p ε z)ᵀ LinearLoRA with W = 0, A = 1, B = R
//	y   = (x Wᵀ + bias) + t Uᵀ       Linear, Add
//
// R is perturbed and moved as B is: kernels need to know no more than LoRA.
func InsertCore(m *graph.Module, o LoRA) error {
	sites, err := freeSites(m, o)
	if err != nil {
		return err
	}
	zero, unit := square(coreZero, o.Rank, 0), square(coreUnit, o.Rank, 1)
	m.Constants = append(m.Constants, zero, unit)
	cores := make(map[string]*core)
	var trained []siteSlot
	for _, site := range sites {
		c := &core{
			site: site, lora: o, zero: zero, unit: unit,
			v: &graph.Slot{Name: site.Name + suffixV, Type: matrix(o.Rank, site.In)},
			u: &graph.Slot{Name: site.Name + suffixU, Type: matrix(site.Out, o.Rank)},
			r: &graph.Slot{Name: site.Name + suffixR, Type: matrix(o.Rank, o.Rank)},
		}
		cores[site.Name] = c
		m.Slots = append(m.Slots, c.v, c.u, c.r)
		trained = append(trained, siteSlot{site, c.r})
	}
	for _, g := range m.Methods {
		var nodes []*graph.Node
		for _, n := range g.Nodes {
			nodes = append(nodes, n)
			if c := cores[n.Name]; c != nil && n.Op == op.Linear {
				nodes = append(nodes, c.nodes(g, n)...)
			}
		}
		g.Nodes = nodes
		if err := g.InferTypes(); err != nil {
			return err
		}
	}
	m.Methods = append(m.Methods, updateMethod(trained, o.Sampler))
	m.Meta[MetaParams] = ParamsCore
	o.describe(m)
	return m.Method("update").Err()
}

// square makes the constant with value on the diagonal and 0 elsewhere.
func square(name string, n int, value float32) *graph.Constant {
	data := platform.Aligned(4 * n * n)
	for i := range n {
		binary.LittleEndian.PutUint32(data[4*(i*n+i):], math.Float32bits(value))
	}
	return &graph.Constant{Name: name, Type: matrix(n, n), Data: data}
}

// core is what a site with a core has.
type core struct {
	site       *graph.Site
	lora       LoRA
	v, u, r    *graph.Slot
	zero, unit *graph.Constant
}

// nodes makes what stands behind a site's layer in one method. Whoever read the
// layer's result reads the sum.
func (c *core) nodes(g *graph.Graph, layer *graph.Node) []*graph.Node {
	var made []*graph.Node
	apply := func(id op.ID, suffix string, attrs op.Attrs, in ...*graph.Value) *graph.Node {
		n := &graph.Node{Op: id, Name: layer.Name + suffix, Attrs: attrs, In: in}
		n.Out = []*graph.Value{{Name: n.Name, Def: n}}
		made = append(made, n)
		return n
	}
	sum := layer.Out[0]
	base := &graph.Value{Name: layer.Name + suffixBase, Type: sum.Type, Def: layer}
	layer.Out[0] = base

	seed, first, eps := perturbationInputs(g)
	h := apply(op.Linear, suffixV, nil, layer.In[0], c.v.Value())
	t := apply(op.LinearLoRA, suffixR, op.Attrs{
		op.IntAttr("site", int(c.site.ID)),
		op.FloatAttr("scale", c.lora.Alpha/float64(c.lora.Rank)),
		op.IntAttr("sampler", int(c.lora.Sampler)),
	}, h.Out[0], c.zero.Value(), c.unit.Value(), c.r.Value(), seed, first, eps)
	up := apply(op.Linear, suffixU, nil, t.Out[0], c.u.Value())
	add := apply(op.Add, suffixBase, nil, base, up.Out[0])
	add.Out[0], sum.Def = sum, add
	return made
}

// removeCores undoes InsertCore in the methods that had nodes added.
func removeCores(m *graph.Module) {
	for _, g := range m.Methods {
		for _, n := range g.Nodes {
			if layer, isSum := strings.CutSuffix(n.Name, suffixBase); isSum && n.Op == op.Add {
				product := n.In[0].Def
				if product != nil && product.Name == layer {
					product.Out[0], n.Out[0].Def = n.Out[0], product
				}
			}
		}
		g.Nodes = slices.DeleteFunc(g.Nodes, func(n *graph.Node) bool {
			return slices.ContainsFunc([]string{suffixV, suffixR, suffixU, suffixBase}, func(suffix string) bool {
				return strings.HasSuffix(n.Name, suffix)
			})
		})
	}
	m.Constants = slices.DeleteFunc(m.Constants, func(c *graph.Constant) bool { return c.Name == coreZero || c.Name == coreUnit })
}

// describe writes into a module's metadata what LoRA, or core, it has.
func (o LoRA) describe(m *graph.Module) {
	m.Meta[MetaRank] = strconv.Itoa(o.Rank)
	m.Meta[MetaAlpha] = strconv.FormatFloat(o.Alpha, 'g', -1, 64)
	m.Meta[MetaSampler] = o.Sampler.String()
}
