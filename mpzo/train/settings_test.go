package train_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
)

func TestSettingsAreChecked(t *testing.T) {
	good := settings(data.TokenLoss, train.PRGE{})
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, spoil := range map[string]func(*train.Settings){
		"steps":     func(s *train.Settings) { s.Steps = 0 },
		"batch":     func(s *train.Settings) { s.Batch = 0 },
		"q must":    func(s *train.Settings) { s.Queries = 0 },
		"1024":      func(s *train.Settings) { s.Queries = 1025 },
		"eps":       func(s *train.Settings) { s.Eps = 0 },
		"eps must":  func(s *train.Settings) { s.Eps = nan },
		"eps ":      func(s *train.Settings) { s.Eps = inf },
		"lr":        func(s *train.Settings) { s.LR = -1 },
		"lr must":   func(s *train.Settings) { s.LR = nan },
		"lr must b": func(s *train.Settings) { s.LR = inf },
		"estimator": func(s *train.Settings) { s.Estimator = nil },
	} {
		s := good
		spoil(&s)
		if err := s.Check(); !errors.Is(err, train.ErrSettings) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := train.FindEstimator("adam"); !errors.Is(err, train.ErrSettings) {
		t.Errorf("an unknown estimator: %v", err)
	}
	for _, e := range train.Estimators() {
		if found, err := train.FindEstimator(e.Name()); err != nil || found != e {
			t.Errorf("%s: %v, %v", e.Name(), found, err)
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		schedule train.Schedule
		rates    []float32 // at steps 0, 25, 50, 75 of 100
	}{
		{train.Constant, []float32{8, 8, 8, 8}},
		{train.Linear, []float32{8, 6, 4, 2}},
		{train.Cosine, []float32{8, 6.828427, 4, 1.1715729}},
	} {
		for i, want := range c.rates {
			if got := c.schedule.Rate(8, uint64(25*i), 100, 0); math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("%s at %d %%: %g, want %g", c.schedule, 25*i, got, want)
			}
		}
		if last := c.schedule.Rate(8, 99, 100, 0); last < 0 {
			t.Errorf("%s ends at %g", c.schedule, last)
		}
		for step, share := range []float32{0.25, 0.5, 0.75, 1} { // a warm-up of three steps
			got, want := c.schedule.Rate(8, uint64(step), 100, 3), share*c.schedule.Rate(8, uint64(step), 100, 0)
			if math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("%s, step %d of a warm-up of 3: %g, want %g", c.schedule, step, got, want)
			}
		}
		if s, err := train.ParseSchedule(string(c.schedule)); err != nil || s != c.schedule {
			t.Errorf("%s: %v, %v", c.schedule, s, err)
		}
	}
	if _, err := train.ParseSchedule("step"); !errors.Is(err, train.ErrSettings) {
		t.Errorf("an unknown schedule: %v", err)
	}
}

// A loss that is no number ends the run before the step is recorded or done.
func TestDivergence(t *testing.T) {
	f := newFixture(t)
	f.heldOut = nil
	s := settings(data.TokenLoss, train.PRGE{})
	s.LR, s.Schedule = 1e30, train.Constant
	bounds, err := train.StepBounds(f.train, s.Loss, s.Batch)
	if err != nil {
		t.Fatal(err)
	}
	m := bind(t, f.program, f.kernels, train.Bounds(bounds, 2*s.Queries, s.Queries), 1)
	must(t, m.Init(s.Seed))
	path := filepath.Join(t.TempDir(), "journal")
	writer, err := journal.Create(path, header(m, s))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	trainer := train.Trainer{Model: m, Settings: s, Train: f.train, Journal: writer, Log: &journal.Log{}, Observer: &watcher{}}
	if err := trainer.Run(context.Background()); !errors.Is(err, train.ErrDiverged) {
		t.Fatalf("a rate of 10³⁰: %v", err)
	}
	log, err := journal.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Steps) == 0 || len(log.Steps) > 5 {
		t.Errorf("diverged after %d steps", len(log.Steps))
	}
	diverged := bytesOf(m)
	must(t, m.Init(s.Seed))
	if err := m.Replay(context.Background(), log, uint64(len(log.Steps)), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(bytesOf(m), diverged) {
		t.Error("the adapter is not what the recorded steps make")
	}
}

// A model that gives no number before any step has not diverged.
func TestNoFiniteLossFromTheStart(t *testing.T) {
	f := newFixture(t)
	s := settings(data.TokenLoss, train.PRGE{})
	m := f.model(t, s, 1)
	b, err := m.Session().WriteSlot(m.Sites()[0].B)
	must(t, err)
	b[3] = float32(math.NaN())
	blamed := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, train.ErrNotFinite) || errors.Is(err, train.ErrDiverged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = m.Evaluate(context.Background(), f.heldOut, s.Loss, s.Batch, data.BySum, nil)
	blamed("an evaluation", err)
	for what, heldOut := range map[string]*data.Set{"the first evaluation": f.heldOut, "the first step": nil} {
		writer, err := journal.Create(filepath.Join(t.TempDir(), "journal"), header(m, s))
		must(t, err)
		trainer := train.Trainer{Model: m, Settings: s, Train: f.train, HeldOut: heldOut, Journal: writer, Log: &journal.Log{}, Observer: &watcher{}}
		blamed(what, trainer.Run(context.Background()))
		must(t, writer.Close())
	}
}

// Slopes that are no numbers are told apart from a loss that is none.
func TestSlopeThatIsNotFinite(t *testing.T) {
	f := newFixture(t)
	f.heldOut = nil
	s := settings(data.TokenLoss, train.JVP{})
	for value, says := range map[float64]string{
		1e9:        ", but a slope is not finite; some weight or some value of the adapter is not finite, or too large",
		math.NaN(): "the loss is NaN; some weight or some value of the adapter is not finite, or too large",
	} {
		m := f.model(t, s, 1)
		for _, site := range m.Sites() {
			b, err := m.Session().WriteSlot(site.B)
			must(t, err)
			b[3] = float32(value)
		}
		writer, err := journal.Create(filepath.Join(t.TempDir(), "journal"), header(m, s))
		must(t, err)
		trainer := train.Trainer{Model: m, Settings: s, Train: f.train, Journal: writer, Log: &journal.Log{}, Observer: &watcher{}}
		if err := trainer.Run(context.Background()); !errors.Is(err, train.ErrNotFinite) || !strings.HasSuffix(err.Error(), says) {
			t.Errorf("B %g: %v", value, err)
		}
		must(t, writer.Close())
	}
}

func TestNewModelWantsItsMethods(t *testing.T) {
	f := newFixture(t)
	s, err := executor.New(f.program, f.kernels, executor.Options{Bounds: op.Extents{Q: 1}, Methods: []string{"update"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := train.NewModel(s); !errors.Is(err, train.ErrProgram) {
		t.Errorf("a session without losses: %v", err)
	}
	bare := build(t, toy{toyConfig(), 1})
	without, err := executor.New(bare, f.kernels, executor.Options{Bounds: op.Extents{N: 1, S: 1, R: 1, K: 1, G: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer without.Close()
	if _, err := train.NewModel(without); !errors.Is(err, train.ErrProgram) {
		t.Errorf("a program without LoRA: %v", err)
	}
}

// Evaluate's sums are those of the float64 model, in batches of any size.
func TestEvaluate(t *testing.T) {
	f := newFixture(t)
	checkpoint := toy{toyConfig(), 9}
	s := settings(data.TokenLoss, train.PRGE{})
	s.Batch = 7
	m := f.model(t, s, 2)
	disturb(m, 12)
	want := newOracle(t, checkpoint, m, 4, 2).loss(f.heldOut.Examples)
	for _, batch := range []int{1, 2, 7} {
		e, err := m.Evaluate(context.Background(), f.heldOut, data.TokenLoss, batch, data.BySum, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "loss", e.Loss, want, 1e-5)
		if e.Tally.Examples != 7 || e.Tally.Choices != 7 || !(e.Scores.Accuracy >= 0) {
			t.Errorf("batches of %d: %+v", batch, e.Tally)
		}
	}
	// Over candidates, the program's own loss of the whole set as one batch.
	var b data.Batch
	if err := b.PackChoices(f.heldOut.Examples, all(7)); err != nil {
		t.Fatal(err)
	}
	_, choices := bothLosses(t, m, &b, train.None)
	for _, batch := range []int{3, 7} {
		e, err := m.Evaluate(context.Background(), f.heldOut, data.ChoiceLoss, batch, data.BySum, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "loss over candidates", e.Loss, float64(choices[0]), 1e-5)
	}
	if _, err := m.Evaluate(context.Background(), f.heldOut, data.TokenLoss, 0, data.BySum, nil); !errors.Is(err, train.ErrSettings) {
		t.Errorf("batches of none: %v", err)
	}
	if _, err := m.Evaluate(context.Background(), f.train, data.TokenLoss, 13, data.BySum, nil); !errors.Is(err, executor.ErrInput) {
		t.Errorf("batches beyond the session's bounds: %v", err)
	}
}

func TestBetter(t *testing.T) {
	e := func(correct int, loss float64) train.Evaluation {
		return train.Evaluation{Scores: data.Scores{Accuracy: float64(correct) / 10, F1: -loss}, Loss: loss}
	}
	f1 := func(f1, exact float64) train.Evaluation {
		return train.Evaluation{Scores: data.Scores{Accuracy: -f1, F1: f1, ExactMatch: exact}, Deciding: data.F1}
	}
	text := func(loss float64) train.Evaluation {
		return train.Evaluation{Scores: data.NoScores(), Loss: loss, Text: true}
	}
	for _, c := range []struct {
		a, b train.Evaluation
		want bool
	}{
		{e(6, 2), e(5, 1), true},
		{e(5, 1), e(6, 2), false},
		{e(5, 1), e(5, 2), true},
		{e(5, 2), e(5, 2), false},
		{f1(0.6, 0), f1(0.5, 1), true},
		{f1(0.5, 1), f1(0.6, 0), false},
		{text(1), text(2), true},
		{text(2), text(1), false},
	} {
		if got := c.a.Better(c.b); got != c.want {
			t.Errorf("%+v better than %+v: %t", c.a, c.b, got)
		}
	}
}

// LoRA-FA starts with A uniform within 1/√K, different at every site and for
// every seed, and B zero.
func TestInit(t *testing.T) {
	p := link(t, build(t, toy{toyConfig(), 2}), gaussianLoRA(8))
	m := bind(t, p, backends(t)["ref"], op.Extents{Q: 1}, 1)
	disturb(m, 5)
	first := make(map[float32]bool)
	for _, seed := range []uint64{4, 5} {
		must(t, m.Init(seed))
		for _, site := range m.Sites() {
			a, bound, largest, square := slot(m, site.A), 1/math.Sqrt(float64(site.In)), 0.0, 0.0
			for _, v := range a {
				largest, square = max(largest, math.Abs(float64(v))), square+float64(v)*float64(v)/float64(len(a))
			}
			if largest > bound || largest < 0.9*bound || math.Abs(square/(bound*bound)-1.0/3) > 0.1 {
				t.Errorf("%s: A reaches %g of %g, mean square %g", site.Name, largest, bound, square)
			}
			if first[a[0]] {
				t.Errorf("%s: A begins like that of another site or seed", site.Name)
			}
			first[a[0]] = true
		}
	}
	if slices.ContainsFunc(bytesOf(m), func(b byte) bool { return b != 0 }) {
		t.Error("B is not zero")
	}
}

// What a trainer lacks is named before anything is done.
func TestTrainerIsWhole(t *testing.T) {
	whole := train.Trainer{
		Model: new(train.Model), Train: new(data.Set), Journal: new(journal.Writer), Log: new(journal.Log), Observer: new(watcher),
	}
	for name, spoil := range map[string]func(*train.Trainer){
		"Model":    func(t *train.Trainer) { t.Model = nil },
		"Train":    func(t *train.Trainer) { t.Train = nil },
		"Journal":  func(t *train.Trainer) { t.Journal = nil },
		"Log":      func(t *train.Trainer) { t.Log = nil },
		"Observer": func(t *train.Trainer) { t.Observer = nil },
		"steps":    func(*train.Trainer) {}, // no settings either
	} {
		trainer := whole
		spoil(&trainer)
		if err := trainer.Run(context.Background()); !errors.Is(err, train.ErrSettings) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
