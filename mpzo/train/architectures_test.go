package train_test

import (
	"math/rand/v2"
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/internal/testdata"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"
)

// built makes a program of a shared model of any architecture.
func built(t *testing.T, name string) *program.Program {
	t.Helper()
	c, err := importer.Open(testdata.Shared(t, "models/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := model.Build(c, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	return lower(t, m)
}

// With LoRA at all sites of each architecture, the copies of a widened pass
// are those of passes one by one.
func TestWidenedEqualsSequentialForEveryArchitecture(t *testing.T) {
	registries := backends(t)
	for i, name := range []string{"llama3", "qwen2", "qwen3", "gpt2", "opt", "roberta"} {
		t.Run(name, func(t *testing.T) {
			base := built(t, "tiny-random-"+name)
			lora := gaussianLoRA(3)
			if i%2 == 1 {
				lora.Sampler = noise.Rademacher
			}
			p := link(t, base, lora)
			batches := raggedBatches(t, rand.New(rand.NewPCG(11, uint64(i))), 250, 2)
			sameAsSequential(t, p, registries["cpu"], lora.Sampler, batches[0], 1, 4)
			sameAsSequential(t, p, registries["cpu-generic"], lora.Sampler, batches[1], 2)
			sameAsSequential(t, p, registries["ref"], lora.Sampler, batches[1], 1)
		})
	}
}

// An adapter goes out under the names of Hugging Face's modules and comes back.
func TestAdapterOfEveryArchitecture(t *testing.T) {
	registry := backends(t)["ref"]
	for name, module := range map[string]string{
		"qwen3": "model.layers.1.self_attn.q_proj", "gpt2": "transformer.h.2.attn.c_attn",
		"opt": "model.decoder.layers.2.self_attn.out_proj", "roberta": "roberta.encoder.layer.2.attention.self.query",
	} {
		p := link(t, built(t, "tiny-random-"+name), gaussianLoRA(2))
		batch := raggedBatches(t, rand.New(rand.NewPCG(12, 13)), 250, 1)[0]
		m := bind(t, p, registry, sizes(batch, 1, 1), 1)
		must(t, m.Init(5))
		disturb(m, 6)
		a, err := m.Adapter()
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, site := range a.Sites {
			found = found || site.Module == module
		}
		if !found || len(a.Sites) != len(p.Sites) {
			t.Errorf("%s: %d sites of %d, %s among them: %v", name, len(a.Sites), len(p.Sites), module, found)
		}
		if a.FanInFanOut != (name == "gpt2") || a.Masked != (name == "roberta") {
			t.Errorf("%s: fan_in_fan_out %v, masked %v", name, a.FanInFanOut, a.Masked)
		}
		before := string(bytesOf(m))
		must(t, m.Init(99))
		if err := m.SetAdapter(a); err != nil {
			t.Fatal(err)
		}
		if string(bytesOf(m)) != before {
			t.Errorf("%s: the adapter comes back changed", name)
		}
	}
}
