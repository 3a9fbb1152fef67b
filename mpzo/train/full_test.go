package train_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zeroth/graph"
	"zeroth/graph/model"
	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// full builds a toy program whose weights, of the given type, are all trained.
func full(t *testing.T, seed uint64, weights op.DType, sampler noise.Sampler) *program.Program {
	t.Helper()
	m, err := model.Build(toy{toyConfig(), seed}, model.Options{Weights: weights})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Materialise(); err != nil {
		t.Fatal(err)
	}
	if err := pass.TrainAll(m, sampler); err != nil {
		t.Fatal(err)
	}
	return lower(t, m)
}

func fullBatch(t *testing.T) *data.Batch {
	t.Helper()
	return raggedBatches(t, rand.New(rand.NewPCG(5, 6)), toyConfig().VocabSize, 6)[0]
}

// A perturbed loss is that of a model whose weights were perturbed beforehand:
// an update by −σε along z_i makes them so.
func TestFullLossesAreThoseOfPerturbedWeights(t *testing.T) {
	const eps = 0.01
	b, seed := fullBatch(t), noise.StepSeed(3, 9)
	for name, registry := range backends(t) {
		for _, sampler := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
			m := bind(t, full(t, 1, op.F32, sampler), registry, sizes(b, 1, 3), 2)
			plain, _ := bothLosses(t, m, b, train.None)
			for j := range 4 {
				perturbed, choices := bothLosses(t, m, b, train.Perturbation{Seed: seed, First: j, Copies: 1, Eps: eps})
				if perturbed[0] == plain[0] {
					t.Errorf("%s: copy %d is not perturbed", name, j)
				}
				moved := bind(t, full(t, 1, op.F32, sampler), registry, sizes(b, 1, 3), 2)
				g := make([]float32, j/2+1) // the last of them moves
				g[j/2] = float32(len(g)) * float32(j%2*2-1)
				if err := moved.Update(context.Background(), seed, g, eps); err != nil {
					t.Fatal(err)
				}
				want, wantChoices := bothLosses(t, moved, b, train.None)
				near(t, "loss", float64(perturbed[0]), float64(want[0]), 1e-5)
				near(t, "choice loss", float64(choices[0]), float64(wantChoices[0]), 1e-5)
			}
			again, _ := bothLosses(t, m, b, train.None)
			if again[0] != plain[0] {
				t.Errorf("%s: the weights were %g, are %g after perturbed passes", name, plain[0], again[0])
			}
		}
	}
}

// steps trains for a while and gives the losses before and after.
func steps(t *testing.T, m *train.Model, b *data.Batch, n int, lr float32) (before, after float32) {
	t.Helper()
	const q, eps = 4, 1e-2
	first, _ := bothLosses(t, m, b, train.None)
	losses, g := make([]float32, 2*q), make([]float32, q)
	for step := range n {
		at := train.Probe{Seed: noise.StepSeed(1, uint64(step)), Eps: eps}
		if err := (train.MeZO{}).Estimate(context.Background(), m, b, data.TokenLoss, at, losses, g); err != nil {
			t.Fatal(err)
		}
		if err := m.Update(context.Background(), at.Seed, g, lr); err != nil {
			t.Fatal(err)
		}
	}
	last, _ := bothLosses(t, m, b, train.None)
	return first[0], last[0]
}

// All weights learn, f32 and bf16, and twice to the same bits whatever the threads.
func TestFullLearns(t *testing.T) {
	b := fullBatch(t)
	registry := backends(t)["cpu"]
	for _, weights := range []op.DType{op.F32, op.BF16} {
		var first *program.Program
		for _, threads := range []int{1, 3} {
			p := full(t, 2, weights, noise.Gaussian)
			m := bind(t, p, registry, sizes(b, 1, 4), threads)
			before, after := steps(t, m, b, 150, 1e-3)
			if !(after < before-0.3) {
				t.Errorf("%s: the loss went from %g to %g", weights, before, after)
			}
			if first == nil {
				first = p
				continue
			}
			for i, slot := range p.Slots {
				if !bytes.Equal(slot.Data, first.Slots[i].Data) {
					t.Errorf("%s: %s differs with %d threads", weights, slot.Name, threads)
				}
			}
		}
	}
}

// A step far below the last bit of bf16 moves the weights on average.
func TestSmallStepsOfBF16AreNotLost(t *testing.T) {
	p := full(t, 4, op.BF16, noise.Rademacher)
	b := fullBatch(t)
	m := bind(t, p, backends(t)["cpu"], sizes(b, 1, 1), 1)
	at := slices.IndexFunc(p.Slots, func(s program.Slot) bool { return s.Type.DType == op.BF16 })
	before := bytes.Clone(p.Slots[at].Data)
	for range 20 {
		if err := m.Update(context.Background(), noise.StepSeed(1, 1), []float32{1}, 1e-5); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(before, p.Slots[at].Data) {
		t.Error("no element has changed")
	}
}

func TestFullRefuses(t *testing.T) {
	p := full(t, 1, op.F32, noise.Gaussian)
	b := fullBatch(t)
	m := bind(t, p, backends(t)["cpu"], sizes(b, 2, 1), 1)
	err := m.Losses(context.Background(), b, data.TokenLoss, train.Perturbation{Copies: 2, Eps: 1}, make([]float32, 2))
	if !errors.Is(err, train.ErrSettings) {
		t.Errorf("two copies at once: %v", err)
	}
	if _, err := train.NewMover(m, train.Moves{Optimizer: "muon"}); !errors.Is(err, train.ErrSettings) {
		t.Errorf("moments of all weights: %v", err)
	}
	config := toyConfig()
	c := float64(m.Parameters())
	want := float64(config.VocabSize*config.HiddenSize + config.HiddenSize)
	want += float64(config.Layers * (2*config.HiddenSize + 16*16*2 + 8*16*2 + 3*24*16))
	if math.Abs(c-want) > 0 {
		t.Errorf("%g parameters, want %g", c, want)
	}
	quantised, err := model.Build(toy{config, 1}, model.Options{Weights: op.I8})
	if err != nil {
		t.Fatal(err)
	}
	if err := quantised.Materialise(); err != nil {
		t.Fatal(err)
	}
	if err := pass.TrainAll(quantised, noise.Gaussian); !errors.Is(err, pass.ErrFull) {
		t.Errorf("i8 weights: %v", err)
	}
	if err := pass.TrainAll(graph.Lift(build(t, toy{config, 1})), noise.Gaussian); err != nil {
		t.Errorf("weights that are in memory: %v", err)
	}
}
