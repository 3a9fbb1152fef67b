package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/mpzo/data"
	"zeroth/mpzo/journal"
	"zeroth/mpzo/train"
	"zeroth/runtime/noise"
)

// everyMoves is each optimizer, alone and with all that there is to set.
func everyMoves() []train.Moves {
	var list []train.Moves
	for _, name := range train.Optimizers() {
		plain := train.Moves{Optimizer: name}
		if plain.Averages() {
			plain.Momentum = 0.8
		}
		more := plain
		more.Clip, more.Normalise = 1.25, true
		list = append(list, plain, more)
	}
	return list
}

// What an optimizer remembers is in no file: a resumed run and a replay must
// find it again from the steps.
func TestMovesAreResumedAndReplayed(t *testing.T) {
	f := newFixture(t)
	for _, moves := range everyMoves() {
		s := settings(data.ChoiceLoss, train.FZOO{})
		s.Moves, s.Warmup = moves, 4
		straight := f.whole(t, s, 1)
		path := filepath.Join(t.TempDir(), "journal")
		if first := f.run(t, path, s, 2, watcher{stopAfter: 7}); !errors.Is(first.err, context.Canceled) {
			t.Fatalf("%+v: %v, want it cancelled", moves, first.err)
		}
		checkResumed(t, fmt.Sprintf("%+v", moves), straight, f.run(t, path, s, 3, watcher{}))

		log, err := journal.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		m := f.model(t, s, 1)
		if err := m.Replay(context.Background(), log, s.Steps, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytesOf(m), straight.b) {
			t.Errorf("%+v: replaying gives other bits", moves)
		}
	}
}

// estimates are those of the gradient at each site for some steps, in float64.
func estimates(m *train.Model, steps [][]float32) [][][]float64 {
	var all [][][]float64
	for number, g := range steps {
		var sites [][]float64
		for _, site := range m.Sites() {
			z := make([]float32, len(slot(m, site.B)))
			sum := make([]float64, len(z))
			for i, slope := range g {
				noise.Gaussian.Fill(z, noise.StepSeed(3, uint64(number)), site.ID, uint32(i), 0)
				for e, v := range z {
					sum[e] += float64(slope) * float64(v) / float64(len(g))
				}
			}
			sites = append(sites, sum)
		}
		all = append(all, sites)
	}
	return all
}

// moved is by how much some steps at the rate 1/8 move B, times −8.
func moved(t *testing.T, moves train.Moves, steps [][]float32) (*train.Model, [][]float64) {
	t.Helper()
	task := newTinyTask(t, "cpu", noise.Gaussian, 1, len(steps[0]))
	mover, err := train.NewMover(task.model, moves)
	if err != nil {
		t.Fatal(err)
	}
	for number, g := range steps {
		given := slices.Clone(g)
		if err := mover.Move(context.Background(), noise.StepSeed(3, uint64(number)), g, 0.125); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(g, given) {
			t.Errorf("%+v changed g", moves)
		}
	}
	var by [][]float64
	for i, site := range task.model.Sites() {
		var list []float64
		for e, v := range slot(task.model, site.B) {
			list = append(list, 8*(float64(task.start[i][e])-float64(v)))
		}
		by = append(by, list)
	}
	return task.model, by
}

var someSlopes = [][]float32{{1, -2, 0.5}, {-0.25, 3, 1}, {0.125, 0.5, -4}, {2, 2, 0.75}}

func TestOptimizersByTheirFormulas(t *testing.T) {
	const beta = 0.75
	for name, direction := range map[string]func(history []float64) float64{
		"sgd":      func(h []float64) float64 { return h[len(h)-1] },
		"momentum": func(h []float64) float64 { return weighted(h, beta) },
	} {
		moves := train.Moves{Optimizer: name}
		if moves.Averages() {
			moves.Momentum = beta
		}
		m, got := moved(t, moves, someSlopes)
		history := estimates(m, someSlopes)
		for site := range got {
			for e, v := range got[site] {
				want := 0.0
				var seen []float64
				for step := range history {
					seen = append(seen, history[step][site][e])
					want += direction(seen)
				}
				if math.Abs(v-want) > 2e-5 {
					t.Fatalf("%s, site %d, element %d: moved by %g, want %g", name, site, e, v, want)
				}
			}
		}
	}
}

// weighted is the mean of values with weights that fall by β into the past.
func weighted(values []float64, beta float64) float64 {
	sum, weights := 0.0, 0.0
	for _, v := range values {
		sum, weights = beta*sum+v, beta*weights+1
	}
	return sum / weights
}

// The columns of what muon moves along are orthogonal and of length √M, and it
// points where the mean estimate does.
func TestMuonIsOrthogonal(t *testing.T) {
	steps := someSlopes[:1]
	m, got := moved(t, train.Moves{Optimizer: "muon", Momentum: 0.5}, steps)
	estimate := estimates(m, steps)[0]
	for i, site := range m.Sites() {
		const r = 2
		M := site.Out
		for a := range r {
			for b := range r {
				sum := 0.0
				for row := range M {
					sum += got[i][row*r+a] * got[i][row*r+b]
				}
				want := 0.0
				if a == b {
					want = float64(M)
				}
				if math.Abs(sum-want) > 1e-3*float64(M) {
					t.Errorf("site %d: columns %d and %d have the product %g, want %g", i, a, b, sum, want)
				}
			}
		}
		if cosine(got[i], estimate[i]) < 0.7 {
			t.Errorf("site %d: the cosine to the estimate is %g", i, cosine(got[i], estimate[i]))
		}
	}
}

// Slopes are clipped by the usual size before them and divided by that with them.
// What is clipped counts for three times the usual size at most.
func TestSlopesAreClippedAndNormalised(t *testing.T) {
	steps := [][]float32{{1, -1, 1}, {30, 0.5, -0.5}}
	clipped := [][]float32{{1, -1, 1}, {2, 0.5, -0.5}}
	var got, want [][]float64
	compare := func(what string) {
		t.Helper()
		for site := range got {
			for e := range got[site] {
				if math.Abs(got[site][e]-want[site][e]) > 1e-4 {
					t.Fatalf("%s: element %d of site %d moved by %g, want %g", what, e, site, got[site][e], want[site][e])
				}
			}
		}
	}
	_, got = moved(t, train.Moves{Clip: 2}, steps)
	_, want = moved(t, train.Moves{}, clipped)
	compare("clip 2")
	usual := float32(math.Sqrt((0.9*1 + 9.5/3) / 1.9))
	for i := range clipped[1] {
		clipped[1][i] /= usual
	}
	_, got = moved(t, train.Moves{Clip: 2, Normalise: true}, steps)
	_, want = moved(t, train.Moves{}, clipped)
	compare("clip 2, normalised")
	// Slopes that stay as they are stay clipped to the same, however hard they are.
	_, got = moved(t, train.Moves{Clip: 0.5}, [][]float32{{1, -1, 1}, {1, -1, 1}, {1, -1, 1}, {1, -1, 1}})
	_, want = moved(t, train.Moves{}, [][]float32{{1, -1, 1}, {0.5, -0.5, 0.5}, {0.5, -0.5, 0.5}, {0.5, -0.5, 0.5}})
	compare("clip 0.5")
	// Slopes of 0 say nothing of how large others may be.
	_, got = moved(t, train.Moves{Clip: 2}, [][]float32{{0, 0, 0}, {1, -1, 1}})
	_, want = moved(t, train.Moves{}, [][]float32{{0, 0, 0}, {1, -1, 1}})
	compare("clip 2 after 0")
}

// Moves come back from a journal's settings as they went in, and what cannot be
// is refused there too.
func TestReadMoves(t *testing.T) {
	for _, moves := range everyMoves() {
		settings := map[string]string{}
		moves.Describe(settings)
		got, err := train.ReadMoves(settings)
		if err != nil || got.Averages() != moves.Averages() || moves.Averages() && got != moves {
			t.Errorf("%+v came back as %+v, %v", moves, got, err)
		}
	}
	for key, value := range map[string]string{"optimizer": "magic", "momentum": "1", "clip": "-1", "normalise": "often"} {
		if _, err := train.ReadMoves(map[string]string{key: value}); !errors.Is(err, train.ErrSettings) {
			t.Errorf("%s = %s: %v", key, value, err)
		}
	}
	if _, err := train.ReadMoves(map[string]string{"momentum": "NaN", "optimizer": "muon"}); !errors.Is(err, train.ErrSettings) {
		t.Errorf("momentum NaN: %v", err)
	}
}
