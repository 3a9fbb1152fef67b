package importer

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// The shapes make the numbers of parameters that the models are published with
// (model pages on huggingface.co; of a tied head once).
func TestPublishedShapes(t *testing.T) {
	want := map[string]int64{
		"gpt2": 124_439_808, "gpt2-medium": 354_823_168, "gpt2-large": 774_030_080, "gpt2-xl": 1_557_611_200,
		"roberta-base": 124_697_433, "roberta-large": 355_412_057,
		"opt-125m": 125_239_296, "opt-350m": 331_196_416, "opt-1.3b": 1_315_758_080, "opt-2.7b": 2_651_596_800,
		"opt-6.7b": 6_658_473_984, "opt-13b": 12_853_473_280,
		"tinyllama-1.1b": 1_100_048_384, "llama-2-7b": 6_738_415_616, "llama-2-13b": 13_015_864_320,
		"llama-3-8b": 8_030_261_248, "llama-3.2-1b": 1_235_814_400, "llama-3.2-3b": 3_212_749_824,
		"qwen2.5-0.5b": 494_032_768, "qwen2.5-1.5b": 1_543_714_304, "qwen2.5-7b": 7_615_616_512,
		"qwen3-0.6b": 596_049_920, "qwen3-1.7b": 1_720_574_976, "qwen3-4b": 4_022_468_096,
	}
	if len(PublishedNames()) != len(want) {
		t.Errorf("%d models, %d numbers", len(PublishedNames()), len(want))
	}
	for _, name := range PublishedNames() {
		c, err := NewSynthetic(name, Synthetic{})
		if err != nil {
			t.Error(err)
			continue
		}
		if err := Validate(c); err != nil {
			t.Error(err)
		}
		parameters := int64(0)
		for weight := range c.Config().Weights() {
			parameters += elements(weight.Shape)
		}
		if parameters != want[name] {
			t.Errorf("%s has %d parameters, published are %d", name, parameters, want[name])
		}
	}
}

func TestSyntheticWeights(t *testing.T) {
	for name, spread := range map[string]float64{"gpt2": 0.02, "roberta-base": 0.02, "opt-125m": 0.006, "qwen3-0.6b": 0.02} {
		c := newSynthetic(t, name, Synthetic{Seed: 3, Layers: 1})
		if c.Config().Layers != 1 {
			t.Errorf("%d layers", c.Config().Layers)
		}
		for _, weight := range c.Names() {
			info, err := c.Tensor(weight)
			if err != nil {
				t.Fatal(err)
			}
			if info.Shape[0] > 4096 {
				continue // the embedding takes long
			}
			values := readWeight(t, c, weight)
			if len(info.Shape) == 1 {
				if least, most := slices.Min(values), slices.Max(values); least != most || least != 0 && least != 1 {
					t.Errorf("%s %s: %g to %g", name, weight, least, most)
				}
				continue
			}
			sum, squares := 0.0, 0.0
			for _, v := range values {
				sum += float64(v)
				squares += float64(v) * float64(v)
			}
			n := float64(len(values))
			want := spread
			if name == "gpt2" && (weight == "transformer.h.0.attn.c_proj.weight" || weight == "transformer.h.0.mlp.c_proj.weight") {
				want /= math.Sqrt2
			}
			// Five standard errors of the mean and of the deviation.
			if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 5*want/math.Sqrt(n) || math.Abs(deviation/want-1) > 5/math.Sqrt(2*n) {
				t.Errorf("%s %s: mean %g, deviation %g, want 0 and %g", name, weight, mean, deviation, want)
			}
		}
	}
}

func newSynthetic(t *testing.T, name string, o Synthetic) Checkpoint {
	t.Helper()
	c, err := NewSynthetic(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Weights are a function of seed and name; a shortened model begins as the whole.
func TestSyntheticWeightsDiffer(t *testing.T) {
	const query, key = "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.weight"
	read := func(o Synthetic, name string) []float32 {
		row := make([]float32, 2048)
		if err := newSynthetic(t, "tinyllama-1.1b", o).ReadRows(name, 17, row); err != nil {
			t.Fatal(err)
		}
		return row
	}
	first := read(Synthetic{Seed: 1}, query)
	if !slices.Equal(first, read(Synthetic{Seed: 1, Layers: 2, Outliers: true}, query)) {
		t.Error("the same weight differs")
	}
	if slices.Equal(first, read(Synthetic{Seed: 2}, query)) || slices.Equal(first, read(Synthetic{Seed: 1 << 32}, query)) {
		t.Error("another seed gives the same weight")
	}
	if slices.Equal(first, read(Synthetic{Seed: 1}, key)) {
		t.Error("another name gives the same weight")
	}
}

func TestSyntheticOutliers(t *testing.T) {
	c := newSynthetic(t, "llama-2-7b", Synthetic{Outliers: true})
	norm := make([]float32, 4096)
	if err := c.ReadF32("model.layers.31.input_layernorm.weight", norm); err != nil {
		t.Fatal(err)
	}
	outliers := 0
	for _, v := range norm {
		if v == 20 {
			outliers++
		} else if v != 1 {
			t.Fatalf("scale %g", v)
		}
	}
	if outliers != 6 {
		t.Errorf("%d outliers of 4096 channels, want 6", outliers)
	}
}

func TestSyntheticRefuses(t *testing.T) {
	for _, wrong := range []struct {
		name   string
		layers int
	}{{"llama-9", 0}, {"", 0}, {"gpt2", -1}, {"gpt2", 13}} {
		if _, err := NewSynthetic(wrong.name, Synthetic{Layers: wrong.layers}); !errors.Is(err, ErrArgument) {
			t.Errorf("%q with %d layers: %v", wrong.name, wrong.layers, err)
		}
	}
	c := newSynthetic(t, "gpt2", Synthetic{Layers: 2})
	if err := c.ReadF32("transformer.h.2.ln_1.weight", make([]float32, 768)); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
