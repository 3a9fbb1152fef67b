package train_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// withCores puts cores into a program.
func withCores(t testing.TB, p *program.Program, lora pass.LoRA) *program.Program {
	t.Helper()
	m := graph.Lift(p)
	if err := pass.InsertCore(m, lora); err != nil {
		t.Fatal(err)
	}
	return lower(t, m)
}

// Widened passes over cores give what copies alone give, and what a core made
// by hand gives.
func TestCoresWidened(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 17))
	config := randomConfig(random)
	p := build(t, toy{config, 4})
	for name, registry := range backends(t) {
		for _, lora := range []pass.LoRA{
			gaussianLoRA(3),
			{Rank: 2, Alpha: 3, Sampler: noise.Rademacher, Modules: []string{"down", "v"}, Layers: []int{config.Layers - 1}},
		} {
			t.Run(fmt.Sprintf("%s/rank%d", name, lora.Rank), func(t *testing.T) {
				for _, b := range raggedBatches(t, random, config.VocabSize, 3) {
					sameAsSequential(t, withCores(t, p, lora), registry, lora.Sampler, b, 1, 3)
				}
			})
		}
	}
}

// An adapter made of cores takes a program with LoRA to the same losses.
func TestCoreIsAnAdapter(t *testing.T) {
	for _, interleaved := range []bool{false, true} {
		config := toyConfig()
		config.Interleaved = interleaved
		p := build(t, toy{config, 2})
		list := examples(rand.New(rand.NewPCG(8, 2)), config.VocabSize, 4, 2)
		var b data.Batch
		if err := b.PackChoices(list, all(4)); err != nil {
			t.Fatal(err)
		}
		for name, registry := range backends(t) {
			cores := bind(t, withCores(t, p, gaussianLoRA(3)), registry, sizes(&b, 2, 1), 1)
			must(t, cores.Init(4))
			if got, want := cores.Parameters(), 9*len(cores.Sites()); got != want {
				t.Errorf("%d values are trained, want %d", got, want)
			}
			before, _ := bothLosses(t, cores, &b, train.None)
			must(t, cores.Update(context.Background(), [2]uint32{4, 5}, []float32{1}, 0.3))
			losses, choices := bothLosses(t, cores, &b, train.None)
			if losses[0] == before[0] {
				t.Fatal("the update moved nothing")
			}
			a, err := cores.Adapter()
			if err != nil {
				t.Fatal(err)
			}
			m := bind(t, link(t, p, gaussianLoRA(3)), registry, sizes(&b, 2, 1), 1)
			must(t, m.SetAdapter(a))
			wantLosses, wantChoices := bothLosses(t, m, &b, train.None)
			near(t, name+": loss", float64(losses[0]), float64(wantLosses[0]), 2*sameLoss)
			near(t, name+": choice loss", float64(choices[0]), float64(wantChoices[0]), 2*sameLoss)

			// It cannot be gone on with, but its A can be begun at.
			if err := cores.SetAdapter(a); !errors.Is(err, train.ErrAdapter) || !strings.Contains(err.Error(), "B is not 0") {
				t.Errorf("%s: an adapter with a B: %v", name, err)
			}
			for _, loraB := range a.B {
				clear(loraB)
			}
			must(t, cores.SetAdapter(a))
			if losses, _ := bothLosses(t, cores, &b, train.None); losses[0] != before[0] {
				t.Errorf("%s: from an adapter with B = 0 the loss is %g, want %g", name, losses[0], before[0])
			}
		}
	}
}

// Two sites, or two runs, have other U; one run's is the same again.
func TestCoreStart(t *testing.T) {
	m := bind(t, withCores(t, build(t, toy{toyConfig(), 2}), gaussianLoRA(3)), backends(t)["ref"], op.Extents{Q: 1}, 1)
	u := func(seed uint64, site string) []float32 {
		must(t, m.Init(seed))
		for i, s := range m.Session().Program().Slots {
			if s.Name == site+".core_U" {
				return slices.Clone(slot(m, i))
			}
		}
		t.Fatalf("no U at %s", site)
		return nil
	}
	const q, o = "model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.o_proj"
	first := u(1, q)
	if !slices.Equal(first, u(1, q)) || slices.Equal(first, u(2, q)) || slices.Equal(first, u(1, o)) {
		t.Error("U must follow from the run's seed and the site")
	}
	if slices.Equal(first[:8], slot(m, m.Sites()[0].A)[:8]) {
		t.Error("U is drawn as V is")
	}
}

// A file may hold anything under the names of a core.
func TestMalformedCores(t *testing.T) {
	registry := backends(t)["ref"]
	for name, change := range map[string]func(m *graph.Module){
		"no U":           func(m *graph.Module) { m.Slots[1].Name = "else" },
		"no V":           func(m *graph.Module) { m.Slots[0].Name = "else" },
		"U and V change": func(m *graph.Module) { m.Slots[0].Name, m.Slots[1].Name = m.Slots[1].Name, m.Slots[0].Name },
		"R is a vector": func(m *graph.Module) {
			m.Slots[2].Name = "else"
			m.Slots = append(m.Slots, &graph.Slot{
				Name: m.Sites[0].Name + ".core_R", Type: op.Type{DType: op.F32, Shape: []op.Dim{op.C(9)}},
			})
		},
	} {
		m := graph.Lift(build(t, toy{toyConfig(), 2}))
		if err := pass.InsertCore(m, gaussianLoRA(3)); err != nil {
			t.Fatal(err)
		}
		change(m)
		s, err := executor.New(lower(t, m), registry, executor.Options{Bounds: coreBounds, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := train.NewModel(s); !errors.Is(err, train.ErrProgram) {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

var coreBounds = op.Extents{Width: 2, N: 4, S: 2, R: 2, K: 2, G: 2, Q: 1}
