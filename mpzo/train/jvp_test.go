package train_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// slopes are those of an estimator for the q directions of a seed, and its losses.
func slopes(t *testing.T, m *train.Model, b *data.Batch, e train.Estimator, loss data.Loss, at train.Probe, q int) (g, losses []float32) {
	t.Helper()
	g, losses = make([]float32, q), make([]float32, e.Losses(q))
	if err := e.Estimate(context.Background(), m, b, loss, at, losses, g); err != nil {
		t.Fatal(err)
	}
	return g, losses
}

// nearDifferences wants slopes to be the differences at ε: within what is left of
// their bias, and of two losses of about 6 that are rounded to 2^−21.
func nearDifferences(t *testing.T, what string, g []float32, differences []float64, eps float64) {
	t.Helper()
	off, size := 0.0, 0.0
	for i, d := range differences {
		off += (float64(g[i]) - d) * (float64(g[i]) - d)
		size += d * d
	}
	if allowed := 2e-3*math.Sqrt(size) + 1e-6/eps*math.Sqrt(float64(len(g))); !(math.Sqrt(off) <= allowed) {
		t.Errorf("%s: slopes %v, differences %v: %.2g apart, %.2g at most", what, g, differences, math.Sqrt(off), allowed)
	}
}

// extrapolated are the plain kernels' central differences along the directions of
// a seed, with the error of order ε² taken out.
func extrapolated(t *testing.T, m *train.Model, b *data.Batch, loss data.Loss, seed [2]uint32, eps float32, q int) []float64 {
	t.Helper()
	near, _ := slopes(t, m, b, train.PRGE{}, loss, train.Probe{Seed: seed, Eps: eps}, q)
	far, _ := slopes(t, m, b, train.PRGE{}, loss, train.Probe{Seed: seed, Eps: 2 * eps}, q)
	exact := make([]float64, q)
	for i := range exact {
		exact[i] = (4*float64(near[i]) - float64(far[i])) / 3
	}
	return exact
}

// Of every architecture, both losses, and LoRA at all sites and at one only, the
// slopes are those of differences, by plain kernels and by fast ones.
func TestExactSlopesOfEveryArchitecture(t *testing.T) {
	const q = 3
	registries := backends(t)
	eps := map[string]float32{"opt": 1.0 / 32768} // its ReLU bends everywhere
	for i, name := range []string{"llama3", "qwen2", "qwen3", "gpt2", "opt", "roberta"} {
		base := built(t, "tiny-random-"+name)
		if eps[name] == 0 {
			eps[name] = 1.0 / 1024
		}
		for _, lora := range lorasOf(base) {
			p := link(t, base, lora)
			random := rand.New(rand.NewPCG(21, uint64(i)))
			list := examples(random, 250, 3, 2)
			for _, loss := range []data.Loss{data.TokenLoss, data.ChoiceLoss} {
				t.Run(fmt.Sprint(name, " ", lora.Modules, lora.Layers, " ", loss), func(t *testing.T) {
					var b data.Batch
					pack := b.PackTokens
					if loss == data.ChoiceLoss {
						pack = b.PackChoices
					}
					must(t, pack(list, all(len(list))))
					seed := noise.StepSeed(5, uint64(i))
					plain := bind(t, p, registries["ref"], sizes(&b, 2*q, q), 2)
					start := func(m *train.Model) {
						must(t, m.Init(3))
						disturb(m, 4)
					}
					start(plain)
					want := extrapolated(t, plain, &b, loss, seed, eps[name], q)
					for _, backend := range []string{"ref", "cpu", "cpu-generic"} {
						m := plain
						if backend != "ref" {
							m = bind(t, p, registries[backend], sizes(&b, q, q), 2)
							start(m)
						}
						got, losses := slopes(t, m, &b, train.JVP{}, loss, train.Probe{Seed: seed}, q)
						nearDifferences(t, backend, got, want, float64(eps[name]))
						alone := make([]float32, 1)
						must(t, m.Losses(context.Background(), &b, loss, train.None, alone))
						near(t, backend+": loss", float64(losses[0]), float64(alone[0]), 2e-6)
					}
				})
			}
		}
	}
}

// lorasOf are LoRA at all sites, and at each module by itself in the last layer
// but one: all that lies below has no tangent, and of what attention and MLP read
// one input has.
func lorasOf(p *program.Program) []pass.LoRA {
	list := []pass.LoRA{gaussianLoRA(2)}
	for _, module := range []string{"q", "k", "up", "qkv", "fc2"} {
		for _, s := range p.Sites {
			if s.Module == module && s.Layer == 0 {
				lora := gaussianLoRA(2)
				lora.Modules, lora.Layers = []string{module}, []int{1}
				list = append(list, lora)
			}
		}
	}
	return list
}

// float64 autograd's derivative along a stored z, to the accuracy of float32: the
// slopes along many directions are those of a gradient, and the gradient's product
// with the stored z is what was stored.
func TestExactSlopesEqualAutograd(t *testing.T) {
	task := newTinyTask(t, "cpu", noise.Gaussian, 4, 4)
	gradient := task.oracle.gradient(task.model, task.list)
	length := math.Sqrt(dot(gradient, gradient))
	for step := range uint64(24) {
		seed := noise.StepSeed(77, step)
		g, _ := slopes(t, task.model, &task.batch, train.JVP{}, data.TokenLoss, train.Probe{Seed: seed}, 4)
		if off := math.Abs(float64(g[0]) - task.derivative(seed, gradient)); off > 3e-6*length {
			t.Errorf("direction %d: slope %g, float64 model %g, gradient %g long", step, g[0], task.derivative(seed, gradient), length)
		}
	}
}

// A slope's bits depend neither on threads nor on how many directions go together.
func TestExactSlopesHaveTheSameBits(t *testing.T) {
	p := link(t, built(t, "tiny-random-qwen3"), gaussianLoRA(3))
	b := raggedBatches(t, rand.New(rand.NewPCG(3, 3)), 250, 1)[0]
	registry := backends(t)["cpu"]
	var want []float32
	for _, threads := range []int{1, 2, 5} {
		m := bind(t, p, registry, sizes(b, 4, 4), threads)
		must(t, m.Init(3))
		disturb(m, 4)
		got, _ := slopes(t, m, b, train.JVP{}, data.TokenLoss, train.Probe{Seed: [2]uint32{1, 2}}, 4)
		fewer, _ := slopes(t, m, b, train.JVP{}, data.TokenLoss, train.Probe{Seed: [2]uint32{1, 2}}, 3)
		if want == nil {
			want = got
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(fewer) != fmt.Sprint(want[:3]) {
			t.Errorf("%d threads: slopes %v, three alone %v, want %v", threads, got, fewer, want)
		}
	}
}

// q tangents beside one copy take about the room of q + 1 copies.
func TestExactSlopesTakeNoMoreMemory(t *testing.T) {
	const q = 4
	base := built(t, "tiny-random-qwen3")
	without := graph.Lift(base)
	must(t, pass.InsertLoRA(without, gaussianLoRA(4)))
	arena := func(p *program.Program, width int) int {
		bounds := op.Extents{Width: width, N: 512, S: 8, R: 256, K: 8, G: 8, Q: q}
		return bind(t, p, backends(t)["cpu"], bounds, 2).Session().ArenaBytes()
	}
	slopes := arena(link(t, base, gaussianLoRA(4)), q)
	if differences := arena(lower(t, without), q+1); slopes > differences*11/10 {
		t.Errorf("slopes take an arena of %d bytes, q + 1 copies %d", slopes, differences)
	}
}

// A session that was not made for them has no slopes, and says so.
func TestNoSlopes(t *testing.T) {
	m := graph.Lift(built(t, "tiny-random-gpt2"))
	must(t, pass.InsertLoRA(m, gaussianLoRA(2)))
	b := raggedBatches(t, rand.New(rand.NewPCG(3, 3)), 250, 1)[0]
	none := bind(t, lower(t, m), backends(t)["ref"], sizes(b, 1, 1), 1)
	if err := none.Slopes(context.Background(), b, data.TokenLoss, [2]uint32{}, make([]float32, 1), make([]float32, 1)); err == nil {
		t.Error("slopes of a session that has none")
	}
}
