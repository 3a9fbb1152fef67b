package bench

import (
	"context"
	"math"

	"zeroth/mpzo/data"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
)

// Probe says where gradients are projected: on which batch, along which
// directions, by which estimator, and how far it looks.
type Probe struct {
	Batch      *data.Batch
	Loss       data.Loss
	Seed       uint64
	Directions int
	Estimator  train.Estimator
	Queries    int       // directions of one step of it
	Eps        []float64 // one of any size for an estimator without
	// Progress is called before each forward pass with the directions done, over
	// all ε; it may be nil.
	Progress func(done int)
}

// Gradients are what a model gives along the probe's directions.
type Gradients struct {
	Loss float64     // of the unperturbed model
	G    [][]float32 // by ε: the slope along each direction
}

// Measure projects a model's gradients. The directions depend on the probe's
// seed, on how many a step has, and on the ids of the model's sites alone.
func (p *Probe) Measure(ctx context.Context, m *train.Model) (Gradients, error) {
	var out Gradients
	losses := make([]float32, p.Estimator.Losses(p.Queries))
	if err := m.Losses(ctx, p.Batch, p.Loss, train.None, losses); err != nil {
		return out, err
	}
	out.Loss = float64(losses[0])
	done := 0
	for _, eps := range p.Eps {
		g := make([]float32, p.Directions)
		for first, step := 0, uint64(0); first < len(g); step++ {
			if p.Progress != nil {
				p.Progress(done)
			}
			n := min(p.Queries, len(g)-first)
			at := train.Probe{Seed: noise.StepSeed(p.Seed, step), Eps: float32(eps)}
			if err := p.Estimator.Estimate(ctx, m, p.Batch, p.Loss, at, losses[:p.Estimator.Losses(n)], g[first:first+n]); err != nil {
				return out, err
			}
			first, done = first+n, done+n
		}
		out.G = append(out.G, g)
	}
	return out, nil
}

// Agreement says how well projected gradients g follow those of a reference r.
type Agreement struct {
	Correlation   float64 `json:"correlation"`    // Pearson's; 0 where either does not vary
	Slope         float64 `json:"slope"`          // Σ r g / Σ r²: of the line through 0 that fits g best
	RelativeError float64 `json:"relative_error"` // ‖g − r‖ / ‖r‖
	SameSign      float64 `json:"same_sign"`      // the share of directions
}

// Agree compares gradients along the same directions, at least one.
func Agree(g, r []float32) Agreement {
	n := float64(len(r))
	var meanG, meanR float64
	for i := range r {
		meanG += float64(g[i]) / n
		meanR += float64(r[i]) / n
	}
	var gg, rr, gr, off, square, product, same float64
	for i := range r {
		a, b := float64(g[i]), float64(r[i])
		gg += (a - meanG) * (a - meanG)
		rr += (b - meanR) * (b - meanR)
		gr += (a - meanG) * (b - meanR)
		off += (a - b) * (a - b)
		square += b * b
		product += a * b
		if math.Signbit(a) == math.Signbit(b) {
			same++
		}
	}
	out := Agreement{SameSign: same / n}
	if gg > 0 && rr > 0 {
		out.Correlation = gr / math.Sqrt(gg*rr)
	}
	if square > 0 {
		out.Slope, out.RelativeError = product/square, math.Sqrt(off/square)
	}
	return out
}

// RootMeanSquare is the size of projected gradients.
func RootMeanSquare(g []float32) float64 {
	sum := 0.0
	for _, v := range g {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(g)))
}
