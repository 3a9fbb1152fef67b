package pass_test

import (
	"errors"
	"slices"
	"testing"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// cutLlama is three layers with LoRA at some sites, cut.
func cutLlama(t *testing.T, layers []int, modules ...string) (*graph.Module, pass.Cut, error) {
	t.Helper()
	m := llama(t)
	if err := pass.InsertLoRA(m, pass.LoRA{Rank: 2, Alpha: 3, Sampler: noise.Gaussian, Layers: layers, Modules: modules}); err != nil {
		t.Fatal(err)
	}
	cut, err := pass.CutPrefix(m)
	return m, cut, err
}

func TestCutPrefix(t *testing.T) {
	for _, c := range []struct {
		layers  []int
		modules []string
		before  string
		columns []int
	}{
		{[]int{2}, nil, "model.layers.2.input_layernorm", []int{8}},
		{[]int{1, 2}, nil, "model.layers.1.input_layernorm", []int{8}},
		{[]int{1}, []string{"gate", "up"}, "model.layers.1.post_attention_layernorm", []int{8}},
		// q and k [8 and 4 columns] beside x and its norm would be more than twice x.
		{[]int{1}, []string{"v"}, "model.layers.1.input_layernorm", []int{8}},
		// What attention gives and what is added to it: twice x.
		{[]int{1}, []string{"o"}, "model.layers.1.self_attn.o_proj", []int{8, 8}},
		{[]int{0}, []string{"down"}, "model.layers.0.post_attention_layernorm", []int{8}},
		// In the last layer only the rows that are read go on from there: too late.
		{[]int{2}, []string{"down"}, "model.layers.2.self_attn.attention.rows", []int{8, 8}},
	} {
		m, cut, err := cutLlama(t, c.layers, c.modules...)
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if cut.Before != c.before || !slices.Equal(cut.Columns, c.columns) || len(cut.Values) != len(c.columns) {
			t.Errorf("layers %v, modules %v: cut %+v, want it before %s", c.layers, c.modules, cut, c.before)
		}
		listing(t, m) // it must be a valid program
		losses, prefix := m.Method("losses"), m.Method(pass.MethodPrefix)
		if len(prefix.Outputs) != len(c.columns) || prefix.Outputs[0].Name != "boundary.0" || losses.FindInput("boundary.0") == nil {
			t.Errorf("%v: the boundary is not there", c)
		}
		if losses.FindInput("tokens") != nil || prefix.FindInput("tokens") == nil || prefix.FindInput("labels") != nil {
			t.Errorf("%v: the prefix reads %d inputs", c, len(prefix.Inputs))
		}
		for _, n := range prefix.Nodes {
			if n.Op == op.LinearLoRA {
				t.Errorf("%v: %s is in the prefix", c, n.Name)
			}
		}
		if len(m.Method("forward").Nodes) <= len(losses.Nodes) {
			t.Errorf("%v: the other methods were cut, too", c)
		}
	}
}

func TestCutPrefixRefuses(t *testing.T) {
	if _, _, err := cutLlama(t, nil); !errors.Is(err, pass.ErrPrefix) {
		t.Errorf("the first layer is trained: %v", err)
	}
	if _, err := pass.CutPrefix(llama(t)); !errors.Is(err, pass.ErrPrefix) {
		t.Errorf("nothing is trained: %v", err)
	}
	m := llama(t)
	m.Methods = nil
	if _, err := pass.CutPrefix(m); !errors.Is(err, pass.ErrPrefix) {
		t.Errorf("no method losses: %v", err)
	}
}
