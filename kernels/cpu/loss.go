package cpu

import (
	"math"

	"zeroth/internal/elementary"
	"zeroth/runtime/kernel"
)

// weightedSum computes y = Σ_r weights[r] · x[r] of each copy, in float64.
// x [w, R], weights [R] → y [w].
type weightedSum struct{ call *kernel.Call }

func (*routines) bindWeightedSum(c *kernel.Call) (kernel.Runner, error) {
	return &weightedSum{call: c}, nil
}

func (s *weightedSum) Run() error {
	x, weights, y := s.call.In[0], s.call.In[1].Copy(0), s.call.Out[0]
	for p := range y.Width {
		sum := 0.0
		for r, v := range x.Copy(p) {
			sum += float64(weights[r]) * float64(v)
		}
		y.Copy(p)[0] = float32(sum)
	}
	return nil
}

// choiceLoss computes the mean over examples of −log softmax(score)[gold] of
// each copy, in float64. nll [w, R], rows [K+1], choices [G+1], gold [G] → y [w].
type choiceLoss struct {
	call *kernel.Call
	mean bool // a candidate's score is minus the mean of its rows, not the sum
}

func (*routines) bindChoiceLoss(c *kernel.Call) (kernel.Runner, error) {
	return &choiceLoss{call: c, mean: c.Attrs.Int("mean") != 0}, nil
}

func (l *choiceLoss) Run() error {
	in, y := l.call.In, l.call.Out[0]
	rows, choices, gold := in[1].I32(), in[2].I32(), in[3].I32()
	for p := range y.Width {
		nll := in[0].Copy(p)
		loss := 0.0
		for g, chosen := range gold {
			loss += l.example(nll, rows[choices[g]:choices[g+1]+1], int(chosen))
		}
		if len(gold) > 0 {
			loss /= float64(len(gold))
		}
		y.Copy(p)[0] = float32(loss)
	}
	return nil
}

// example is −log softmax(score)[gold] over the candidates that rows divides.
func (l *choiceLoss) example(nll []float32, rows []int32, gold int) float64 {
	most := math.Inf(-1)
	for i := range len(rows) - 1 {
		most = max(most, l.score(nll[rows[i]:rows[i+1]]))
	}
	sum := 0.0
	for i := range len(rows) - 1 {
		sum += elementary.Exp(l.score(nll[rows[i]:rows[i+1]]) - most)
	}
	return most + elementary.Log(sum) - l.score(nll[rows[gold]:rows[gold+1]])
}

// score is minus the sum or the mean of a candidate's losses.
func (l *choiceLoss) score(nll []float32) float64 {
	sum := 0.0
	for _, v := range nll {
		sum -= float64(v)
	}
	if l.mean && len(nll) > 0 {
		sum /= float64(len(nll))
	}
	return sum
}
