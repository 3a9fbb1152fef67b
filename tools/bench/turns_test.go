package bench

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{5, 1, 100}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if have := median(c.values); have != c.want {
			t.Errorf("median of %v is %g, want %g", c.values, have, c.want)
		}
	}
}

func TestRatiosAreOfOneRound(t *testing.T) {
	turns := Turns{Seconds: [][]float64{{1, 20, 3}, {2, 40, 6}}} // all was slow in the second round
	if r := turns.Ratio(1, 0); r != 2 {
		t.Errorf("ratio %g, want 2", r)
	}
	if m := turns.Median(0); m != 3 {
		t.Errorf("median %g, want 3", m)
	}
}

// Contestants take turns: no round runs one of them without the others.
func TestInTurn(t *testing.T) {
	sleep := func() error { time.Sleep(turnTime); return nil }
	var order []string
	contestant := func(name string) Contestant {
		return Contestant{Name: name, Run: func() error { order = append(order, name); return sleep() }}
	}
	turns, err := InTurn(context.Background(), 0, contestant("a"), contestant("b"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(turns.Seconds[0]); n != leastRounds || len(turns.Seconds[1]) != n {
		t.Errorf("%d and %d rounds, want %d", n, len(turns.Seconds[1]), leastRounds)
	}
	turn := slices.Compact(order) // a turn may be several runs
	for i, name := range turn {
		if want := []string{"a", "b"}[i%2]; name != want {
			t.Fatalf("turn %d is of %s: %q", i, name, order)
		}
	}
	if want := 2 * (1 + leastRounds); len(turn) != want { // the first is to warm up
		t.Errorf("%d turns, want %d", len(turn), want)
	}
}

func TestInTurnEnds(t *testing.T) {
	failed := errors.New("failed")
	if _, err := InTurn(context.Background(), 0, Contestant{Run: func() error { return failed }}); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := InTurn(ctx, time.Hour, Contestant{Run: func() error { return nil }}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// What processors spent counts where it is known of both.
func TestSpentTime(t *testing.T) {
	turns := Turns{Seconds: [][]float64{{3, 8}, {1, 1}}, Processor: [][]float64{{2, 3}, {4, 1}}}
	if s, b := turns.SpentRatio(0, 1), turns.BestRatio(0, 1); s != 1.75 || b != 2 {
		t.Errorf("spent %g, at best %g", s, b)
	}
	turns.Processor[1][0] = 0
	if s, b := turns.SpentRatio(0, 1), turns.BestRatio(0, 1); s != 5.5 || b != 3 {
		t.Errorf("by the clock: %g, at best %g", s, b)
	}
}

func TestQuantiles(t *testing.T) {
	for share, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 1: 4} {
		if got := quantile([]float64{4, 2, 1, 3}, share); got != want {
			t.Errorf("%g: %g, want %g", share, got, want)
		}
	}
}
