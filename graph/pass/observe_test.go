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

func TestObserve(t *testing.T) {
	m := llama(t)
	if err := pass.InsertLoRA(m, pass.LoRA{Rank: 2, Alpha: 3, Sampler: noise.Gaussian}); err != nil {
		t.Fatal(err)
	}
	const layer = "model.layers.1."
	q, k, down := layer+"self_attn.q_proj", layer+"self_attn.k_proj", layer+"mlp.down_proj"
	outputs, err := pass.Observe(m, []string{k, q, down})
	if err != nil {
		t.Fatal(err)
	}
	if outputs[q] != q || outputs[k] != q || outputs[down] != down || len(outputs) != 3 {
		t.Errorf("outputs %v: q and k read the same x, down another", outputs)
	}
	listing(t, m) // it must make a valid program
	g := m.Methods[0]
	if len(m.Methods) != 1 || g.Name != pass.MethodInputs || len(m.Slots) != 0 {
		t.Fatalf("%d methods, the first %s, and %d slots", len(m.Methods), g.Name, len(m.Slots))
	}
	for i, want := range []int{8, 12} { // hidden size, intermediate size
		if shape := g.Outputs[i].Type.Shape; len(shape) != 2 || shape[1] != op.C(want) {
			t.Errorf("output %d is %s, want %d columns", i, g.Outputs[i].Type, want)
		}
	}
	// What lies above is not computed.
	for _, n := range g.Nodes {
		if n.Name == down || n.Op == op.CrossEntropyHead {
			t.Errorf("node %s is still there", n.Name)
		}
	}
	if slices.ContainsFunc(m.Constants, func(c *graph.Constant) bool { return c.Name == "model.layers.2.mlp.up_proj.weight" }) {
		t.Error("weights of the layer above are still there")
	}
}

func TestObserveRefuses(t *testing.T) {
	if _, err := pass.Observe(llama(t), []string{"model.layers.9.mlp.up_proj"}); !errors.Is(err, pass.ErrSites) {
		t.Errorf("a layer that is not there: %v", err)
	}
	m := llama(t)
	m.Methods = nil
	if _, err := pass.Observe(m, nil); !errors.Is(err, pass.ErrSites) {
		t.Errorf("no method losses: %v", err)
	}
}
