package main

import (
	"context"
	"math"

	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/tools/compare"
)

// losses is a run of "losses" as a training step has it.
func (k *comparison) losses() compare.Work {
	b := &k.batch
	copies := 2 * k.Probe.Queries
	return compare.Work{
		Program: k.linked, Method: train.MethodLosses, Methods: []string{train.MethodUpdate}, Pairs: true,
		Extents: op.Extents{
			Width: copies, N: len(b.Tokens), S: len(b.SeqOffsets) - 1, R: len(b.Rows),
			K: len(b.RowOffsets) - 1, G: len(b.ChoiceOffsets) - 1, Q: k.Probe.Queries,
		},
		Run: func(ctx context.Context, s *executor.Session) error {
			m, err := train.NewModel(s)
			if err == nil {
				err = k.fill(m)
			}
			if err != nil {
				return err
			}
			at := train.Perturbation{Seed: noise.StepSeed(k.Probe.Seed, 0), Copies: copies, Eps: float32(k.Probe.Eps[0])}
			return m.Losses(ctx, b, k.Probe.Loss, at, make([]float32, copies))
		},
	}
}

// model binds the linked program for gradients.
func (k *comparison) model(e *engine, bounds op.Extents) (*train.Model, error) {
	s, err := e.compared(k.linked, bounds, false, train.MethodLosses, train.MethodUpdate)
	if err != nil {
		return nil, err
	}
	m, err := train.NewModel(s)
	if err == nil {
		err = k.fill(m)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return m, nil
}

// madeUpB bounds the elements of a made-up B: with B = 0 a kernel that reads it
// wrongly would not show.
const madeUpB = 0.01

// fill sets A and B.
func (k *comparison) fill(m *train.Model) error {
	if err := m.Init(k.Probe.Seed); err != nil {
		return err
	}
	if k.Adapter != "" {
		return loadAdapter(m, k.Adapter)
	}
	b, err := m.Snapshot()
	if err != nil {
		return err
	}
	for i, site := range m.Sites() {
		noise.FillUniform(b[i], k.Probe.Seed^math.MaxUint64, site.ID, madeUpB)
	}
	return m.Restore(b)
}

// forward is a run of "forward" on --input, perturbed as a training step is.
func (k *comparison) forward() compare.Work {
	n, copies := len(k.ids), 2*k.Probe.Queries
	w := compare.Work{Program: k.linked, Method: "forward", Pairs: true, Extents: op.Extents{Width: copies, N: n, S: 1, R: n}}
	places := make([]int32, n)
	for i := range places {
		places[i] = int32(i)
	}
	seed := noise.StepSeed(k.Probe.Seed, 0)
	w.Run = func(ctx context.Context, s *executor.Session) error {
		if err := k.fill(train.SlotsOf(s)); err != nil {
			return err
		}
		m, err := s.Method("forward")
		if err != nil {
			return err
		}
		if err := m.Resize(w.Extents); err != nil {
			return err
		}
		for _, in := range []struct {
			name string
			fill func(t *kernel.Tensor)
		}{
			{"tokens", func(t *kernel.Tensor) { copy(t.I32(), k.ids) }},
			{"positions", func(t *kernel.Tensor) { copy(t.I32(), places) }},
			{"offsets", func(t *kernel.Tensor) { copy(t.I32(), []int32{0, int32(n)}) }},
			{"rows", func(t *kernel.Tensor) { copy(t.I32(), places) }},
			{"seed", func(t *kernel.Tensor) { copy(t.U32(), seed[:]) }},
			{"first", func(t *kernel.Tensor) { t.I32()[0] = 0 }},
			{"eps", func(t *kernel.Tensor) { t.F32()[0] = float32(k.Probe.Eps[0]) }},
		} {
			t, err := m.Input(in.name)
			if err != nil {
				return err
			}
			in.fill(t)
		}
		return m.Run(ctx)
	}
	return w
}
