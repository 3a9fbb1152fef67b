package ref

import (
	"math"

	"zeroth/runtime/kernel"
)

// bindAttention computes softmax(scale · q kᵀ) v within each sequence, tokens
// offsets[s] … offsets[s+1]−1. Query head h reads key and value head
// ⌊h · HKV / H⌋. Causal: token i sees the tokens of its sequence up to i.
//
//	q [w, N, H·D], k and v [w, N, HKV·D], offsets [S+1] → y [w, N, H·D]
func bindAttention(c *kernel.Call) (kernel.Runner, error) {
	q, k, v, offsets, y := c.In[0], c.In[1], c.In[2], c.In[3], c.Out[0]
	heads, kvHeads := c.Attrs.Int("num_heads"), c.Attrs.Int("kv_num_heads")
	D := q.Shape[1] / heads
	a := attention{
		channels: kvHeads * D,
		scale:    c.Attrs.Float("scale"),
		scores:   make([]float64, q.Shape[0]),
		sums:     make([]float64, D),
	}
	causal := c.Attrs.Int("causal") == 1
	return runner(func() {
		for p := range y.Width {
			qCopy, yCopy := q.Copy(p), y.Copy(p)
			a.k, a.v = k.Copy(p), v.Copy(p)
			bounds := offsets.I32()
			for s := range len(bounds) - 1 {
				first, end := int(bounds[s]), int(bounds[s+1])
				for n := first; n < end; n++ {
					last := end
					if causal {
						last = n + 1
					}
					for h := range heads {
						a.attend(row(yCopy, n*heads+h, D), row(qCopy, n*heads+h, D), h*kvHeads/heads*D, first, last)
					}
				}
			}
		}
	}), nil
}

// attention is what all rows share: keys and values of one copy and the
// working memory of one row.
type attention struct {
	k, v     []float32 // [N, channels]
	channels int       // HKV·D
	scale    float64
	scores   []float64 // at least as many as the longest sequence has tokens
	sums     []float64 // [D]
}

// attend computes one head of one token: y, q [D] over tokens first … end−1,
// whose keys and values begin at channel from.
func (a *attention) attend(y, q []float32, from, first, end int) {
	scores := a.scores[:end-first]
	largest := math.Inf(-1)
	for t := range scores {
		key := a.k[(first+t)*a.channels+from:]
		scores[t] = 0
		for d, value := range q {
			scores[t] += float64(value) * float64(key[d])
		}
		scores[t] *= a.scale
		if scores[t] > largest {
			largest = scores[t]
		}
	}
	clear(a.sums)
	total := 0.0
	for t, score := range scores {
		weight := math.Exp(score - largest)
		total += weight
		value := a.v[(first+t)*a.channels+from:]
		for d := range a.sums {
			a.sums[d] += weight * float64(value[d])
		}
	}
	for d := range y {
		y[d] = float32(a.sums[d] / total)
	}
}
