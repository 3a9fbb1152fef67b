package train_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"zeroth/graph"
	"zeroth/graph/pass"
	"zeroth/mpzo/data"
	"zeroth/mpzo/prefix"
	"zeroth/mpzo/train"
	"zeroth/runtime/executor"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// cutFixture is a fixture whose upper layer alone is trained, cut below it.
func cutFixture(t testing.TB) *fixture {
	t.Helper()
	f := newFixture(t)
	lora := gaussianLoRA(4)
	lora.Layers = []int{1}
	f.program = cut(t, link(t, build(t, toy{toyConfig(), 9}), lora))
	return f
}

// cut cuts a linked program for a prefix cache, slopes included.
func cut(t testing.TB, p *program.Program) *program.Program {
	t.Helper()
	m := graph.Lift(p)
	m.Methods = slices.DeleteFunc(m.Methods, func(g *graph.Graph) bool { return g.Name == pass.MethodSlopes })
	if _, err := pass.CutPrefix(m); err != nil {
		t.Fatal(err)
	}
	must(t, pass.Tangents(m))
	return lower(t, m)
}

func openCache(t testing.TB, path string, columns []int, budget int64) *prefix.Cache {
	t.Helper()
	c, err := prefix.Open(path, prefix.Options{Identity: "toy", Codec: prefix.Codec{Columns: columns}, Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// toyColumns is what a token of the toy takes at the boundary.
var toyColumns = []int{16}

// Without a cache, with one, with one that is soon full and with one that was
// filled before, a run leaves the same bytes.
func TestCacheChangesNoBit(t *testing.T) {
	f := cutFixture(t)
	for _, estimator := range train.Estimators() {
		for _, loss := range []data.Loss{data.TokenLoss, data.ChoiceLoss} {
			s := settings(loss, estimator)
			f.cache = nil
			straight := f.whole(t, s, 1)
			path := filepath.Join(t.TempDir(), "cache")
			for name, budget := range map[string]int64{"all": 1 << 20, "few": 900} {
				path := path + name
				for i, filled := range []string{"empty", "filled"} {
					name := fmt.Sprintf("%s %s: %s of them, %s", estimator.Name(), loss, name, filled)
					f.cache = openCache(t, path, toyColumns, budget)
					checkResumed(t, name, straight, f.whole(t, s, 2))
					stats := f.cache.Stats()
					if stats.Hits == 0 || stats.Bytes > budget || (stats.Misses == 0) != (budget > 900 && i == 1) {
						t.Errorf("%s: %+v", name, stats)
					}
					must(t, f.cache.Close())
				}
			}
		}
	}
}

// A run that was killed in the middle, and whose cache lost its end, goes on to the
// same bytes.
func TestResumeWithATornCache(t *testing.T) {
	f := cutFixture(t)
	s := settings(data.ChoiceLoss, train.PRGE{})
	straight := f.whole(t, s, 1)
	folder := t.TempDir()
	file, path := filepath.Join(folder, "cache"), filepath.Join(folder, "journal")
	f.cache = openCache(t, file, toyColumns, 1<<20)
	first := f.run(t, path, s, 2, watcher{stopAfter: 7})
	if !errors.Is(first.err, context.Canceled) {
		t.Fatalf("%v, want it cancelled", first.err)
	}
	size := f.cache.Stats().Bytes
	must(t, f.cache.Close())
	must(t, os.Truncate(file, size-5))
	f.cache = openCache(t, file, toyColumns, 1<<20)
	checkResumed(t, "torn cache", straight, f.run(t, path, s, 3, watcher{}))
	if stats := f.cache.Stats(); stats.Hits == 0 || stats.Misses == 0 {
		t.Errorf("%+v: want what was left used, and what was torn computed", stats)
	}
}

// The losses above a boundary in binary16 are nearly those of the whole program,
// for each architecture, and exactly the same whatever else is in the batch.
func TestCutLossesAreThoseOfTheWhole(t *testing.T) {
	registries := backends(t)
	for i, name := range []string{"llama3", "qwen2", "qwen3", "gpt2", "opt", "roberta"} {
		lora := gaussianLoRA(3)
		lora.Layers = []int{1}
		whole := link(t, built(t, "tiny-random-"+name), lora)
		for j, b := range raggedBatches(t, rand.New(rand.NewPCG(21, uint64(i))), 250, 3) {
			for _, backend := range []string{"ref", "cpu"} {
				p := train.Perturbation{Seed: [2]uint32{3, uint32(j)}, Copies: 4, Eps: 1e-2}
				var losses [2][]float32
				for k, program := range []*program.Program{whole, cut(t, whole)} {
					m := bind(t, program, registries[backend], sizes(b, 4, 2), 2)
					must(t, m.Init(5))
					disturb(m, 6)
					losses[k], _ = bothLosses(t, m, b, p)
				}
				for k, want := range losses[0] {
					near(t, fmt.Sprintf("%s by %s: copy %d", name, backend, k), float64(losses[1][k]), float64(want), 1e-3)
				}
			}
		}
	}
}

// A sequence's values do not depend on those beside it, by construction: two
// examples give the same row losses in one batch and in two.
func TestPrefixRunsForASequenceAlone(t *testing.T) {
	f := cutFixture(t)
	m := f.model(t, settings(data.ChoiceLoss, train.PRGE{}), 1)
	boundary := func(picks ...int) []float32 {
		var b data.Batch
		must(t, b.PackTokens(f.train.Examples, picks))
		if _, err := m.RowLosses(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		losses, err := m.Session().Method("losses")
		must(t, err)
		in, err := losses.Input("boundary.0")
		must(t, err)
		return append([]float32(nil), in.Copy(0)...)
	}
	one, other, both := boundary(4), boundary(7), boundary(4, 7)
	if fmt.Sprint(both) != fmt.Sprint(append(one, other...)) {
		t.Error("a sequence's values depend on the batch")
	}
}

// Evaluating in between, with batches of other sizes, leaves nothing behind.
func TestFillAfterAnotherBatch(t *testing.T) {
	f := cutFixture(t)
	m := f.model(t, settings(data.TokenLoss, train.PRGE{}), 1)
	disturb(m, 1)
	losses := func(picks ...int) string {
		var b data.Batch
		must(t, b.PackTokens(f.train.Examples, picks))
		out := make([]float32, 2)
		must(t, m.Losses(context.Background(), &b, data.TokenLoss, train.Perturbation{Copies: 2, Eps: 1e-2}, out))
		return fmt.Sprint(out)
	}
	want := losses(1, 2, 3)
	if losses(5) == want || losses(1, 2, 3) != want || losses(1, 2, 3) != want {
		t.Error("the same batch gives other losses after another")
	}
}

func TestStepWithACacheAllocatesNothing(t *testing.T) {
	f := cutFixture(t)
	for _, budget := range []int64{1 << 20, 1 << 9} { // all of them, or hardly any
		f.cache = openCache(t, filepath.Join(t.TempDir(), "cache"), toyColumns, budget)
		s := newStepper(t, f, settings(data.ChoiceLoss, train.PRGE{}), 2)
		for range 40 {
			must(t, s.step())
		}
		if n := testing.AllocsPerRun(20, func() { must(t, s.step()) }); n != 0 {
			t.Errorf("budget %d: %g allocations a step", budget, n)
		}
	}
}

// A program whose losses begin at a boundary that nothing reaches is refused.
func TestBoundaryWithoutAPrefix(t *testing.T) {
	f := cutFixture(t)
	s, err := executor.New(f.program, f.kernels, executor.Options{
		Bounds: op.Extents{Width: 2, N: 4, S: 1, R: 1, K: 1, G: 1, Q: 1}, Methods: []string{"losses", "update"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := train.NewModel(s); !errors.Is(err, train.ErrProgram) {
		t.Errorf("a session without the method prefix: %v", err)
	}
}

// BenchmarkPrefixCache takes whole training steps of a later epoch on the upper
// two of 22 layers, a narrow TinyLlama of random weights, with a cache and
// without, in turn: "faster" is the median time without over that with.
func BenchmarkPrefixCache(b *testing.B) {
	config := toyConfig()
	config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads, config.KVHeads, config.HeadDim = 256, 704, 22, 8, 1, 32
	config.VocabSize, config.MaxPositions = 4000, 64
	lora := gaussianLoRA(16)
	lora.Layers = []int{20, 21}
	base := link(b, build(b, toy{config, 1}), lora)
	f := &fixture{kernels: backends(b)["cpu"], train: &data.Set{Loss: data.TokenLoss}}
	random := rand.New(rand.NewPCG(1, 2))
	for range 16 {
		ids := make([]int32, 33+random.IntN(32))
		for i := range ids {
			ids[i] = int32(random.IntN(config.VocabSize))
		}
		f.train.Examples = append(f.train.Examples, data.Example{Candidates: [][]int32{ids}, Prefix: len(ids) - 1})
	}
	f.heldOut = f.train
	for _, q := range []int{1, 4} {
		b.Run(fmt.Sprintf("P%d", 2*q), func(b *testing.B) {
			s := settings(data.TokenLoss, train.PRGE{})
			s.Queries, s.Batch = q, 8
			f.program, f.cache = base, nil
			whole := newStepper(b, f, s, 0)
			f.program, f.cache = cut(b, base), openCache(b, filepath.Join(b.TempDir(), "cache"), []int{config.HiddenSize}, 1<<30)
			cached := newStepper(b, f, s, 0)
			take := func(s *stepper) time.Duration {
				start := time.Now()
				must(b, s.step())
				return time.Since(start)
			}
			for range 2 { // the first epoch
				take(cached)
				take(whole)
			}
			misses := f.cache.Stats().Misses
			var with, without []time.Duration
			for b.Loop() {
				with = append(with, take(cached))
				b.StopTimer()
				without = append(without, take(whole))
				b.StartTimer()
			}
			if f.cache.Stats().Misses != misses {
				b.Fatal("sequences of a later epoch were not in the cache")
			}
			slices.Sort(with)
			slices.Sort(without)
			b.ReportMetric(without[len(without)/2].Seconds()/with[len(with)/2].Seconds(), "faster")
		})
	}
}
