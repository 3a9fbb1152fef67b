package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindAttentionTangent computes what Attention's result changes by: with a
// token's and head's weights w = softmax(scale · q kᵀ) and the change of its
// scores ds = scale · (dq kᵀ + q dkᵀ),
//
//	y = Σ_t w_t (dv_t + (ds_t − Σ_u w_u ds_u) v_t)
//
// over the tokens t that it sees. A tangent that is not given is zero.
//
//	q [N, H·D], k and v [N, HKV·D], offsets [S+1],
//	dq [P, N, H·D], dk and dv [P, N, HKV·D], where given → y [P, N, H·D]
func bindAttentionTangent(c *kernel.Call) (kernel.Runner, error) {
	q, k, v, offsets, y := c.In[0], c.In[1], c.In[2], c.In[3], c.Out[0]
	heads, kvHeads := c.Attrs.Int("num_heads"), c.Attrs.Int("kv_num_heads")
	D := q.Shape[1] / heads
	causal := c.Attrs.Int("causal") == 1
	tangents := givenTangents(c, 3, c.In[4:])
	N := q.Shape[0]
	a := attentionTangent{
		D: D, channels: kvHeads * D, scale: c.Attrs.Float("scale"), weights: make([]float64, N), changes: make([]float64, N),
	}
	return runner(func() {
		a.k, a.v = k.Copy(0), v.Copy(0)
		bounds := offsets.I32()
		for p := range y.Width {
			dq := copyOf(tangents[0], p)
			a.dk, a.dv = copyOf(tangents[1], p), copyOf(tangents[2], p)
			for s := range len(bounds) - 1 {
				first, end := int(bounds[s]), int(bounds[s+1])
				for n := first; n < end; n++ {
					last := end
					if causal {
						last = n + 1
					}
					for h := range heads {
						a.query, a.dquery = row(q.Copy(0), n*heads+h, D), nil
						if dq != nil {
							a.dquery = row(dq, n*heads+h, D)
						}
						a.attend(row(y.Copy(p), n*heads+h, D), h*kvHeads/heads*D, first, last)
					}
				}
			}
		}
	}), nil
}

// copyOf views copy p of a tangent, nil where there is none.
func copyOf(t *kernel.Tensor, p int) []float32 {
	if t == nil {
		return nil
	}
	return t.Copy(p)
}

// attentionTangent is one head of one token of one copy, and the working memory
// of it. Tangents are nil where they are zero.
type attentionTangent struct {
	D, channels      int // of a head, of a key
	scale            float64
	query, dquery    []float32 // [D]
	k, v, dk, dv     []float32 // [N, channels]
	weights, changes []float64 // w and ds of the tokens seen
}

// at is the element of a key or value, or of their tangent, 0 where there is none.
func (a *attentionTangent) at(x []float32, token, channel int) float64 {
	if x == nil {
		return 0
	}
	return float64(x[token*a.channels+channel])
}

// attend computes y [D] over tokens first … end−1, whose keys and values begin
// at channel from.
func (a *attentionTangent) attend(y []float32, from, first, end int) {
	weights, changes := a.weights[:end-first], a.changes[:end-first]
	largest := math.Inf(-1)
	for t := range weights {
		score, change := 0.0, 0.0
		for d, value := range a.query {
			score += float64(value) * a.at(a.k, first+t, from+d)
			if a.dk != nil {
				change += float64(value) * a.at(a.dk, first+t, from+d)
			}
			if a.dquery != nil {
				change += float64(a.dquery[d]) * a.at(a.k, first+t, from+d)
			}
		}
		weights[t], changes[t] = a.scale*score, a.scale*change
		largest = max(largest, weights[t])
	}
	total, mean := 0.0, 0.0
	for t, score := range weights {
		weights[t] = math.Exp(score - largest)
		total += weights[t]
		mean += weights[t] * changes[t]
	}
	for d := range y {
		sum := 0.0
		for t, w := range weights {
			if a.dv != nil {
				sum += w * a.at(a.dv, first+t, from+d)
			}
			if a.dk != nil || a.dquery != nil {
				sum += w * (changes[t] - mean/total) * a.at(a.v, first+t, from+d)
			}
		}
		y[d] = float32(sum / total)
	}
}
