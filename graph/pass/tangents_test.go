package pass_test

import (
	"errors"
	"strings"
	"testing"

	"zeroth/graph/pass"
	"zeroth/runtime/noise"
)

// What lies below the first trained layer has no tangent, and what belongs to no
// tangent is of width 1.
func TestTangents(t *testing.T) {
	m := llama(t)
	untouched := listing(t, m)
	lora := pass.LoRA{Rank: 2, Alpha: 4, Sampler: noise.Gaussian, Modules: []string{"q", "down"}, Layers: []int{1, 2}}
	if err := pass.InsertLoRA(m, lora); err != nil {
		t.Fatal(err)
	}
	trained := listing(t, m)
	if err := pass.Tangents(m); err != nil {
		t.Fatal(err)
	}
	text := listing(t, m)
	if !strings.HasPrefix(text, trained[:strings.Index(trained, "slot ")]) {
		t.Error("the other methods have changed")
	}
	g := m.Method(pass.MethodSlopes)
	for _, name := range []string{"first", "eps"} {
		if g.FindInput(name) != nil {
			t.Errorf("slopes have an input %s", name)
		}
	}
	for _, v := range g.Outputs {
		if wide := strings.Contains(v.Name, "slopes"); v.Type.Wide != wide {
			t.Errorf("output %s is %s", v.Name, v.Type)
		}
	}
	if len(g.Outputs) != 5 {
		t.Errorf("%d outputs", len(g.Outputs))
	}
	tangents := 0
	for _, n := range g.Nodes {
		tangent := strings.HasSuffix(n.Name, ".tangent") || strings.HasSuffix(n.Name, ".along")
		if n.Out[0].Type.Wide != tangent && !strings.HasSuffix(n.Name, "slopes") {
			t.Errorf("node %s gives %s", n.Name, n.Out[0].Type)
		}
		if tangent {
			tangents++
			if strings.Contains(n.Name, "layers.0.") || strings.Contains(n.Name, "layers.1.self_attn.v_proj") {
				t.Errorf("%s: nothing that is trained comes before it", n.Name)
			}
		}
	}
	if tangents == 0 {
		t.Error("no tangent")
	}
	if err := pass.RemoveLoRA(m); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, m); got != untouched {
		t.Errorf("with LoRA taken out again:\n%s\nwas\n%s", got, untouched)
	}
}

func TestTangentsOfWhatHasNone(t *testing.T) {
	plain := llama(t)
	if err := pass.Tangents(plain); !errors.Is(err, pass.ErrTangents) {
		t.Errorf("a module without LoRA: %v", err)
	}
	full := llama(t)
	for _, c := range full.Constants {
		c.Data = make([]byte, 1<<12)
	}
	if err := pass.TrainAll(full, noise.Gaussian); err != nil {
		t.Fatal(err)
	}
	if err := pass.Tangents(full); !errors.Is(err, pass.ErrTangents) || !strings.Contains(err.Error(), "Perturb") {
		t.Errorf("a module whose weights are all trained: %v", err)
	}
}
