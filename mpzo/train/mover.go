package train

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Mover moves a model's B step by step. What it remembers is a function of the
// steps that it was given: replaying them from a journal brings it back, bit for
// bit. Its sums are rounded one by one, so that no processor's fused products
// change them.
type Mover struct {
	model *Model
	moves Moves
	rule  optimizer // nil: sgd, which the program's update does alone
	scale slopes
	g     []float32
	kept  [][]float32 // B of each site, while its storage holds the estimate
}

// optimizer turns estimates of the gradient into directions to move along.
type optimizer interface {
	// begin is called once a step, before the sites.
	begin()
	// turn replaces the estimate of a site's gradient [M, r] by the direction
	// that B is moved against.
	turn(site int, estimate []float32)
}

// NewMover makes the mover of a model's first step.
func NewMover(m *Model, moves Moves) (*Mover, error) {
	if err := moves.Check(); err != nil {
		return nil, err
	}
	v := &Mover{model: m, moves: moves}
	if !moves.Averages() {
		return v, nil
	}
	if m.full {
		return nil, fmt.Errorf("%w: the optimizer %s keeps a value or more for each that is trained, which is too much where all weights are: choose sgd", ErrSettings, moves.Optimizer)
	}
	sizes := make([]siteSize, len(m.sites))
	for i, s := range m.sites {
		b := m.session.Program().Slots[s.B].Type
		n := elements(b)
		sizes[i] = siteSize{rows: b.Shape[0].Offset, elements: n}
		v.kept = append(v.kept, make([]float32, n))
	}
	v.rule = newOptimizer(moves, sizes)
	return v, nil
}

// Move does one step: B ← B − lr · d, d being what the optimizer makes of the
// estimate Σ g_i z_i / q. g is left as it is.
func (v *Mover) Move(ctx context.Context, seed [2]uint32, g []float32, lr float32) error {
	v.g = append(v.g[:0], g...)
	v.scale.apply(v.g, v.moves)
	if v.rule == nil {
		return v.model.Update(ctx, seed, v.g, lr)
	}
	if err := v.estimate(ctx, seed); err != nil {
		return err
	}
	v.rule.begin()
	for i, s := range v.model.sites {
		b, err := v.model.session.WriteSlot(s.B)
		if err != nil {
			return err
		}
		kept := v.kept[i]
		v.rule.turn(i, b)
		for e, d := range b {
			b[e] = kept[e] - float32(lr*d)
		}
	}
	return nil
}

// estimate puts Σ g_i z_i / q where B was, which is kept. The program's own
// update makes it, from B = 0 with a rate of −1.
func (v *Mover) estimate(ctx context.Context, seed [2]uint32) error {
	for i, s := range v.model.sites {
		b, err := v.model.session.WriteSlot(s.B)
		if err != nil {
			return err
		}
		copy(v.kept[i], b)
		clear(b)
	}
	err := v.model.Update(ctx, seed, v.g, -1)
	if err != nil {
		err = errors.Join(err, v.model.Restore(v.kept))
	}
	return err
}

// slopes knows how large slopes usually are: the root of the mean of g² over the
// queries of a step and, by an exponential mean, over the steps.
type slopes struct {
	square float64 // weighted sum of mean squares
	weight float64 // sum of the weights
}

// slopesKept is how much of the mean square the next step keeps.
const slopesKept = 0.9

// leastCounted is how large a slope may be in the mean square, in units of their
// usual size, however hard they are clipped. With what is left of slopes clipped
// to their usual size or less the mean could only fall, and B would come to rest.
const leastCounted = 3

// apply clips the slopes and divides them by their usual size.
func (s *slopes) apply(g []float32, moves Moves) {
	if moves.Clip == 0 && !moves.Normalise {
		return
	}
	most, counted := float32(math.Inf(1)), float32(math.Inf(1)) // of a slope; of one in the mean
	if s.square > 0 && moves.Clip > 0 {
		usual := float32(math.Sqrt(s.square / s.weight))
		most, counted = moves.Clip*usual, max(moves.Clip, leastCounted)*usual
	}
	mean := 0.0
	for i, v := range g {
		bounded := float64(max(-counted, min(v, counted)))
		mean += float64(bounded * bounded)
		g[i] = max(-most, min(v, most))
	}
	s.square = float64(slopesKept*s.square) + mean/float64(len(g))
	s.weight = float64(slopesKept*s.weight) + 1
	if usual := float32(math.Sqrt(s.square / s.weight)); moves.Normalise && usual > 0 {
		for i := range g {
			g[i] /= usual
		}
	}
}
