package train

// siteSize is the size of a site's B: [rows, elements/rows].
type siteSize struct{ rows, elements int }

// newOptimizer makes an optimizer other than sgd.
func newOptimizer(moves Moves, sizes []siteSize) optimizer {
	mean := newAverage(moves.Momentum, sizes)
	if moves.Optimizer == "muon" {
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
		m := &a.values[site][e]
		*m = float32(a.beta**m) + float32((1-a.beta)*v)
		estimate[e] = *m * unbias
	}
}
