package pass_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

func TestRemoveUndoesInsert(t *testing.T) {
	m := llama(t)
	bare := listing(t, m)
	for _, lora := range []pass.LoRA{
		{Rank: 4, Alpha: 8, Sampler: noise.Gaussian},
		{Rank: 2, Alpha: 3, Sampler: noise.Rademacher, Modules: []string{"q", "down"}, Layers: []int{1, 2}},
	} {
		if err := pass.InsertLoRA(m, lora); err != nil {
			t.Fatal(err)
		}
		with := listing(t, m)
		if with == bare {
			t.Fatal("InsertLoRA changed nothing")
		}
		// Inserting again begins by removing, and so does a lifted module.
		if err := pass.InsertLoRA(m, pass.LoRA{Rank: 7, Alpha: 1, Sampler: noise.Gaussian, Modules: []string{"o"}}); err != nil {
			t.Fatal(err)
		}
		p, err := m.Lower()
		if err != nil {
			t.Fatal(err)
		}
		m = graph.Lift(p)
		if err := pass.InsertLoRA(m, lora); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, m); got != with {
			t.Errorf("inserting over another LoRA gives\n%s\nwant\n%s", got, with)
		}
		if err := pass.RemoveLoRA(m); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, m); got != bare {
			t.Errorf("removing LoRA gives\n%s\nwant\n%s", got, bare)
		}
	}
}

// A site's id and so its noise do not depend on which others are trained.
func TestInsertAtSites(t *testing.T) {
	all := llama(t)
	if err := pass.InsertLoRA(all, pass.LoRA{Rank: 2, Alpha: 3, Sampler: noise.Gaussian}); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]int64)
	for _, n := range all.Method("losses").Nodes {
		if n.Op == op.LinearLoRA {
			ids[n.Name] = n.Attrs[0].I
		}
	}
	if len(ids) != 21 {
		t.Errorf("%d LoRA nodes, want 21", len(ids))
	}
	for _, c := range []struct {
		lora  pass.LoRA
		sites []string
	}{
		{pass.LoRA{Modules: []string{"v"}}, []string{"model.layers.0.self_attn.v_proj", "model.layers.1.self_attn.v_proj", "model.layers.2.self_attn.v_proj"}},
		{pass.LoRA{Layers: []int{2}, Modules: []string{"up", "q"}}, []string{"model.layers.2.self_attn.q_proj", "model.layers.2.mlp.up_proj"}},
		{pass.LoRA{Sites: []string{"model.layers.1.mlp.gate_proj", "model.layers.0.self_attn.o_proj"}}, []string{"model.layers.0.self_attn.o_proj", "model.layers.1.mlp.gate_proj"}},
	} {
		c.lora.Rank, c.lora.Alpha, c.lora.Sampler = 2, 3, noise.Rademacher
		m := llama(t)
		if err := pass.InsertLoRA(m, c.lora); err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"forward", "losses", "update"} {
			var have []string
			for _, n := range m.Method(method).Nodes {
				if n.Op != op.LinearLoRA && n.Op != op.UpdateLoRA {
					continue
				}
				have = append(have, n.Name)
				if n.Attrs.Int("site") != int(ids[n.Name]) || n.Attrs.Int("sampler") != int(noise.Rademacher) {
					t.Errorf("%s: %s has %v, want site %d", method, n.Name, n.Attrs, ids[n.Name])
				}
				if n.Op == op.LinearLoRA && n.Attrs.Float("scale") != 1.5 {
					t.Errorf("scale %g, want α/r = 1.5", n.Attrs.Float("scale"))
				}
			}
			if !slices.Equal(have, c.sites) {
				t.Errorf("%s: LoRA at %v, want %v", method, have, c.sites)
			}
		}
		if len(m.Slots) != 2*len(c.sites) {
			t.Errorf("%d slots for %d sites", len(m.Slots), len(c.sites))
		}
	}
}

func TestInsertRefuses(t *testing.T) {
	for says, lora := range map[string]pass.LoRA{
		"rank 0 is not within":      {Rank: 0},
		"rank 1025 is not within":   {Rank: 1025},
		`no module "fc1"`:           {Rank: 1, Modules: []string{"q", "fc1"}},
		"the model has layers 0-2":  {Rank: 1, Layers: []int{0, 3}},
		"no layer -1":               {Rank: 1, Layers: []int{-1}},
		`no linear layer "lm_head"`: {Rank: 1, Sites: []string{"lm_head"}},
		"has none":                  {Rank: 1, Modules: []string{"q"}, Sites: []string{"model.layers.0.self_attn.v_proj"}},
		"sampler":                   {Rank: 1, Sampler: 9},
		"scale":                     {Rank: 1, Alpha: 1e9},
	} {
		if lora.Sampler == 0 {
			lora.Sampler = noise.Gaussian
		}
		if lora.Alpha == 0 {
			lora.Alpha = 1
		}
		if err := pass.InsertLoRA(llama(t), lora); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v; want it to say %q", lora, err, says)
		}
	}
	if err := pass.InsertLoRA(&graph.Module{}, pass.LoRA{Rank: 1}); !errors.Is(err, pass.ErrSites) {
		t.Errorf("a module without sites: %v", err)
	}
}

func TestParseLayers(t *testing.T) {
	for text, want := range map[string][]int{
		"": nil, "all": nil, "0": {0}, "3-5": {3, 4, 5}, "0,3,12-14": {0, 3, 12, 13, 14}, "5,1,3-4,1": {1, 3, 4, 5},
		" 2 , 4 ": {2, 4}, "7-7": {7}, "1-3,2-4": {1, 2, 3, 4},
	} {
		got, err := pass.ParseLayers(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q gives %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		",", "1,", "a", "-1", "1-", "-", "5-3", "1-2-3", "1.5", "0x3", "99999", "1;2", "1 2", "+1", "all,1", "18446744073709551616",
	} {
		if got, err := pass.ParseLayers(text); !errors.Is(err, pass.ErrSites) {
			t.Errorf("%q gives %v, %v", text, got, err)
		}
	}
}

// A layer's bias stays with it.
func TestInsertKeepsTheBias(t *testing.T) {
	w, bias := frozen("w", 4, 4), frozen("bias", 4)
	g := graph.NewGraph("forward")
	x := g.Apply(op.Gather, "x", nil, w.Value(), g.Input("tokens", op.I32, op.S(op.Tokens, 0)))
	g.Output("y", g.Apply(op.Linear, "layer", nil, x, w.Value(), bias.Value()))
	m := &graph.Module{
		Meta: map[string]string{}, Constants: []*graph.Constant{w, bias}, Methods: []*graph.Graph{g},
		Sites: []*graph.Site{{ID: 1, Name: "layer", Module: "q", Out: 4, In: 4}},
	}
	bare := listing(t, m)
	if err := pass.InsertLoRA(m, pass.LoRA{Rank: 1, Alpha: 1, Sampler: noise.Gaussian}); err != nil {
		t.Fatal(err)
	}
	if n := g.Nodes[1]; n.Op != op.LinearLoRA || len(n.In) != 8 || n.In[7].Const != bias {
		t.Errorf("the layer became %s of %d inputs", n.Op, len(n.In))
	}
	listing(t, m)
	if err := pass.RemoveLoRA(m); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, m); got != bare {
		t.Errorf("removing LoRA gives\n%s\nwant\n%s", got, bare)
	}
}
