package main

import (
	"context"
	"math"
	"path/filepath"

	"zeroth/mpzo/journal"
	"zeroth/tools/study"
)

// gradient runs a cell at a rate of 0, so that all estimates are of one gradient,
// and measures 1 − the cosine between that and the sum of the estimates.
func (c *cellRunner) gradient(ctx context.Context, cell study.Cell, flags study.Flags) (study.Result, error) {
	flags["lr"], flags["warmup"] = "0", "0"
	var cosines map[uint64]float64 // by step
	e, err := c.train(ctx, cell, flags, func(ctx context.Context, r *trainRun) (err error) {
		cosines, err = estimateCosines(ctx, r)
		return err
	})
	if err != nil {
		return e.result, err
	}
	for i := range e.result.Points {
		p := &e.result.Points[i]
		p.Loss, p.Accuracy = 1-cosines[p.Step], nil // before the first step nothing is known: 1
	}
	return e.result, nil
}

// estimateCosines gives the cosine between the true gradient of the held-out loss
// and the sum of a run's estimates up to each of its evaluations. The run's rate
// was 0; its model is moved.
func estimateCosines(ctx context.Context, r *trainRun) (map[uint64]float64, error) {
	log, err := journal.Read(filepath.Join(r.folder, journalName))
	if err != nil {
		return nil, err
	}
	gradient, err := trueGradient(ctx, r)
	if err != nil {
		return nil, err
	}
	start, err := r.model.Snapshot()
	if err != nil {
		return nil, err
	}
	plain := *log // the estimates themselves, not what an optimizer makes of them
	plain.Header.Settings = nil
	cosines := make(map[uint64]float64)
	done := uint64(0)
	for _, evaluation := range log.Evals {
		if evaluation.Step == 0 {
			continue
		}
		plain.Steps = log.Steps[done:evaluation.Step]
		for i := range plain.Steps {
			plain.Steps[i].LR = -1 // B ← B + Σ g_i z_i / q
		}
		if err := r.model.Replay(ctx, &plain, evaluation.Step-done, nil); err != nil {
			return nil, err
		}
		done = evaluation.Step
		now, err := r.model.Snapshot()
		if err != nil {
			return nil, err
		}
		cosines[done] = cosineOf(gradient, start, now)
	}
	return cosines, nil
}

// Central differences of float32 losses err by about 1e-7/gradientReach and by
// the order of its square.
const (
	gradientReach = 2e-2
	mostGradient  = 1 << 14 // values of B
)

// trueGradient is the central difference of the held-out loss in every value of
// B, in the order of the model's sites.
func trueGradient(ctx context.Context, r *trainRun) ([]float64, error) {
	if n := r.model.Parameters(); n > mostGradient {
		return nil, usagef("the true gradient takes two evaluations for each trained value, and there are %d: choose at most %d by rank, layers and modules", n, mostGradient)
	}
	b, err := r.model.Snapshot()
	if err != nil {
		return nil, err
	}
	settings := &r.trainer.Settings
	loss := func() (float64, error) {
		if err := r.model.Restore(b); err != nil {
			return 0, err
		}
		e, err := r.model.Evaluate(ctx, r.trainer.HeldOut, settings.Loss, settings.Batch, settings.Normalise, nil)
		return e.Loss, err
	}
	var gradient []float64
	for _, site := range b {
		for e, v := range site {
			site[e] = v + gradientReach
			plus, err := loss()
			if err != nil {
				return nil, err
			}
			site[e] = v - gradientReach
			minus, err := loss()
			if err != nil {
				return nil, err
			}
			site[e] = v
			gradient = append(gradient, (plus-minus)/(2*gradientReach))
		}
	}
	return gradient, r.model.Restore(b)
}

// cosineOf is the cosine between a gradient and the way from one B to another; 0
// where either is zero.
func cosineOf(gradient []float64, from, to [][]float32) float64 {
	product, way, length := 0.0, 0.0, 0.0
	i := 0
	for site := range from {
		for e := range from[site] {
			d := float64(to[site][e]) - float64(from[site][e])
			product += gradient[i] * d
			way += d * d
			length += gradient[i] * gradient[i]
			i++
		}
	}
	if way == 0 || length == 0 {
		return 0
	}
	return product / math.Sqrt(way*length)
}
