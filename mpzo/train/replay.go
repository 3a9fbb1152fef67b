package train

import (
	"context"
	"fmt"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
)

// Replay applies the first n steps of a journal to the model, which must hold
// the adapter that the run started from, moved as the journal's settings say. It
// needs neither data nor forward passes and ends with the bits that training
// had. progress may be nil.
func (m *Model) Replay(ctx context.Context, log *journal.Log, n uint64, progress func(done uint64)) error {
	moves, err := ReadMoves(log.Header.Settings)
	if err != nil {
		return err
	}
	mover, err := NewMover(m, moves)
	if err != nil {
		return err
	}
	return mover.replay(ctx, log, n, progress)
}

// replay brings model and mover to where they were after n steps.
func (v *Mover) replay(ctx context.Context, log *journal.Log, n uint64, progress func(done uint64)) error {
	if n > uint64(len(log.Steps)) {
		return fmt.Errorf("%w: the journal holds %d steps, not %d", ErrSettings, len(log.Steps), n)
	}
	for i := range log.Steps[:n] {
		s := &log.Steps[i]
		if err := v.Move(ctx, splitSeed(s.Seed), s.ProjGrads, s.LR); err != nil {
			return fmt.Errorf("replaying step %d: %w", s.Number, err)
		}
		if progress != nil {
			progress(s.Number)
		}
	}
	return nil
}

// resume replays the log and returns the number of steps done. The best
// evaluation so far is found again, and its adapter shown to the observer,
// since an interrupted run may not have kept it.
func (t *Trainer) resume(ctx context.Context) (uint64, error) {
	done := uint64(len(t.Log.Steps))
	if done > t.Settings.Steps {
		return 0, fmt.Errorf("%w: the journal holds %d steps already, more than the %d asked for", ErrSettings, done, t.Settings.Steps)
	}
	bestStep := t.bestOf(t.Log.Evals)
	if t.hasBest && bestStep == 0 {
		if err := t.keepBest(0); err != nil {
			return 0, err
		}
	}
	var failed error
	err := t.mover.replay(ctx, t.Log, done, func(step uint64) {
		t.Observer.Replayed(step, done)
		if t.hasBest && step == bestStep && failed == nil {
			failed = t.keepBest(step)
		}
	})
	if err == nil {
		err = failed
	}
	return done, err
}

// bestOf notes the best of the recorded evaluations and returns its step.
func (t *Trainer) bestOf(evals []journal.Eval) uint64 {
	if t.HeldOut == nil {
		return 0
	}
	best := Best(evals, t.HeldOut.Deciding())
	if best < 0 {
		return 0
	}
	t.best, t.hasBest = Recorded(evals[best], t.HeldOut.Deciding(), t.HeldOut.Text), true
	return evals[best].Step
}

// Best is the index of the best of a run's evaluations on held-out data, the
// first of equals, or −1 where there is none: the one whose adapter is kept.
func Best(evals []journal.Eval, deciding data.Metric) int {
	best := -1
	for i := range evals {
		if evals[i].Kind != journal.EvalHeldOut {
			continue
		}
		if best < 0 || Recorded(evals[i], deciding, false).Better(Recorded(evals[best], deciding, false)) {
			best = i
		}
	}
	return best
}
