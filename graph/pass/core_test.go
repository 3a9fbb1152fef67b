package pass_test

import (
	"errors"
	"testing"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

func TestRemoveUndoesInsertCore(t *testing.T) {
	m := llama(t)
	bare := listing(t, m)
	o := pass.LoRA{Rank: 3, Alpha: 6, Sampler: noise.Gaussian, Layers: []int{0, 2}}
	if err := pass.InsertCore(m, o); err != nil {
		t.Fatal(err)
	}
	with := listing(t, m)
	if m.Meta[pass.MetaParams] != pass.ParamsCore || len(m.Slots) != 3*14 {
		t.Errorf("params %q and %d slots, want those of 14 cores", m.Meta[pass.MetaParams], len(m.Slots))
	}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	m = graph.Lift(p)
	if err := pass.InsertCore(m, o); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, m); got != with {
		t.Errorf("inserting over a core gives\n%s\nwant\n%s", got, with)
	}
	if err := pass.RemoveLoRA(m); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, m); got != bare {
		t.Errorf("removing cores gives\n%s\nwant\n%s", got, bare)
	}
}

// Each site is perturbed under its own id, and what no core precedes stays
// narrow: the product of the first layer too.
func TestInsertCoreWidth(t *testing.T) {
	m := llama(t)
	if err := pass.InsertCore(m, pass.LoRA{Rank: 2, Alpha: 2, Sampler: noise.Rademacher, Modules: []string{"up"}}); err != nil {
		t.Fatal(err)
	}
	const site = "model.layers.0.mlp.up_proj"
	for _, n := range m.Method("losses").Nodes {
		wide, isOfSite := map[string]bool{site: false, site + ".core_V": false, site + ".core_R": true, site + ".core_U": true}[n.Name]
		if isOfSite && n.Out[0].Type.Wide != wide {
			t.Errorf("%s is %s", n.Name, n.Out[0].Type)
		}
		if n.Op == op.LinearLoRA && n.Name == site+".core_R" && n.Attrs[0].I != int64(siteID(m, site)) {
			t.Errorf("%s has attributes %v", n.Name, n.Attrs)
		}
	}
	for _, out := range m.Method("losses").Outputs {
		if !out.Type.Wide {
			t.Errorf("output %s is %s", out.Name, out.Type)
		}
	}
}

func siteID(m *graph.Module, name string) uint32 {
	for _, s := range m.Sites {
		if s.Name == name {
			return s.ID
		}
	}
	return 1 << 31
}

func TestInsertCoreRefuses(t *testing.T) {
	for _, o := range []pass.LoRA{
		{Rank: 0, Alpha: 1, Sampler: noise.Gaussian},
		{Rank: op.MaxRankLoRA + 1, Alpha: 1, Sampler: noise.Gaussian},
		{Rank: 2, Alpha: 1, Sampler: noise.Gaussian, Layers: []int{3}},
	} {
		if err := pass.InsertCore(llama(t), o); !errors.Is(err, pass.ErrSites) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
