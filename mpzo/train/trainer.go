package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/runtime/noise"
)

// Settings are what, with the program and the data, decides a run's bits.
type Settings struct {
	Seed      uint64
	Steps     uint64
	Batch     int     // examples a step
	Queries   int     // q
	Eps       float32 // jvp does not look at it
	LR        float32
	Schedule  Schedule
	Warmup    uint64 // steps over which the rate rises
	Moves     Moves
	Loss      data.Loss
	Normalise data.Normalise // how candidates are scored
	EvalEvery uint64         // steps between evaluations; 0: at the start and the end only
	Estimator Estimator
}

// Check returns an error naming the first setting that is out of range.
func (s *Settings) Check() error {
	finite := func(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
	for _, c := range []struct {
		ok   bool
		text string
	}{
		{s.Steps >= 1, "steps must be at least 1"},
		{s.Batch >= 1, "batch must be at least 1 example"},
		{s.Queries >= 1 && s.Queries <= 1024, "q must be 1 to 1024 queries"},
		{finite(s.Eps) && s.Eps >= 1e-30, "eps must be above 0, at least 1e-30"},
		{finite(s.LR) && s.LR >= 0, "lr must be at least 0"},
		{s.Estimator != nil, "an estimator must be chosen"},
		{s.Warmup < s.Steps, "warm-up must be shorter than the run"},
	} {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrSettings, c.text)
		}
	}
	return s.Moves.Check()
}

// StepReport is what a step did.
type StepReport struct {
	Step     uint64 // steps done, this one included
	Steps    uint64 // of the whole run
	Loss     float64
	LR       float32
	Rows     int // hidden rows forwarded, all copies counted
	Duration time.Duration
}

// Observer is told how a run goes. Its methods are called by the goroutine
// that trains.
type Observer interface {
	// Replayed is called after each step that a resumed run repeats from the
	// journal, without data or forward passes.
	Replayed(done, total uint64)
	Step(r StepReport)
	// Evaluating is called while a set is evaluated.
	Evaluating(done, total int)
	// Evaluated is called after each evaluation.
	Evaluated(step uint64, e Evaluation, best bool)
	// KeepBest is called while the model holds the best adapter so far, and
	// again when a resumed run has found it again.
	KeepBest(step uint64, e Evaluation) error
	// Tested is called at the end of a run for each evaluation on test data: of
	// the adapter after the last step, and of the best on held-out data, as it
	// was after step of; once where they are the same.
	Tested(step, of uint64, e Evaluation)
}

// Trainer runs a training loop. What is not said to be optional must be set.
type Trainer struct {
	Model    *Model
	Settings Settings
	Train    *data.Set
	HeldOut  *data.Set // evaluated, and the best adapter chosen by it; may be nil
	Test     *data.Set // evaluated at the end, and chooses nothing; may be nil
	Journal  *journal.Writer
	// Log is what the journal held when it was opened: its steps are replayed
	// before training goes on. It is empty for a new run.
	Log      *journal.Log
	Observer Observer
	// Pace is called before each step, and may wait: all steps before it are done
	// and recorded. It may be nil. An error ends the run.
	Pace func(ctx context.Context, step uint64) error

	mover   *Mover
	order   data.Order
	batch   data.Batch
	picks   []int
	losses  []float32
	g       []float32
	best    Evaluation
	hasBest bool
	bestOne uint64      // steps after which the best adapter was
	bestB   [][]float32 // the best adapter, kept for the test
}

// Run trains to Settings.Steps, from where the log ends. The model must hold
// the adapter that the run starts from. When ctx is cancelled the step in
// flight is given up and the context's error returned: the model and the
// journal then stand at the last whole step.
func (t *Trainer) Run(ctx context.Context) error {
	if err := t.prepare(); err != nil {
		return err
	}
	step, err := t.resume(ctx)
	if err != nil {
		return err
	}
	evaluated := slices.ContainsFunc(t.Log.Evals, func(e journal.Eval) bool { return e.Kind == journal.EvalHeldOut && e.Step == step })
	for {
		if t.evaluationDue(step) && !evaluated {
			if err := t.evaluate(ctx, step); err != nil {
				return err
			}
		}
		if step >= t.Settings.Steps {
			if err := t.test(ctx, step); err != nil {
				return err
			}
			return t.Journal.Sync()
		}
		if t.Pace != nil {
			if err := t.Pace(ctx, step); err != nil {
				return err
			}
		}
		if err := t.step(ctx, step); err != nil {
			return fmt.Errorf("step %d: %w", step+1, err)
		}
		step++
		evaluated = false
	}
}

// check names the first of the trainer's parts that is missing.
func (t *Trainer) check() error {
	for _, part := range []struct {
		name string
		set  bool
	}{
		{"Model", t.Model != nil}, {"Train", t.Train != nil}, {"Journal", t.Journal != nil}, {"Log", t.Log != nil}, {"Observer", t.Observer != nil},
	} {
		if !part.set {
			return fmt.Errorf("%w: the trainer has no %s", ErrSettings, part.name)
		}
	}
	return nil
}

func (t *Trainer) prepare() error {
	if err := t.check(); err != nil {
		return err
	}
	if err := t.Settings.Check(); err != nil {
		return err
	}
	if t.Test != nil && t.HeldOut != nil && t.Model.Full() {
		return fmt.Errorf("%w: where all weights are trained the best are not kept in memory for test data: test the model that was saved", ErrSettings)
	}
	var err error
	if t.mover, err = NewMover(t.Model, t.Settings.Moves); err != nil {
		return err
	}
	t.order, err = data.NewOrder(t.Settings.Seed, len(t.Train.Examples), t.Settings.Batch)
	t.losses = make([]float32, t.Settings.Estimator.Losses(t.Settings.Queries))
	t.g = make([]float32, t.Settings.Queries)
	return err
}

func (t *Trainer) evaluationDue(step uint64) bool {
	every := t.Settings.EvalEvery
	return t.HeldOut != nil && (step == 0 || step == t.Settings.Steps || every > 0 && step%every == 0)
}

// step does step number step, counted from 0.
func (t *Trainer) step(ctx context.Context, step uint64) error {
	start := time.Now()
	s := &t.Settings
	t.picks = t.order.Batch(step, t.picks)
	if err := packStep(&t.batch, t.Train, t.Settings.Loss, t.picks); err != nil {
		return err
	}
	seed := noise.StepSeed(s.Seed, step)
	if err := s.Estimator.Estimate(ctx, t.Model, &t.batch, s.Loss, Probe{Seed: seed, Eps: s.Eps}, t.losses, t.g); err != nil {
		return err
	}
	loss := mean(t.losses)
	if math.IsNaN(loss) || math.IsInf(loss, 0) || !finite(t.g) {
		return s.notFinite(step, loss)
	}
	lr := s.Schedule.Rate(s.LR, step, s.Steps, s.Warmup)
	// The record goes first: a journal that cannot be written stops the run at
	// the last recorded step, and replaying never lacks a step that was done.
	err := t.Journal.Step(journal.Step{
		Number: step + 1, Seed: joinSeed(seed), LR: lr, Loss: float32(loss), ProjGrads: t.g,
	})
	if err != nil {
		return err
	}
	// A recorded step is carried out even when the run is being cancelled.
	if err := t.mover.Move(context.Background(), seed, t.g, lr); err != nil {
		return err
	}
	t.Observer.Step(StepReport{
		Step: step + 1, Steps: s.Steps, Loss: loss, LR: lr,
		Rows: s.Estimator.Passes(s.Queries) * len(t.batch.Tokens), Duration: time.Since(start),
	})
	return nil
}

func (t *Trainer) evaluate(ctx context.Context, step uint64) error {
	total := len(t.HeldOut.Examples)
	e, err := t.Model.Evaluate(ctx, t.HeldOut, t.Settings.Loss, t.Settings.Batch, t.Settings.Normalise,
		func(done int) { t.Observer.Evaluating(done, total) })
	if err != nil {
		return fmt.Errorf("evaluation after step %d: %w", step, blame(err, step))
	}
	if err := t.Journal.Eval(e.record(journal.EvalHeldOut, step, step)); err != nil {
		return err
	}
	best := !t.hasBest || e.Better(t.best)
	t.Observer.Evaluated(step, e, best)
	if !best {
		return nil
	}
	t.best, t.hasBest = e, true
	return t.keepBest(step)
}

// notFinite is the error of a step, counted from 0, whose loss or slopes are no
// numbers.
func (s *Settings) notFinite(step uint64, loss float64) error {
	what, large, smaller := fmt.Sprintf("the loss is %g", loss), "", ""
	if !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		what += ", but a slope is not finite"
	}
	if s.Estimator.Method() != MethodSlopes { // which has no eps
		large = fmt.Sprintf(", or eps (now %g) is too large", s.Eps)
		smaller = fmt.Sprintf(" or eps (now %g)", s.Eps)
	}
	if step == 0 {
		return fmt.Errorf("%w: before any update %s; some weight or some value of the adapter is not finite, or too large%s", ErrNotFinite, what, large)
	}
	return fmt.Errorf("%w: %s; try a smaller lr (now %g)%s", ErrDiverged, what, s.LR, smaller)
}

// blame calls it divergence where a model has lost its finite loss in so many
// steps.
func blame(err error, steps uint64) error {
	if steps > 0 && errors.Is(err, ErrNotFinite) {
		return fmt.Errorf("%w: %w", ErrDiverged, err)
	}
	return err
}

// keepBest keeps the adapter that the model holds, which is the best so far.
func (t *Trainer) keepBest(step uint64) error {
	t.bestOne = step
	if t.Test != nil {
		var err error
		if t.bestB, err = t.Model.Snapshot(); err != nil {
			return err
		}
	}
	return t.Observer.KeepBest(step, t.best)
}

// test evaluates the last adapter and the best on the test data. The best was
// chosen before, so the test data choose nothing. What the journal holds already
// is not done again.
func (t *Trainer) test(ctx context.Context, step uint64) error {
	if t.Test == nil {
		return nil
	}
	if err := t.testOne(ctx, step, step); err != nil {
		return err
	}
	if !t.hasBest || t.bestOne == step {
		return nil
	}
	last, err := t.Model.Snapshot()
	if err != nil {
		return err
	}
	if err := t.Model.Restore(t.bestB); err != nil {
		return err
	}
	err = t.testOne(ctx, step, t.bestOne)
	return errors.Join(err, t.Model.Restore(last))
}

func (t *Trainer) testOne(ctx context.Context, step, of uint64) error {
	for _, e := range t.Log.Evals {
		if e.Kind == journal.EvalTest && e.Step == step && e.Of == of {
			t.Observer.Tested(step, of, Recorded(e, t.Test.Deciding(), t.Test.Text))
			return nil
		}
	}
	total := len(t.Test.Examples)
	e, err := t.Model.Evaluate(ctx, t.Test, t.Settings.Loss, t.Settings.Batch, t.Settings.Normalise,
		func(done int) { t.Observer.Evaluating(done, total) })
	if err != nil {
		return fmt.Errorf("test of the adapter after step %d: %w", of, blame(err, of))
	}
	if err := t.Journal.Eval(e.record(journal.EvalTest, step, of)); err != nil {
		return err
	}
	t.Observer.Tested(step, of, e)
	return nil
}

func mean(losses []float32) float64 {
	sum := 0.0
	for _, l := range losses {
		sum += float64(l)
	}
	return sum / float64(len(losses))
}

func finite(values []float32) bool {
	for _, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

func joinSeed(seed [2]uint32) uint64 { return uint64(seed[0]) | uint64(seed[1])<<32 }

func splitSeed(seed uint64) [2]uint32 { return [2]uint32{uint32(seed), uint32(seed >> 32)} }
