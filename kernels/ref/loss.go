package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindCrossEntropyHead computes y[n] = logsumexp(l_n) − l_n[labels[n]] with
// logits l_n = x_n Wᵀ + bias.
//
//	x [w, R, C], W [V, C], labels [R], bias [V] or none → y [w, R]
func bindCrossEntropyHead(c *kernel.Call) (kernel.Runner, error) {
	x, labels, y := c.In[0], c.In[2], c.Out[0]
	logits := make([]float64, c.In[1].Shape[0]) // of one row, [V]
	weights := weightsOf(c.In[1])
	return runner(func() {
		w, bias := weights(0), optional(c, 3)
		for p := range y.Width {
			for n, label := range labels.I32() {
				for m := range logits {
					logits[m] = w.dot(m, row(x.Copy(p), n, w.K)) + at(bias, m)
				}
				y.Copy(p)[n] = float32(negativeLogSoftmax(logits, int(label)))
			}
		}
	}), nil
}

// negativeLogSoftmax is −log softmax(terms)[chosen] = log Σ e^(t−m) + (m − t
// of the chosen), m being the largest term.
func negativeLogSoftmax(terms []float64, chosen int) float64 {
	largest := math.Inf(-1)
	for _, t := range terms {
		if t > largest {
			largest = t
		}
	}
	sum := 0.0
	for _, t := range terms {
		sum += math.Exp(t - largest)
	}
	return math.Log(sum) + (largest - terms[chosen])
}

// bindWeightedSum computes y = Σ_n weights[n] · x[n].
//
//	x [w, R], weights [R] → y [w]
func bindWeightedSum(c *kernel.Call) (kernel.Runner, error) {
	x, weights, y := c.In[0], c.In[1], c.Out[0]
	return runner(func() {
		for p := range y.Width {
			sum := 0.0
			for n, value := range x.Copy(p) {
				sum += float64(weights.Copy(0)[n]) * float64(value)
			}
			y.Copy(p)[0] = float32(sum)
		}
	}), nil
}

// bindChoiceLoss computes the mean over examples of −log softmax(score)[gold].
// Candidate k owns rows rows[k] … rows[k+1]−1 and scores minus their sum, or
// minus their mean; example e owns candidates choices[e] … choices[e+1]−1, and
// gold[e] counts from the first of them.
//
//	nll [w, R], rows [K+1], choices [G+1], gold [G] → y [w]
func bindChoiceLoss(c *kernel.Call) (kernel.Runner, error) {
	nll, rows, choices, gold, y := c.In[0], c.In[1], c.In[2], c.In[3], c.Out[0]
	mean := c.Attrs.Int("mean") == 1
	scores := make([]float64, rows.Shape[0]-1) // of all candidates, [K]
	return runner(func() {
		K := rows.Shape[0] - 1
		for p := range y.Width {
			for k := range K {
				first, end := rows.I32()[k], rows.I32()[k+1]
				scores[k] = score(nll.Copy(p)[first:end], mean)
			}
			loss := 0.0
			for e, chosen := range gold.I32() {
				first, end := choices.I32()[e], choices.I32()[e+1]
				loss += negativeLogSoftmax(scores[first:end], int(chosen))
			}
			if examples := len(gold.I32()); examples > 0 {
				loss /= float64(examples)
			}
			y.Copy(p)[0] = float32(loss)
		}
	}), nil
}

// score is minus the sum or the mean of a candidate's row losses, 0 for none.
func score(losses []float32, mean bool) float64 {
	sum := 0.0
	for _, l := range losses {
		sum += float64(l)
	}
	if mean && len(losses) > 0 {
		sum /= float64(len(losses))
	}
	return -sum
}
