package train_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
	"zeroth/runtime/program"
)

// stepper is a training step taken apart, as Trainer does it: pack, losses,
// journal, update.
type stepper struct {
	model     *train.Model
	settings  train.Settings
	list      []data.Example
	order     data.Order
	journal   *journal.Writer
	batch     data.Batch
	picks     []int
	losses, g []float32
	done      uint64
}

func newStepper(t testing.TB, f *fixture, s train.Settings, threads int) *stepper {
	t.Helper()
	m := f.model(t, s, threads)
	writer, err := journal.Create(filepath.Join(t.TempDir(), "journal"), header(m, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { writer.Close() })
	writer.SyncEvery(0, 0)
	order, err := data.NewOrder(s.Seed, len(f.train.Examples), s.Batch)
	if err != nil {
		t.Fatal(err)
	}
	return &stepper{
		model: m, settings: s, list: f.train.Examples, order: order, journal: writer,
		losses: make([]float32, 2*s.Queries), g: make([]float32, s.Queries),
	}
}

func (s *stepper) step() error {
	s.picks = s.order.Batch(s.done, s.picks)
	pack := s.batch.PackTokens
	if s.settings.Loss == data.ChoiceLoss {
		pack = s.batch.PackChoices
	}
	if err := pack(s.list, s.picks); err != nil {
		return err
	}
	seed := noise.StepSeed(s.settings.Seed, s.done)
	at := train.Probe{Seed: seed, Eps: s.settings.Eps}
	if err := s.settings.Estimator.Estimate(context.Background(), s.model, &s.batch, s.settings.Loss, at, s.losses, s.g); err != nil {
		return err
	}
	s.done++
	record := journal.Step{Number: s.done, Seed: uint64(seed[0]), LR: 1e-4, ProjGrads: s.g}
	if err := s.journal.Step(record); err != nil {
		return err
	}
	return s.model.Update(context.Background(), seed, s.g, 1e-4)
}

func TestStepAllocatesNothing(t *testing.T) {
	f, registries := newFixture(t), backends(t)
	for _, estimator := range train.Estimators() {
		for _, loss := range []data.Loss{data.TokenLoss, data.ChoiceLoss} {
			for _, name := range []string{"ref", "cpu"} {
				f.kernels = registries[name]
				s := newStepper(t, f, settings(loss, estimator), 3)
				fail := func(err error) {
					if err != nil {
						t.Fatal(err)
					}
				}
				for range 40 { // lets the batch grow to its largest
					fail(s.step())
				}
				if n := testing.AllocsPerRun(20, func() { fail(s.step()) }); n != 0 {
					t.Errorf("%s %s %s: %g allocations a step", name, estimator.Name(), loss, n)
				}
			}
		}
	}
}

// mallocs is an observer that counts the allocations between two steps.
type mallocs struct {
	watcher
	from, to uint64 // steps
	count    uint64
}

func (o *mallocs) Step(r train.StepReport) {
	if r.Step != o.from && r.Step != o.to {
		return
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	o.count = stats.Mallocs - o.count
}

// The Trainer's own loop: what 100 of its steps allocate. Go's runtime may
// allocate meanwhile, so the fewest of several runs counts.
func TestTrainerAllocatesNothing(t *testing.T) {
	f := newFixture(t)
	f.heldOut = f.train
	for _, name := range train.Optimizers() {
		s := settings(data.ChoiceLoss, train.PRGE{})
		s.Steps, s.EvalEvery = 140, 0
		s.Moves = train.Moves{Optimizer: name, Clip: 3, Normalise: true}
		trainerAllocatesNothing(t, f, s)
	}
}

func trainerAllocatesNothing(t *testing.T, f *fixture, s train.Settings) {
	t.Helper()
	fewest := uint64(1 << 62)
	for range 3 {
		m := f.model(t, s, 2)
		writer, err := journal.Create(filepath.Join(t.TempDir(), "journal"), header(m, s))
		if err != nil {
			t.Fatal(err)
		}
		observer := &mallocs{watcher: watcher{model: m}, from: 40, to: 140}
		trainer := train.Trainer{Model: m, Settings: s, Train: f.train, Journal: writer, Log: &journal.Log{}, Observer: observer}
		if err := trainer.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		fewest = min(fewest, observer.count)
	}
	if fewest > 10 { // of 100 steps
		t.Errorf("100 steps by %s make %d allocations", s.Moves.Optimizer, fewest)
	}
}

// BenchmarkStep takes whole training steps on a model of random weights
// and the demo's shape. "rows/s" counts hidden rows forwarded,
// all copies included; "widening" is the time of 2q sequential passes over that
// of the step, both taken in this run.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name   string
		layers []int
	}{{"all layers", nil}, {"upper two layers", []int{3, 4}}} {
		b.Run(c.name, func(b *testing.B) {
			lora := gaussianLoRA(8)
			lora.Layers = c.layers
			config := toyConfig()
			config.HiddenSize, config.IntermediateSize, config.Layers, config.HeadDim, config.VocabSize = 128, 352, 5, 32, 2048
			base := build(b, toy{config, 1})
			benchmarkSteps(b, link(b, base, lora), config.VocabSize)
		})
	}
}

func benchmarkSteps(b *testing.B, p *program.Program, vocab int) {
	f := &fixture{program: p, kernels: backends(b)["cpu"]}
	f.train = &data.Set{Loss: data.TokenLoss}
	for i := range 16 {
		ids := make([]int32, 25)
		for j := range ids {
			ids[j] = int32((i*31 + j*17) % vocab)
		}
		f.train.Examples = append(f.train.Examples, data.Example{Candidates: [][]int32{ids}, Prefix: 23})
	}
	f.heldOut = f.train
	for _, q := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("q%d", q), func(b *testing.B) {
			s := settings(data.TokenLoss, train.PRGE{})
			s.Queries, s.Batch = q, 8
			widened := newStepper(b, f, s, 0)
			s.Estimator = train.MeZO{}
			sequential := newStepper(b, f, s, 0)
			take := func(s *stepper, steps int) time.Duration {
				start := time.Now()
				for range steps {
					if err := s.step(); err != nil {
						b.Fatal(err)
					}
				}
				return time.Since(start)
			}
			take(widened, 2)
			take(sequential, 2)
			b.ReportAllocs()
			var fast, slow time.Duration
			for b.Loop() {
				fast += take(widened, 1)
				b.StopTimer()
				slow += take(sequential, 1)
				b.StartTimer()
			}
			rows := float64(2 * q * len(widened.batch.Tokens) * b.N)
			b.ReportMetric(rows/fast.Seconds(), "rows/s")
			b.ReportMetric(slow.Seconds()/fast.Seconds(), "widening")
		})
	}
}
