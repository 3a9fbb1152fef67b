package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/prefix"
	"zeroth/mpzo/train"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// watcher is an observer that notes what it is told and can interrupt.
type watcher struct {
	cancel      context.CancelFunc
	stopAfter   uint64 // steps, 0: never
	stopAtEval  bool   // not after step stopAfter, but after the evaluation there
	steps       []train.StepReport
	replayed    uint64
	evaluated   []uint64
	kept        []uint64 // steps of KeepBest, in order
	tested      []uint64 // the adapters' steps of Tested, in order
	stopAtTest  bool     // after the first of them
	bestAdapter []byte
	model       *train.Model
}

func (w *watcher) Replayed(done, _ uint64) { w.replayed = done }

func (w *watcher) Step(r train.StepReport) {
	w.steps = append(w.steps, r)
	if w.stopAfter == r.Step && !w.stopAtEval {
		w.cancel()
	}
}

func (w *watcher) Evaluating(int, int) {}

func (w *watcher) Evaluated(step uint64, _ train.Evaluation, _ bool) {
	w.evaluated = append(w.evaluated, step)
	if w.stopAfter == step && w.stopAtEval {
		w.cancel()
	}
}

func (w *watcher) KeepBest(step uint64, _ train.Evaluation) error {
	w.kept = append(w.kept, step)
	w.bestAdapter = bytesOf(w.model)
	return nil
}

func (w *watcher) Tested(_, of uint64, _ train.Evaluation) {
	w.tested = append(w.tested, of)
	if w.stopAtTest {
		w.cancel()
	}
}

// fixture is a small training task.
type fixture struct {
	program *program.Program
	train   *data.Set
	heldOut *data.Set
	test    *data.Set // may be nil
	kernels *kernel.Registry
	cache   *prefix.Cache // what a program cut for it uses, or nil
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	config := toyConfig()
	random := rand.New(rand.NewPCG(81, 82))
	set := func(count int) *data.Set {
		return &data.Set{
			File: "toy", Loss: data.ChoiceLoss, Metrics: []data.Metric{data.Accuracy},
			Examples: examples(random, config.VocabSize, count, 2),
		}
	}
	return &fixture{
		program: link(t, build(t, toy{config, 9}), gaussianLoRA(4)),
		train:   set(13), heldOut: set(7), kernels: backends(t)["cpu"],
	}
}

func settings(loss data.Loss, estimator train.Estimator) train.Settings {
	return train.Settings{
		Seed: 5, Steps: 20, Batch: 3, Queries: 3, Eps: 1e-2, LR: 2e-2, Schedule: train.Cosine,
		Loss: loss, EvalEvery: 5, Estimator: estimator,
	}
}

func (f *fixture) model(t testing.TB, s train.Settings, threads int) *train.Model {
	t.Helper()
	step, err := train.StepBounds(f.train, s.Loss, s.Batch)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*data.Set{f.heldOut, f.test} {
		if set == nil {
			continue
		}
		evaluation, err := train.EvaluationBounds(set, s.Loss, s.Batch)
		if err != nil {
			t.Fatal(err)
		}
		step = step.Max(evaluation)
	}
	m := bind(t, f.program, f.kernels, train.Bounds(step, s.Estimator.Copies(s.Queries), s.Queries), threads)
	must(t, m.Init(s.Seed))
	if f.cache != nil {
		m.UseCache(f.cache)
	}
	return m
}

func header(m *train.Model, s train.Settings) journal.Header {
	h := journal.Header{Seed: s.Seed, Rank: 4, Alpha: 8, Sampler: 1, Q: s.Queries, Eps: s.Eps, Settings: map[string]string{}}
	s.Moves.Describe(h.Settings)
	for _, site := range m.Sites() {
		h.Sites = append(h.Sites, journal.Site{ID: uint64(site.ID), Name: site.Name})
	}
	return h
}

// outcome is what a run leaves.
type outcome struct {
	err     error
	journal []byte
	b       []byte
	watcher *watcher
}

// run trains in the journal at path, which it makes or, where it is there,
// opens; watch says when to interrupt.
func (f *fixture) run(t testing.TB, path string, s train.Settings, threads int, watch watcher) outcome {
	t.Helper()
	m := f.model(t, s, threads)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch.cancel, watch.model = cancel, m
	trainer := &train.Trainer{Model: m, Settings: s, Train: f.train, HeldOut: f.heldOut, Test: f.test, Observer: &watch}
	var err error
	if _, missing := os.Stat(path); missing != nil {
		h := header(m, s)
		trainer.Log = &journal.Log{Header: h}
		trainer.Journal, err = journal.Create(path, h)
	} else {
		trainer.Journal, trainer.Log, err = journal.Open(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	trainer.Journal.SyncEvery(0, 0)
	failed := trainer.Run(ctx)
	if err := trainer.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{err: failed, journal: raw, b: bytesOf(m), watcher: &watch}
}

// whole is run without an interruption.
func (f *fixture) whole(t testing.TB, s train.Settings, threads int) outcome {
	t.Helper()
	o := f.run(t, filepath.Join(t.TempDir(), "journal"), s, threads, watcher{})
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o
}

func TestJournalDoesNotDependOnThreads(t *testing.T) {
	f := newFixture(t)
	for _, loss := range []data.Loss{data.TokenLoss, data.ChoiceLoss} {
		for _, estimator := range train.Estimators() {
			t.Run(fmt.Sprintf("%s/%s", loss, estimator.Name()), func(t *testing.T) {
				s := settings(loss, estimator)
				one := f.whole(t, s, 1)
				for _, threads := range []int{1, 2, 7} {
					other := f.whole(t, s, threads)
					if !slices.Equal(one.journal, other.journal) || !slices.Equal(one.b, other.b) {
						t.Errorf("%d threads: other bytes than 1 thread", threads)
					}
				}
				s.Seed++
				other := f.whole(t, s, 2)
				if slices.Equal(one.journal, other.journal) || slices.Equal(one.b, other.b) {
					t.Error("another seed gives the same bytes")
				}
			})
		}
	}
}

// Both estimators look along the same directions: their projected gradients
// differ by no more than what float32 losses leave.
func TestEstimatorsAgree(t *testing.T) {
	f := newFixture(t)
	prge := settings(data.ChoiceLoss, train.PRGE{})
	mezo := settings(data.ChoiceLoss, train.MeZO{})
	folder := t.TempDir()
	logs := make([]*journal.Log, 2)
	for i, s := range []train.Settings{prge, mezo} {
		path := filepath.Join(folder, s.Estimator.Name())
		if o := f.run(t, path, s, 2, watcher{}); o.err != nil {
			t.Fatal(o.err)
		}
		var err error
		if logs[i], err = journal.Read(path); err != nil {
			t.Fatal(err)
		}
	}
	for i := range logs[0].Steps {
		a, b := logs[0].Steps[i], logs[1].Steps[i]
		if a.Seed != b.Seed || a.LR != b.LR {
			t.Fatalf("step %d: seeds %x and %x, lr %g and %g", i+1, a.Seed, b.Seed, a.LR, b.LR)
		}
		for query, g := range a.ProjGrads {
			if off, largest := math.Abs(float64(g)-float64(b.ProjGrads[query])), float64(slices.Max(b.ProjGrads)); off > 1e-4*max(largest, 1e-2) {
				t.Errorf("step %d query %d: g %g by prge, %g by mezo", i+1, query, g, b.ProjGrads[query])
			}
		}
	}
}

// A run that learns nothing would make the other tests of this file blind.
func TestTrainingLowersTheLoss(t *testing.T) {
	f := newFixture(t)
	f.heldOut = f.train
	s := settings(data.ChoiceLoss, train.PRGE{})
	s.Steps, s.LR, s.EvalEvery = 150, 5e-2, 0
	path := filepath.Join(t.TempDir(), "journal")
	if o := f.run(t, path, s, 2, watcher{}); o.err != nil {
		t.Fatal(o.err)
	}
	log, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	first, last := log.Evals[0], log.Evals[len(log.Evals)-1]
	t.Logf("loss %.4f to %.4f, accuracy %.2f to %.2f", first.Loss, last.Loss, first.Accuracy, last.Accuracy)
	if last.Loss > 0.7*first.Loss {
		t.Errorf("loss %g after training, %g before", last.Loss, first.Loss)
	}
}

// The best adapter is the one held when KeepBest was last called.
func TestBestAdapterIsKeptAgain(t *testing.T) {
	f := newFixture(t)
	f.heldOut = f.train
	s := settings(data.ChoiceLoss, train.PRGE{})
	s.LR, s.EvalEvery = 0.3, 1
	path := filepath.Join(t.TempDir(), "journal")
	straight := f.run(t, path, s, 1, watcher{})
	log, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var best []uint64 // by accuracy, then by loss
	accuracy, loss := -1.0, 0.0
	for _, e := range log.Evals {
		if e.Accuracy > accuracy || e.Accuracy == accuracy && e.Loss < loss {
			accuracy, loss, best = e.Accuracy, e.Loss, append(best, e.Step)
		}
	}
	if len(best) < 2 || len(best) == len(log.Evals) || !slices.Equal(straight.watcher.kept, best) {
		t.Fatalf("the best adapter is kept at %v, evaluations say %v of %d", straight.watcher.kept, best, len(log.Evals))
	}
	// A finished journal opened again: everything is replayed, nothing is done.
	again := f.run(t, path, s, 1, watcher{})
	if again.err != nil || len(again.watcher.steps) != 0 || len(again.watcher.evaluated) != 0 || again.watcher.replayed != s.Steps {
		t.Errorf("resuming a finished run: %v, %d steps, evaluations %v, %d replayed",
			again.err, len(again.watcher.steps), again.watcher.evaluated, again.watcher.replayed)
	}
	if !slices.Equal(straight.b, again.b) || !slices.Equal(straight.journal, again.journal) {
		t.Error("replaying a finished run gives other bytes")
	}
	kept := straight.watcher.kept
	if len(again.watcher.kept) != 1 || again.watcher.kept[0] != kept[len(kept)-1] {
		t.Errorf("best adapter kept at %v, and again at %v", kept, again.watcher.kept)
	}
	if !slices.Equal(straight.watcher.bestAdapter, again.watcher.bestAdapter) {
		t.Error("the best adapter found again has other bytes")
	}
}

func TestResumeRefusesFewerSteps(t *testing.T) {
	f := newFixture(t)
	s := settings(data.TokenLoss, train.PRGE{})
	s.Schedule = train.Constant
	path := filepath.Join(t.TempDir(), "journal")
	f.run(t, path, s, 1, watcher{})
	s.Steps = 12
	if o := f.run(t, path, s, 1, watcher{}); o.err == nil {
		t.Error("a journal of 20 steps is resumed to 12")
	}
	s.Steps = 25
	if o := f.run(t, path, s, 1, watcher{}); o.err != nil || len(o.watcher.steps) != 5 {
		t.Errorf("going on from 20 to 25: %v, %d steps", o.err, len(o.watcher.steps))
	}
}

// Replay needs neither data nor forward passes, nor room for either.
func TestReplayRebuildsTheAdapter(t *testing.T) {
	f := newFixture(t)
	s := settings(data.ChoiceLoss, train.PRGE{})
	path := filepath.Join(t.TempDir(), "journal")
	trained := f.run(t, path, s, 2, watcher{})
	log, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, registry := range backends(t) {
		m := bind(t, f.program, registry, op.Extents{Width: 1, Q: s.Queries}, 3)
		must(t, m.Init(s.Seed))
		if err := m.Replay(context.Background(), log, s.Steps, nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(bytesOf(m), trained.b) {
			t.Errorf("%s: replaying gives other bits", name)
		}
		if err := m.Replay(context.Background(), log, s.Steps+1, nil); err == nil {
			t.Errorf("%s: a step that the journal lacks is replayed", name)
		}
	}
}

// Every step has a seed of its own, that of the run's seed and the step.
func TestStepSeeds(t *testing.T) {
	f := newFixture(t)
	s := settings(data.TokenLoss, train.PRGE{})
	path := filepath.Join(t.TempDir(), "journal")
	f.run(t, path, s, 1, watcher{})
	log, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[uint64]bool)
	for i, step := range log.Steps {
		want := noise.StepSeed(s.Seed, uint64(i))
		if seen[step.Seed] || step.Seed != uint64(want[0])|uint64(want[1])<<32 {
			t.Errorf("step %d has seed %x", i+1, step.Seed)
		}
		seen[step.Seed] = true
		if want := s.Schedule.Rate(s.LR, uint64(i), s.Steps, s.Warmup); step.LR != want {
			t.Errorf("step %d has rate %g, want %g", i+1, step.LR, want)
		}
	}
}

// interrupting is PRGE that has the run cancelled while it works on a step.
type interrupting struct {
	train.PRGE
	cancel context.CancelFunc
	left   *int
}

func (e interrupting) Estimate(ctx context.Context, m *train.Model, b *data.Batch, loss data.Loss, at train.Probe, losses, g []float32) error {
	err := e.PRGE.Estimate(ctx, m, b, loss, at, losses, g)
	if *e.left--; *e.left == 0 {
		e.cancel()
	}
	return err
}

// A step whose record is written is carried out, whenever the run is cancelled.
func TestRecordedStepIsCarriedOut(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left := 4
	s := settings(data.TokenLoss, interrupting{cancel: cancel, left: &left})
	m := f.model(t, s, 1)
	path := filepath.Join(t.TempDir(), "journal")
	writer, err := journal.Create(path, header(m, s))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	trainer := train.Trainer{Model: m, Settings: s, Train: f.train, Journal: writer, Log: &journal.Log{}, Observer: &watcher{}}
	if err := trainer.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want it cancelled", err)
	}
	log, err := journal.Read(path)
	if err != nil || len(log.Steps) != 4 {
		t.Fatalf("%d steps are recorded, %v; want 4", len(log.Steps), err)
	}
	trained := bytesOf(m)
	must(t, m.Init(s.Seed))
	if err := m.Replay(context.Background(), log, 4, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(bytesOf(m), trained) {
		t.Error("the adapter is not what the recorded steps make")
	}
}
