package cpu

import (
	"zeroth/internal/elementary"
	"zeroth/runtime/kernel"
)

// choiceLossTangent computes the mean over examples of Σ_k softmax(s)[k] · ds_k −
// ds_gold, s and ds being the scores of nll and of dnll, in float64. nll [R],
// rows [K+1], choices [G+1], gold [G], dnll [P, R] → y [P].
type choiceLossTangent struct {
	choiceLoss
	weights []float64 // of all candidates, [K]
}

func (*routines) bindChoiceLossTangent(c *kernel.Call) (kernel.Runner, error) {
	return &choiceLossTangent{
		choiceLoss: choiceLoss{call: c, mean: c.Attrs.Int("mean") != 0},
		weights:    make([]float64, c.In[1].Shape[0]-1),
	}, nil
}

func (t *choiceLossTangent) Run() error {
	in, y := t.call.In, t.call.Out[0]
	rows, choices, gold := in[1].I32(), in[2].I32(), in[3].I32()
	for g := range gold {
		t.weigh(in[0].Copy(0), rows, int(choices[g]), int(choices[g+1]))
	}
	for p := range y.Width {
		dnll := in[4].Copy(p)
		sum := 0.0
		for g, chosen := range gold {
			for k := choices[g]; k < choices[g+1]; k++ {
				sum += float64(t.weights[k] * t.score(dnll[rows[k]:rows[k+1]]))
			}
			k := choices[g] + chosen
			sum -= t.score(dnll[rows[k]:rows[k+1]])
		}
		if len(gold) > 0 {
			sum /= float64(len(gold))
		}
		y.Copy(p)[0] = float32(sum)
	}
	return nil
}

// weigh makes the softmax of the scores of candidates [first, end).
func (t *choiceLossTangent) weigh(nll []float32, rows []int32, first, end int) {
	weights := t.weights[first:end]
	for k := range weights {
		weights[k] = t.score(nll[rows[first+k]:rows[first+k+1]])
	}
	most, sum := weights[0], 0.0
	for _, w := range weights {
		most = max(most, w)
	}
	for k := range weights {
		weights[k] = elementary.Exp(weights[k] - most)
		sum += weights[k]
	}
	for k := range weights {
		weights[k] /= sum
	}
}
