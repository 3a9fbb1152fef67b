package ref

import (
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// The losses of all labels of one row are −log p, and the p sum to 1.
func TestCrossEntropyIsADistribution(t *testing.T) {
	const C = 5
	rng := rand.New(rand.NewPCG(12, 12))
	for _, V := range []int{1, 2, 17, 40} {
		w, hidden := narrow(random(rng, V*C), V, C), random(rng, C)
		x, labels := make([]float32, 0, V*C), make([]int32, V)
		for i := range labels {
			x, labels[i] = append(x, hidden...), int32(i)
		}
		y := compute(t, op.CrossEntropyHead, 1, nil, narrow(x, V, C), panels(w), tensor(labels, 0, V))
		total := 0.0
		for i, loss := range y.F32() {
			total += math.Exp(-float64(loss))
			// The difference of two losses is that of the logits.
			difference := 0.0
			for k := range C {
				difference += float64(hidden[k]) * (float64(w.F32()[k]) - float64(w.F32()[i*C+k]))
			}
			if got := float64(loss - y.F32()[0]); math.Abs(got-difference) > 1e-5 {
				t.Errorf("V %d label %d: loss differs from label 0 by %g, want %g", V, i, got, difference)
			}
		}
		if math.Abs(total-1) > 1e-5 {
			t.Errorf("V %d: probabilities sum to %g", V, total)
		}
	}
}

// A bias is one more channel of W that x has as 1.
func TestCrossEntropyBias(t *testing.T) {
	x, labels := narrow([]float32{2, 1, -1, 1}, 2, 2), tensor([]int32{2, 0}, 0, 2)
	want := compute(t, op.CrossEntropyHead, 1, nil, x, narrow([]float32{1, 5, 2, -3, 0.5, 1}, 3, 2), labels)
	got := compute(t, op.CrossEntropyHead, 1, nil, narrow([]float32{2, -1}, 2, 1), narrow([]float32{1, 2, 0.5}, 3, 1), labels, narrow([]float32{5, -3, 1}, 3))
	for i := range got.F32() {
		near(t, "loss", got.F32()[i], float64(want.F32()[i]))
	}
}

func TestCrossEntropyExtremes(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		logits []float32
		label  int32
		want   float64
	}{
		{[]float32{1e30, 1e30}, 0, math.Ln2},
		{[]float32{-1e30, -1e30}, 1, math.Ln2},
		{[]float32{1e30, 0}, 1, float64(float32(1e30))},
		{[]float32{0, float32(-inf)}, 0, 0},
		{[]float32{0, float32(-inf)}, 1, inf},
		{[]float32{0, float32(inf)}, 0, nan},
		{[]float32{float32(-inf), float32(-inf)}, 0, nan},
		{[]float32{0, float32(nan)}, 0, nan},
	} {
		y := compute(t, op.CrossEntropyHead, 1, nil, narrow([]float32{1}, 1, 1), narrow(c.logits, 2, 1), tensor([]int32{c.label}, 0, 1))
		near(t, "loss", y.F32()[0], c.want)
	}
}

func TestWeightedSum(t *testing.T) {
	x, weights := tensor([]float32{1, 2, 3 /* copy 1 */, -1, 0.5, 0}, 2, 3), narrow([]float32{0.5, 0.25, 2}, 3)
	y := compute(t, op.WeightedSum, 2, nil, x, weights)
	near(t, "copy 0", y.F32()[0], 7)
	near(t, "copy 1", y.F32()[1], -0.375)
	y = compute(t, op.WeightedSum, 1, nil, narrow([]float32{float32(math.NaN())}, 1), narrow([]float32{0}, 1))
	near(t, "0 · NaN", y.F32()[0], math.NaN())
}

func choice(nll *kernel.Tensor, rows, choices, gold []int32) []*kernel.Tensor {
	return []*kernel.Tensor{nll, tensor(rows, 0, len(rows)), tensor(choices, 0, len(choices)), tensor(gold, 0, len(gold))}
}

func TestChoiceLoss(t *testing.T) {
	// Example 0: candidates of rows {1, 2}, {4}, {}; example 1: {3}, {5, 7}.
	nll := tensor([]float32{1, 2, 4, 3, 5, 7 /* copy 1 */, 0, 0, 0, 0, 0, 0}, 2, 6)
	in := choice(nll, []int32{0, 2, 3, 3, 4, 6}, []int32{0, 3, 5}, []int32{1, 0})
	logSum := func(scores ...float64) float64 {
		sum := 0.0
		for _, s := range scores {
			sum += math.Exp(s)
		}
		return math.Log(sum)
	}
	y := compute(t, op.ChoiceLoss, 2, op.Attrs{op.IntAttr("mean", 0)}, in...)
	near(t, "by sum", y.F32()[0], (logSum(-3, -4, 0)+4+logSum(-3, -12)+3)/2)
	near(t, "equal scores", y.F32()[1], (math.Log(3)+math.Log(2))/2)
	y = compute(t, op.ChoiceLoss, 2, op.Attrs{op.IntAttr("mean", 1)}, in...)
	near(t, "by mean", y.F32()[0], (logSum(-1.5, -4, 0)+4+logSum(-3, -6)+3)/2)
}

func TestChoiceLossExtremes(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		losses []float32
		gold   int32
		want   float64
	}{
		{[]float32{1e30, 1e30}, 0, math.Ln2},
		{[]float32{1e5, 0}, 0, 1e5},
		{[]float32{float32(inf), 1}, 1, 0}, // an impossible rival
		{[]float32{float32(inf), 1}, 0, inf},
		{[]float32{float32(nan), 1}, 1, nan},
		{[]float32{float32(inf), float32(inf)}, 1, nan},
	} {
		in := choice(narrow(c.losses, 2), []int32{0, 1, 2}, []int32{0, 2}, []int32{c.gold})
		y := compute(t, op.ChoiceLoss, 1, op.Attrs{op.IntAttr("mean", 1)}, in...)
		near(t, "loss", y.F32()[0], c.want)
	}
}

func TestEmptyExtents(t *testing.T) {
	none, zero := narrow(nil, 0), []int32{0}
	mean := op.Attrs{op.IntAttr("mean", 1)}
	near(t, "choice of no example", compute(t, op.ChoiceLoss, 1, mean, choice(none, zero, zero, nil)...).F32()[0], 0)
	near(t, "sum of no row", compute(t, op.WeightedSum, 1, nil, none, none).F32()[0], 0)
	y := compute(t, op.Linear, 1, nil, narrow(nil, 2, 0), narrow(nil, 2, 0), narrow([]float32{1, 2}, 2))
	near(t, "bias over K = 0", y.F32()[3], 2)
	compute(t, op.CrossEntropyHead, 1, nil, narrow(nil, 0, 2), narrow(nil, 0, 2), tensor([]int32(nil), 0, 0))
	compute(t, op.Attention, 1, attentionAttrs(1, 1, 1, true), narrow(nil, 0, 2), narrow(nil, 0, 2), narrow(nil, 0, 2), tensor([]int32{0, 0}, 0, 2))
	compute(t, op.RMSNormalization, 1, op.Attrs{op.FloatAttr("epsilon", 0)}, narrow(nil, 3, 0), none)
	compute(t, op.Gather, 1, nil, narrow(nil, 3, 0), tensor([]int32{2}, 0, 1))
}
