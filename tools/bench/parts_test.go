package bench

import (
	"testing"
	"time"

	"zeroth/runtime/executor"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// A clock may be too coarse to see a part, or a whole step: neither is left out, and
// shares stay numbers.
func TestPartsOfACoarseClock(t *testing.T) {
	run := func(attention, head time.Duration) []executor.NodeStats {
		return []executor.NodeStats{
			{Op: op.Attention, Work: platform.Spent{attention}},
			{Op: op.CrossEntropyHead, Work: platform.Spent{head}},
		}
	}
	const ms = time.Millisecond
	c := &nodeClock{runs: [][]executor.NodeStats{run(0, 0), run(0, ms), run(ms, 3*ms), run(2*ms, 2*ms), run(ms, 3*ms)}}
	p := c.parts()
	if len(p.List) != 2 || p.List[0].Name != partAttention || p.List[1].Name != partHead {
		t.Fatalf("%+v", p.List)
	}
	for i, want := range []float64{0.25, 0.75} {
		if p.List[i].Share != want {
			t.Errorf("%s: %g, want %g", p.List[i].Name, p.List[i].Share, want)
		}
	}
	if p.Beside == nil || p.Beside.Share != 1 {
		t.Errorf("beside base products: %+v", p.Beside)
	}
}

// What is printed claims time of processors only where the system tells it.
func TestClockOf(t *testing.T) {
	for want, given := range map[string][2]bool{clockThreads: {false, true}, clockWall: {false, false}, clockNodes: {true, true}} {
		if got := clockOf(given[0], given[1]); got != want {
			t.Errorf("%v: %s", given, got)
		}
	}
}
