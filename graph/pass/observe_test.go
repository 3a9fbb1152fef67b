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
	for site, want := range map[string]pass.Observed{q: {q, q + ".output"}, k: {q, k + ".output"}, down: {down, down + ".output"}} {
		if outputs[site] != want {
			t.Errorf("%s: outputs %v, want %v", site, outputs[site], want)
		}
	}
	listing(t, m) // it must make a valid program
	g := m.Methods[0]
	if len(m.Methods) != 1 || g.Name != pass.MethodObserve || len(m.Slots) != 0 {
		t.Fatalf("%d methods, the first %s, and %d slots", len(m.Methods), g.Name, len(m.Slots))
	}
	columns := map[string]int{q: 8, q + ".output": 8, k + ".output": 4, down: 12, down + ".output": 8}
	for _, v := range g.Outputs {
		if shape := v.Type.Shape; len(shape) != 2 || shape[1] != op.C(columns[v.Name]) {
			t.Errorf("output %s is %s, want %d columns", v.Name, v.Type, columns[v.Name])
		}
	}
	if len(g.Outputs) != len(columns) {
		t.Errorf("%d outputs, want %d", len(g.Outputs), len(columns))
	}
	// What lies above is not computed.
	for _, n := range g.Nodes {
		if strings.HasPrefix(n.Name, "model.layers.2.") || n.Op == op.CrossEntropyHead {
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
