package train_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"
)

// tolerance of a loss between one widened pass and passes of one copy.
const sameLoss = 1e-6

// sameAsSequential runs the P = 2q copies of a batch in one widened pass, one
// by one at First = j, and one by one without a perturbation on B ± εz made in
// the test, and wants the losses to be the same.
func sameAsSequential(t *testing.T, p *program.Program, registry *kernel.Registry, sampler noise.Sampler, b *data.Batch, queries ...int) {
	t.Helper()
	most := 0
	for _, q := range queries {
		most = max(most, q)
	}
	m := bind(t, p, registry, sizes(b, 2*most, most), 2)
	must(t, m.Init(7))
	disturb(m, 3)
	start := snapshot(m.Snapshot())
	seed, eps := noise.StepSeed(11, 4), float32(0.03)
	single := make([][2]float32, 2*most) // losses and choice_losses of each copy alone
	distinct := false
	for j := range single {
		losses, choices := bothLosses(t, m, b, train.Perturbation{Seed: seed, First: j, Copies: 1, Eps: eps})
		single[j] = [2]float32{losses[0], choices[0]}
		distinct = distinct || single[j][0] != single[0][0]
		perturbed(m, start, sampler, seed, j, eps)
		losses, choices = bothLosses(t, m, b, train.None)
		near(t, fmt.Sprintf("copy %d alone: loss", j), float64(single[j][0]), float64(losses[0]), sameLoss)
		near(t, fmt.Sprintf("copy %d alone: choice loss", j), float64(single[j][1]), float64(choices[0]), sameLoss)
		must(t, m.Restore(start))
	}
	if !distinct {
		t.Errorf("all copies have the loss %g: nothing was perturbed", single[0][0])
	}
	for _, q := range queries {
		losses, choices := bothLosses(t, m, b, train.Perturbation{Seed: seed, Copies: 2 * q, Eps: eps})
		for j := range losses {
			near(t, fmt.Sprintf("q %d copy %d: loss", q, j), float64(losses[j]), float64(single[j][0]), sameLoss)
			near(t, fmt.Sprintf("q %d copy %d: choice loss", q, j), float64(choices[j]), float64(single[j][1]), sameLoss)
		}
	}
}

// raggedBatches packs the same examples in both ways.
func raggedBatches(t *testing.T, random *rand.Rand, vocab, count int) []*data.Batch {
	t.Helper()
	list := examples(random, vocab, count, 2+random.IntN(2))
	var tokens, choices data.Batch
	if err := tokens.PackTokens(list, all(count)); err != nil {
		t.Fatal(err)
	}
	if err := choices.PackChoices(list, all(count)); err != nil {
		t.Fatal(err)
	}
	return []*data.Batch{&tokens, &choices}
}

func TestWidenedEqualsSequentialOnRandomModels(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for model := range 9 {
		config := randomConfig(random)
		base := build(t, toy{config, uint64(model)})
		lora := gaussianLoRA(1 + random.IntN(5))
		if model%3 == 0 {
			lora.Sampler = noise.Rademacher
		}
		p := link(t, base, lora)
		batches := raggedBatches(t, random, config.VocabSize, 1+random.IntN(5))
		for name, registry := range backends(t) {
			t.Run(fmt.Sprintf("%d/%s", model, name), func(t *testing.T) {
				for _, b := range batches {
					sameAsSequential(t, p, registry, lora.Sampler, b, 1, 2, 3, 4, 8)
				}
			})
		}
	}
}

func TestWidenedEqualsSequentialForEverySubsetOfModules(t *testing.T) {
	modules := []string{"q", "k", "v", "o", "gate", "up", "down"}
	config := toyConfig()
	config.HiddenSize, config.IntermediateSize, config.Layers, config.Interleaved = 9, 11, 2, true
	base := build(t, toy{config, 5})
	random := rand.New(rand.NewPCG(3, 4))
	batches := raggedBatches(t, random, config.VocabSize, 3)
	registries := backends(t)
	for _, name := range []string{"ref", "cpu"} {
		t.Run(name, func(t *testing.T) {
			registry := registries[name]
			for mask := 1; mask < 1<<len(modules); mask++ {
				lora := gaussianLoRA(2)
				for i, module := range modules {
					if mask>>i&1 == 1 {
						lora.Modules = append(lora.Modules, module)
					}
				}
				p := link(t, base, lora)
				sameAsSequential(t, p, registry, lora.Sampler, batches[mask%2], 2)
				if t.Failed() {
					t.Fatalf("modules %q", lora.Modules)
				}
			}
		})
	}
}

func TestWidenedEqualsSequentialForEveryLayerRange(t *testing.T) {
	config := toyConfig()
	config.Layers = 4
	base := build(t, toy{config, 6})
	random := rand.New(rand.NewPCG(5, 6))
	batches := raggedBatches(t, random, config.VocabSize, 4)
	for name, registry := range backends(t) {
		t.Run(name, func(t *testing.T) {
			for first := range config.Layers {
				for last := first; last < config.Layers; last++ {
					lora := gaussianLoRA(3)
					for layer := first; layer <= last; layer++ {
						lora.Layers = append(lora.Layers, layer)
					}
					sameAsSequential(t, link(t, base, lora), registry, lora.Sampler, batches[last%2], 1, 3)
				}
			}
		})
	}
}

// A site set that no product of modules and layers gives.
func TestWidenedEqualsSequentialForSingleSites(t *testing.T) {
	config := toyConfig()
	base := build(t, toy{config, 8})
	batches := raggedBatches(t, rand.New(rand.NewPCG(7, 8)), config.VocabSize, 3)
	for name, registry := range backends(t) {
		t.Run(name, func(t *testing.T) {
			for i, site := range base.Sites {
				other := base.Sites[(i+5)%len(base.Sites)]
				lora := pass.LoRA{Rank: 2, Alpha: 4, Sampler: noise.Gaussian, Sites: []string{site.Name, other.Name}}
				sameAsSequential(t, link(t, base, lora), registry, lora.Sampler, batches[i%2], 2)
			}
		})
	}
}

func TestWidenedEqualsSequentialOnStories(t *testing.T) {
	base := checkpoint(t, "stories260K/stories260K.bin")
	batches := raggedBatches(t, rand.New(rand.NewPCG(9, 10)), 512, 4)
	registries := backends(t)
	for _, c := range []struct {
		name, registry string
		lora           pass.LoRA
		queries        []int
	}{
		{"all/ref", "ref", gaussianLoRA(4), []int{1, 2}},
		{"all/cpu", "cpu", gaussianLoRA(16), []int{1, 2, 3, 4, 8}},
		{"upper layers/cpu", "cpu", pass.LoRA{Rank: 8, Alpha: 16, Sampler: noise.Rademacher, Layers: []int{3, 4}}, []int{4, 8}},
		{"q and v/cpu", "cpu", pass.LoRA{Rank: 8, Alpha: 16, Sampler: noise.Gaussian, Modules: []string{"q", "v"}}, []int{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, b := range batches {
				sameAsSequential(t, link(t, base, c.lora), registries[c.registry], c.lora.Sampler, b, c.queries...)
			}
		})
	}
}
