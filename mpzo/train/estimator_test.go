package train_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
)

// tinyTask is a one-layer model with LoRA at q and v, some examples, and the
// model in float64.
type tinyTask struct {
	model  *train.Model
	batch  data.Batch
	list   []data.Example
	oracle *oracle
	start  [][]float32
}

func newTinyTask(t *testing.T, backend string, sampler noise.Sampler, width, queries int) *tinyTask {
	t.Helper()
	config := toyConfig()
	config.HiddenSize, config.IntermediateSize, config.Layers, config.VocabSize = 8, 12, 1, 11
	checkpoint := toy{config, 21}
	const rank, alpha = 2, 8
	p := link(t, build(t, checkpoint), pass.LoRA{Rank: rank, Alpha: alpha, Sampler: sampler, Modules: []string{"q", "v", "o"}})
	task := &tinyTask{list: examples(rand.New(rand.NewPCG(31, 32)), config.VocabSize, 4, 1)}
	if err := task.batch.PackTokens(task.list, all(len(task.list))); err != nil {
		t.Fatal(err)
	}
	task.model = bind(t, p, backends(t)[backend], sizes(&task.batch, width, queries), 1)
	must(t, task.model.Init(3))
	disturb(task.model, 4)
	task.start = snapshot(task.model.Snapshot())
	task.oracle = newOracle(t, checkpoint, task.model, rank, alpha/rank)
	return task
}

// The float64 model and the kernels agree, over random shapes, on the losses of
// B that is not zero: the gradient below is that of what the kernels compute.
func TestLossesEqualFloat64Model(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 42))
	for model := range 10 {
		config := randomConfig(random)
		checkpoint := toy{config, uint64(model)}
		p := link(t, build(t, checkpoint), gaussianLoRA(3))
		list := examples(random, config.VocabSize, 4, 2)
		var b data.Batch
		if err := b.PackTokens(list, all(len(list))); err != nil {
			t.Fatal(err)
		}
		for name, registry := range backends(t) {
			m := bind(t, p, registry, sizes(&b, 1, 1), 1)
			must(t, m.Init(5))
			disturb(m, 6)
			losses, _ := bothLosses(t, m, &b, train.None)
			near(t, name, float64(losses[0]), newOracle(t, checkpoint, m, 3, 2).loss(list), 2e-6)
		}
	}
}

// meanDirection is Σ g z / n over n directions, found and applied by the
// product's own parts: Estimate for g, Update with lr = 1 for the sum.
func (task *tinyTask) meanDirection(t *testing.T, estimator train.Estimator, runSeed uint64, n, queries int) []float64 {
	t.Helper()
	var mean []float64
	losses, g := make([]float32, estimator.Losses(queries)), make([]float32, queries)
	steps := n / queries
	for step := range steps {
		seed := noise.StepSeed(runSeed, uint64(step))
		err := estimator.Estimate(context.Background(), task.model, &task.batch, data.TokenLoss,
			train.Probe{Seed: seed, Eps: 1e-3}, losses, g)
		if err != nil {
			t.Fatal(err)
		}
		if err := task.model.Update(context.Background(), seed, g, 1); err != nil {
			t.Fatal(err)
		}
		mean = addDifference(mean, task.start, snapshot(task.model.Snapshot()), 1/float64(steps))
		must(t, task.model.Restore(task.start))
	}
	return mean
}

// addDifference adds scale · (from − to) to sum.
func addDifference(sum []float64, from, to [][]float32, scale float64) []float64 {
	i := 0
	fresh := sum == nil
	for s := range from {
		for e := range from[s] {
			if fresh {
				sum = append(sum, 0)
			}
			sum[i] += scale * (float64(from[s][e]) - float64(to[s][e]))
			i++
		}
	}
	return sum
}

func cosine(a, b []float64) float64 {
	return dot(a, b) / math.Sqrt(dot(a, a)*dot(b, b))
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// With z of mean 0, variance 1 and fourth moment κ, E[(∇·z) z] = ∇ and
// E|mean of n|² = |∇|² (1 + (d − 2 + κ)/n) when the gradient is spread out, so
// the cosine to ∇ is near √(n / (n + d − 2 + κ)): κ = 3 for Gaussian z, 1 for
// Rademacher. Averaged over 12 runs its standard error is below 0.03.
func TestMeanOfDirectionsApproachesGradient(t *testing.T) {
	const runs, queries = 12, 8
	for _, sampler := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
		task := newTinyTask(t, "ref", sampler, 2*queries, queries)
		gradient := task.oracle.gradient(task.model, task.list)
		d, kappa := float64(len(gradient)), 3.0
		if sampler == noise.Rademacher {
			kappa = 1
		}
		before := 0.0
		for _, n := range []int{8, 32, 128, 512} {
			mean := 0.0
			for run := range runs {
				mean += cosine(task.meanDirection(t, train.PRGE{}, uint64(1000*n+run), n, queries), gradient) / runs
			}
			want := math.Sqrt(float64(n) / (float64(n) + d - 2 + kappa))
			t.Logf("%s: d %g, n %d: cosine %.3f, theory %.3f", sampler, d, n, mean, want)
			if math.Abs(mean-want) > 0.06 || mean <= before {
				t.Errorf("%s: d %g, n %d: cosine %.3f, theory says %.3f; %.3f with fewer", sampler, d, n, mean, want, before)
			}
			before = mean
		}
	}
}

// Of passes of eight copies a shared baseline leaves seven for directions, ± pairs
// four: for the same rows the cosine to the gradient is as of 7/4 as many.
func TestCosinePerForwardRow(t *testing.T) {
	const runs, copies = 12, 8
	task := newTinyTask(t, "ref", noise.Rademacher, copies, copies-1)
	gradient := task.oracle.gradient(task.model, task.list)
	d := float64(len(gradient))
	for _, passes := range []int{2, 8, 32} {
		var reached []float64
		for _, c := range []struct {
			estimator train.Estimator
			queries   int
		}{{train.PRGE{}, copies / 2}, {train.FZOO{}, copies - 1}} {
			n, mean := c.queries*passes, 0.0
			for run := range runs {
				mean += cosine(task.meanDirection(t, c.estimator, uint64(1000*n+run), n, c.queries), gradient) / runs
			}
			want := math.Sqrt(float64(n) / (float64(n) + d - 1))
			t.Logf("%s: %d copies, %d directions of %g: cosine %.3f, theory %.3f", c.estimator.Name(), copies*passes, n, d, mean, want)
			if math.Abs(mean-want) > 0.06 {
				t.Errorf("%s, %d directions: cosine %.3f, theory says %.3f", c.estimator.Name(), n, mean, want)
			}
			reached = append(reached, mean)
		}
		if reached[1] <= reached[0] {
			t.Errorf("%d passes: %.3f from one side, %.3f from both", passes, reached[1], reached[0])
		}
	}
}

// derivative is the float64 directional derivative along z of query 0.
func (task *tinyTask) derivative(seed [2]uint32, gradient []float64) float64 {
	sum, i := 0.0, 0
	for _, site := range task.model.Sites() {
		z := make([]float32, len(slot(task.model, site.B)))
		noise.Gaussian.Fill(z, seed, site.ID, 0, 0)
		for _, v := range z {
			sum += float64(v) * gradient[i]
			i++
		}
	}
	return sum
}

// The slope between ± pairs is off by c ε² + O(ε⁴), that from a baseline by
// c ε + O(ε²): halving ε divides it by 4 or 2.
func TestBiasOfSlopes(t *testing.T) {
	checkBias(t, train.PRGE{}, 0.02, 4, 0.6)
	checkBias(t, train.MeZO{}, 0.02, 4, 0.6)
	checkBias(t, train.FZOO{}, 0.002, 2, 0.3)
}

// checkBias wants the ratio of the bias at ε and ε/2 within a margin of that of
// the order, and the slope at ε/10 next to the derivative.
func checkBias(t *testing.T, estimator train.Estimator, eps float32, want, margin float64) {
	t.Helper()
	task := newTinyTask(t, "ref", noise.Gaussian, 2, 1)
	gradient := task.oracle.gradient(task.model, task.list)
	length := math.Sqrt(dot(gradient, gradient))
	checked := 0
	for step := range uint64(24) {
		seed := noise.StepSeed(77, step)
		exact := task.derivative(seed, gradient)
		bias := func(eps float32) float64 {
			losses, g := make([]float32, estimator.Losses(1)), make([]float32, 1)
			err := estimator.Estimate(context.Background(), task.model, &task.batch, data.TokenLoss,
				train.Probe{Seed: seed, Eps: eps}, losses, g)
			if err != nil {
				t.Fatal(err)
			}
			return float64(g[0]) - exact
		}
		if off := math.Abs(bias(eps / 10)); off > 5e-3*length {
			t.Errorf("%s, direction %d: the slope at ε %g is %g off, the gradient is %g long", estimator.Name(), step, eps/10, off, length)
		}
		large, small := bias(eps), bias(eps/2)
		if math.Abs(small) < 50*1e-7/float64(eps/2) {
			continue // float32 losses hide a bias that small
		}
		checked++
		if ratio := large / small; math.Abs(ratio-want) > margin {
			t.Errorf("%s, direction %d: bias %g at ε %g, %g at half of it: ratio %.2f, want about %g", estimator.Name(), step, large, eps, small, ratio, want)
		}
	}
	if checked < 5 {
		t.Errorf("%s: only %d directions have a bias that can be measured", estimator.Name(), checked)
	}
}

// On L(B) = ½ Σ a (B − target)² the two-point difference is exact at any ε, and
// its noise vanishes with the gradient: SGD by "update" ends at the target.
func TestQuadraticConverges(t *testing.T) {
	for _, backend := range []string{"ref", "cpu"} {
		for _, sampler := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
			const queries = 4
			task := newTinyTask(t, backend, sampler, 1, queries)
			m := task.model
			random := rand.New(rand.NewPCG(51, 52))
			var curvature, target [][]float64
			for _, site := range m.Sites() {
				var a, b []float64
				for range slot(m, site.B) {
					a, b = append(a, 0.5+random.Float64()), append(b, random.NormFloat64())
				}
				curvature, target = append(curvature, a), append(target, b)
			}
			loss := func() float64 {
				sum := 0.0
				for i, site := range m.Sites() {
					for e, v := range slot(m, site.B) {
						off := float64(v) - target[i][e]
						sum += curvature[i][e] * off * off / 2
					}
				}
				return sum
			}
			first := loss()
			lr := float32(queries) / float32(m.Parameters()+queries+1) / 1.5
			for step := range uint64(1500) {
				seed, start := noise.StepSeed(61, step), snapshot(m.Snapshot())
				g := make([]float32, queries)
				for i := range g {
					perturbed(m, start, sampler, seed, 2*i, 0.1)
					plus := loss()
					perturbed(m, start, sampler, seed, 2*i+1, 0.1)
					g[i] = float32((plus - loss()) / 0.2)
				}
				must(t, m.Restore(start))
				if err := m.Update(context.Background(), seed, g, lr); err != nil {
					t.Fatal(err)
				}
			}
			worst := 0.0
			for i, site := range m.Sites() {
				for e, v := range slot(m, site.B) {
					worst = max(worst, math.Abs(float64(v)-target[i][e]))
				}
			}
			t.Logf("%s %s: loss %.3g to %.3g, farthest element %.2g off", backend, sampler, first, loss(), worst)
			if worst > 1e-4 {
				t.Errorf("%s %s: an element ends %.3g from the minimum, loss %.3g to %.3g", backend, sampler, worst, first, loss())
			}
		}
	}
}
