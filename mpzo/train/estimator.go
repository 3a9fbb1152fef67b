package train

import (
	"context"
	"fmt"

	"zeroth/mpzo/data"
)

// Estimator finds the projected gradients of one step.
type Estimator interface {
	// Name is the name users choose it by.
	Name() string
	// Copies is the number of copies P that its forward passes need for q queries.
	Copies(q int) int
	// Losses is the number of losses that a step of q queries takes.
	Losses(q int) int
	// Passes is how often the rows of a batch go forward in such a step: once for
	// each copy.
	Passes(q int) int
	// Method is what of the program it runs.
	Method() string
	// Estimate fills g [q] with the slope of the loss along each z_i and losses
	// [Losses(q)] with the losses that it took them from. It allocates nothing.
	Estimate(ctx context.Context, m *Model, b *data.Batch, loss data.Loss, at Probe, losses, g []float32) error
}

// Probe is where and how far an estimator looks.
type Probe struct {
	Seed [2]uint32
	Eps  float32
}

// The methods that estimators run, and the one that moves what is trained.
const (
	MethodLosses = "losses"
	MethodSlopes = "slopes"
	MethodUpdate = "update"
)

// Methods lists what of a program a session needs to train by an estimator.
func Methods(e Estimator) []string {
	methods := []string{MethodLosses, MethodUpdate}
	if own := e.Method(); own != MethodLosses {
		methods = append(methods, own)
	}
	return methods
}

// Estimators lists the estimators by name.
func Estimators() []Estimator { return []Estimator{PRGE{}, FZOO{}, JVP{}, MeZO{}} }

// FindEstimator returns the estimator of that name.
func FindEstimator(name string) (Estimator, error) {
	for _, e := range Estimators() {
		if e.Name() == name {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%w: no estimator %q: choose prge, fzoo, jvp or mezo", ErrSettings, name)
}

// PRGE is MobiZO's parallelised randomised gradient estimation: all 2q
// perturbed copies go forward at once, and frozen weights are read once.
type PRGE struct{}

// Name is "prge".
func (PRGE) Name() string { return "prge" }

// Copies is 2q.
func (PRGE) Copies(q int) int { return 2 * q }

// Losses is 2q.
func (PRGE) Losses(q int) int { return 2 * q }

// Passes is 2q.
func (PRGE) Passes(q int) int { return 2 * q }

// Method is "losses".
func (PRGE) Method() string { return MethodLosses }

// Estimate runs one widened forward pass and takes g_i = (L(θ + ε z_i) −
// L(θ − ε z_i)) / 2ε.
func (PRGE) Estimate(ctx context.Context, m *Model, b *data.Batch, loss data.Loss, at Probe, losses, g []float32) error {
	p := Perturbation{Seed: at.Seed, Copies: 2 * len(g), Eps: at.Eps}
	if err := m.Losses(ctx, b, loss, p, losses); err != nil {
		return err
	}
	project(losses, at.Eps, g)
	return nil
}

// FZOO looks to one side of a baseline that all queries share (FZOO, arXiv
// 2506.09034, eq. 3): g_i = (L(θ + ε z_i) − L(θ)) / ε takes q + 1 losses, where
// ± pairs take 2q. Its error is of the order of ε, theirs of ε². What the paper
// divides a step by, the deviation of the losses, is Moves.Normalise.
type FZOO struct{}

// Name is "fzoo".
func (FZOO) Name() string { return "fzoo" }

// Copies is q + 1.
func (FZOO) Copies(q int) int { return q + 1 }

// Losses is q + 1.
func (FZOO) Losses(q int) int { return q + 1 }

// Passes is q + 1.
func (FZOO) Passes(q int) int { return q + 1 }

// Method is "losses".
func (FZOO) Method() string { return MethodLosses }

// Estimate runs one widened forward pass.
func (FZOO) Estimate(ctx context.Context, m *Model, b *data.Batch, loss data.Loss, at Probe, losses, g []float32) error {
	p := Perturbation{Seed: at.Seed, First: oneSided, Copies: len(g) + 1, Eps: at.Eps}
	if err := m.Losses(ctx, b, loss, p, losses); err != nil {
		return err
	}
	for i := range g {
		g[i] = float32((float64(losses[i+1]) - float64(losses[0])) / float64(at.Eps))
	}
	return nil
}

// MeZO runs the 2q copies one after the other, as MeZO (Malladi et al. 2023)
// does: the baseline that widening is measured against.
type MeZO struct{}

// Name is "mezo".
func (MeZO) Name() string { return "mezo" }

// Copies is 1.
func (MeZO) Copies(int) int { return 1 }

// Losses is 2q.
func (MeZO) Losses(q int) int { return 2 * q }

// Passes is 2q.
func (MeZO) Passes(q int) int { return 2 * q }

// Method is "losses".
func (MeZO) Method() string { return MethodLosses }

// Estimate runs 2q forward passes of one copy each.
func (MeZO) Estimate(ctx context.Context, m *Model, b *data.Batch, loss data.Loss, at Probe, losses, g []float32) error {
	for j := range 2 * len(g) {
		p := Perturbation{Seed: at.Seed, First: j, Copies: 1, Eps: at.Eps}
		if err := m.Losses(ctx, b, loss, p, losses[j:]); err != nil {
			return err
		}
	}
	project(losses, at.Eps, g)
	return nil
}

// project takes the central differences of ± pairs.
func project(losses []float32, eps float32, g []float32) {
	for i := range g {
		difference := float64(losses[2*i]) - float64(losses[2*i+1])
		g[i] = float32(difference / (2 * float64(eps)))
	}
}
