package adapter

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// adapts is PEFT's rule (tuners_utils.check_target_module_exists) for target
// lists, as far as findTargets uses it.
func (f targets) adapts(module string) bool {
	if slices.Contains(f.modules, module) {
		return true
	}
	if !slices.ContainsFunc(f.modules, func(name string) bool { return strings.HasSuffix(module, "."+name) }) {
		return false
	}
	if f.layers == nil {
		return true
	}
	found := regexp.MustCompile(`^.*?\.` + f.pattern + `\.(\d+)\.`).FindStringSubmatch(module)
	if found == nil {
		return false
	}
	layer, err := strconv.Atoi(found[1])
	return err == nil && slices.Contains(f.layers, layer)
}

// The model the targets are tried on: 12 llama layers, a vision tower and a head.
func everyModule() []string {
	layers := make([]int, 12)
	for i := range layers {
		layers[i] = i
	}
	modules := layered(layers, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
		"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", "attention.output.dense", "output.dense")
	return append(modules, "lm_head", "score.head", "model.layers.0.cross_attn.q_proj", "model.layers.1.cross_attn.q_proj")
}

func TestTargetsNameExactlyTheSites(t *testing.T) {
	all := everyModule()
	cases := map[string]struct {
		modules []string
		layers  int      // of the base model
		want    []string // target_modules
		chosen  []int    // layers_to_transform
	}{
		"some layers":      {layered([]int{10, 2}, "self_attn.q_proj", "self_attn.v_proj"), 12, []string{"q_proj", "v_proj"}, []int{2, 10}},
		"one module":       {layered([]int{0}, "mlp.up_proj"), 12, []string{"up_proj"}, []int{0}},
		"all, unknown":     {layered([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, "mlp.up_proj"), 0, []string{"up_proj"}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		"all, known":       {layered([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, "mlp.up_proj"), 12, []string{"up_proj"}, nil},
		"beyond the base":  {layered([]int{1, 5}, "mlp.up_proj"), 2, []string{"up_proj"}, []int{1, 5}},
		"same short name":  {layered([]int{0}, "self_attn.q_proj", "cross_attn.q_proj"), 0, []string{"model.layers.0.cross_attn.q_proj", "model.layers.0.self_attn.q_proj"}, nil},
		"name of two":      {[]string{"model.layers.0.self_attn.q_proj", "model.layers.1.cross_attn.q_proj"}, 0, []string{"model.layers.0.self_attn.q_proj", "model.layers.1.cross_attn.q_proj"}, nil},
		"no product":       {append(layered([]int{0}, "self_attn.q_proj"), layered([]int{1}, "self_attn.v_proj")...), 12, []string{"model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.v_proj"}, nil},
		"one missing":      {layered([]int{0, 1}, "self_attn.q_proj", "self_attn.v_proj")[:3], 2, []string{"model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.1.self_attn.q_proj"}, nil},
		"ambiguous name":   {layered([]int{3}, "output.dense"), 12, []string{"model.layers.3.output.dense"}, nil},
		"outside a layer":  {[]string{"lm_head"}, 12, []string{"lm_head"}, nil},
		"layer and beside": {append(layered([]int{3}, "mlp.up_proj"), "lm_head"), 12, []string{"lm_head", "model.layers.3.mlp.up_proj"}, nil},
	}
	for name, c := range cases {
		sites := sample(c.modules...).Sites
		found := findTargets(sites, c.layers)
		if !slices.Equal(found.modules, c.want) || !slices.Equal(found.layers, c.chosen) {
			t.Errorf("%s: %v in layers %v, want %v in %v", name, found.modules, found.layers, c.want, c.chosen)
		}
		for _, module := range all {
			if got, want := found.adapts(module), slices.Contains(c.modules, module); got != want {
				t.Errorf("%s: PEFT adapts %s: %v, want %v", name, module, got, want)
			}
		}
	}
}

func TestTargetsOfTwoStacks(t *testing.T) {
	modules := []string{"model.encoder.layers.0.self_attn.q_proj", "model.decoder.layers.1.self_attn.q_proj"}
	found := findTargets(sample(modules...).Sites, 0)
	slices.Sort(modules)
	if !slices.Equal(found.modules, modules) || found.layers != nil {
		t.Errorf("got %v in layers %v, want whole paths", found.modules, found.layers)
	}
}
