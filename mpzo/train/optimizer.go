package train

import "math"

// siteSize is the size of a site's B: [rows, elements/rows].
type siteSize struct{ rows, elements int }

// newOptimizer makes an optimizer other than sgd.
func newOptimizer(moves Moves, sizes []siteSize) optimizer {
	mean := newAverage(moves.Momentum, sizes)
	switch moves.Optimizer {
	case "adam":
		return &adam{average: mean, square: newAverage(adamSquares, sizes)}
	case "sign":
		return &signs{mean}
	case "muon":
		return newMuon(mean, sizes)
	}
	return &mean
}

// average is ZO-SGD with momentum: it moves against the exponential mean of the
// estimates, m ← β m + (1 − β) ĝ divided by 1 − βᵗ.
type average struct {
	beta   float32
	power  float64 // βᵗ
	values [][]float32
}

func newAverage(beta float32, sizes []siteSize) average {
	a := average{beta: beta, power: 1}
	for _, s := range sizes {
		a.values = append(a.values, make([]float32, s.elements))
	}
	return a
}

func (a *average) begin() { a.power *= float64(a.beta) }

// unbias is 1 / (1 − βᵗ).
func (a *average) unbias() float32 { return float32(1 / (1 - a.power)) }

func (a *average) turn(site int, estimate []float32) {
	unbias := a.unbias()
	for e, v := range estimate {
		estimate[e] = a.add(site, e, v) * unbias
	}
}

// add takes one more value of an element into its mean, and returns that.
func (a *average) add(site, e int, v float32) float32 {
	m := &a.values[site][e]
	*m = float32(a.beta**m) + float32((1-a.beta)*v)
	return *m
}

// adam divides the mean by the root of the mean square, element by element
// (ZO-AdaMM, Chen et al. 2019, without its maximum).
type adam struct {
	average
	square average
}

const (
	adamSquares = 0.99
	adamLeast   = 1e-8
)

func (a *adam) begin() {
	a.average.begin()
	a.square.begin()
}

func (a *adam) turn(site int, estimate []float32) {
	unbias, unbiasSquare := a.unbias(), a.square.unbias()
	for e, v := range estimate {
		square := a.square.add(site, e, float32(v*v)) * unbiasSquare
		estimate[e] = a.add(site, e, v) * unbias / (float32(math.Sqrt(float64(square))) + adamLeast)
	}
}

// signs moves every element by the same amount, against the sign of the mean.
type signs struct{ average }

func (s *signs) turn(site int, estimate []float32) {
	s.average.turn(site, estimate)
	for e, v := range estimate {
		switch {
		case v > 0:
			estimate[e] = 1
		case v < 0:
			estimate[e] = -1
		}
	}
}
