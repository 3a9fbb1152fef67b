package train_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
)

// The test data are looked at when all is done: with the last adapter and with
// the best on held-out data, which they have no say in. An interruption between
// the two changes no byte.
func TestTestData(t *testing.T) {
	f := newFixture(t)
	f.heldOut = f.train
	f.test = &data.Set{
		File: "test", Loss: data.ChoiceLoss, Metrics: []data.Metric{data.Accuracy},
		Examples: examples(rand.New(rand.NewPCG(91, 92)), toyConfig().VocabSize, 7, 2),
	}
	s := settings(data.ChoiceLoss, train.PRGE{})
	s.LR, s.EvalEvery = 0.3, 1
	path := filepath.Join(t.TempDir(), "journal")
	straight := f.run(t, path, s, 1, watcher{})
	if straight.err != nil {
		t.Fatal(straight.err)
	}
	log, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	best := log.Evals[train.Best(log.Evals, data.Accuracy)]
	if best.Kind != journal.EvalHeldOut || best.Step == s.Steps || best.Step == 0 {
		t.Fatalf("the best evaluation is %+v: nothing to tell apart", best)
	}
	tests := log.Evals[len(log.Evals)-2:]
	for i, of := range []uint64{s.Steps, best.Step} {
		m := f.model(t, s, 1)
		if err := m.Replay(context.Background(), log, of, nil); err != nil {
			t.Fatal(err)
		}
		if i == 0 && string(bytesOf(m)) != string(straight.b) {
			t.Error("the run does not end with its last adapter")
		}
		e, err := m.Evaluate(context.Background(), f.test, s.Loss, s.Batch, s.Normalise, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := journal.Eval{
			Step: s.Steps, Of: of, Kind: journal.EvalTest, Metrics: journal.HasLoss | journal.HasAccuracy,
			Examples: 7, Loss: e.Loss, Accuracy: e.Scores.Accuracy,
		}
		if tests[i] != want {
			t.Errorf("test %d is %+v, want %+v", i, tests[i], want)
		}
	}
	if !slices.Equal(straight.watcher.tested, []uint64{s.Steps, best.Step}) {
		t.Errorf("tested adapters are those of steps %v", straight.watcher.tested)
	}

	path = filepath.Join(t.TempDir(), "journal")
	if o := f.run(t, path, s, 1, watcher{stopAtTest: true}); o.err == nil || !slices.Equal(o.watcher.tested, []uint64{s.Steps}) {
		t.Fatalf("interrupted: %v, tested %v", o.err, o.watcher.tested)
	}
	again := f.run(t, path, s, 1, watcher{})
	if again.err != nil || !slices.Equal(again.journal, straight.journal) || !slices.Equal(again.b, straight.b) {
		t.Errorf("resumed between the tests: %v, %d bytes of journal, want %d", again.err, len(again.journal), len(straight.journal))
	}
	if !slices.Equal(again.watcher.tested, straight.watcher.tested) || len(again.watcher.evaluated) != 0 {
		t.Errorf("resumed between the tests: tested %v, evaluated %v", again.watcher.tested, again.watcher.evaluated)
	}

	f.heldOut = nil
	alone := f.run(t, filepath.Join(t.TempDir(), "journal"), s, 1, watcher{})
	if alone.err == nil && !slices.Equal(alone.watcher.tested, []uint64{s.Steps}) {
		t.Errorf("without held-out data: tested %v", alone.watcher.tested)
	}
}
