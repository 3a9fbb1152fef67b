package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindCrossEntropyHeadTangent computes y[r] = Σ_c dx[r, c] · g[r, c], with the
// gradient of the row's loss g_r = Σ_v softmax(l_r)[v] · W_v − W_labels[r] and
// logits l_r = x_r Wᵀ + bias.
//
//	x [R, C], W [V, C], labels [R], dx [P, R, C], bias [V] or none → y [P, R]
func bindCrossEntropyHeadTangent(c *kernel.Call) (kernel.Runner, error) {
	x, labels, dx, y := c.In[0], c.In[2], c.In[3], c.Out[0]
	terms := make([]float64, c.In[1].Shape[0]) // of one row, [V]
	gradient := make([]float64, x.Shape[1])    // of one row, [C]
	weights := weightsOf(c.In[1])
	return runner(func() {
		w, bias := weights(0), optional(c, 4)
		for n, label := range labels.I32() {
			for m := range terms {
				terms[m] = w.dot(m, row(x.Copy(0), n, w.K)) + at(bias, m)
			}
			softmax(terms)
			terms[label]--
			clear(gradient)
			for m, weight := range terms {
				w.addRow(gradient, m, weight)
			}
			for p := range y.Width {
				sum := 0.0
				for k, d := range row(dx.Copy(p), n, w.K) {
					sum += float64(d) * gradient[k]
				}
				y.Copy(p)[n] = float32(sum)
			}
		}
	}), nil
}

// softmax replaces terms by e^(t−m) / Σ e^(t−m), m being the largest.
func softmax(terms []float64) {
	largest, sum := math.Inf(-1), 0.0
	for _, t := range terms {
		if t > largest {
			largest = t
		}
	}
	for i, t := range terms {
		terms[i] = math.Exp(t - largest)
		sum += terms[i]
	}
	for i := range terms {
		terms[i] /= sum
	}
}

// bindChoiceLossTangent computes the mean over examples of Σ_k softmax(s)[k] ·
// ds_k − ds_gold, s and ds being the scores of the candidates, as ChoiceLoss has
// them, of nll and of dnll.
//
//	nll [R], rows [K+1], choices [G+1], gold [G], dnll [P, R] → y [P]
func bindChoiceLossTangent(c *kernel.Call) (kernel.Runner, error) {
	nll, rows, choices, gold, dnll, y := c.In[0], c.In[1], c.In[2], c.In[3], c.In[4], c.Out[0]
	mean := c.Attrs.Int("mean") == 1
	scores := make([]float64, rows.Shape[0]-1) // of all candidates, [K]
	return runner(func() {
		for k := range rows.Shape[0] - 1 {
			scores[k] = score(nll.Copy(0)[rows.I32()[k]:rows.I32()[k+1]], mean)
		}
		for e := range gold.I32() {
			softmax(scores[choices.I32()[e]:choices.I32()[e+1]])
		}
		for p := range y.Width {
			change := func(k int32) float64 { return score(dnll.Copy(p)[rows.I32()[k]:rows.I32()[k+1]], mean) }
			sum := 0.0
			for e, chosen := range gold.I32() {
				first, end := choices.I32()[e], choices.I32()[e+1]
				for k := first; k < end; k++ {
					sum += scores[k] * change(k)
				}
				sum -= change(first + chosen)
			}
			if examples := len(gold.I32()); examples > 0 {
				sum /= float64(examples)
			}
			y.Copy(p)[0] = float32(sum)
		}
	}), nil
}
