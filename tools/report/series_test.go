package report

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestThinKeepsExtremes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{0, 1, 3, 4, 1999, 2000, 2001, 2003, 7777, 100_000} {
		for _, limit := range []int{4, 7, 400, 2000} {
			points := make([]point, count)
			low, high := 0, 0
			for i := range points {
				points[i] = point{float64(i), random.NormFloat64(), i}
				if points[i].y < points[low].y {
					low = i
				}
				if points[i].y > points[high].y {
					high = i
				}
			}
			kept := thin(points, limit)
			if len(kept) > limit {
				t.Fatalf("%d points thinned to %d, limit %d", count, len(kept), limit)
			}
			if count <= limit && len(kept) != count {
				t.Fatalf("%d of %d points left, limit %d", len(kept), count, limit)
			}
			seen := map[int]bool{}
			for i, p := range kept {
				if i > 0 && p.index <= kept[i-1].index {
					t.Fatalf("point %d after %d", p.index, kept[i-1].index)
				}
				if p != points[p.index] {
					t.Fatalf("point %d changed", p.index)
				}
				seen[p.index] = true
			}
			if count > 0 && !(seen[low] && seen[high] && seen[0] && seen[count-1]) {
				t.Fatalf("%d points, limit %d: lost the lowest, highest, first or last", count, limit)
			}
		}
	}
}

func TestRunningMean(t *testing.T) {
	points := []point{{1, 2, 0}, {2, 4, 1}, {3, 9, 2}, {4, 2, 3}}
	for i, want := range []float64{2, 3, 5, 5} {
		if got := runningMean(points, 3)[i].y; math.Abs(got-want) > 1e-12 {
			t.Errorf("mean %d is %v, want %v", i, got, want)
		}
	}
	// A huge value leaves no trace once it is out of the window, and a sum
	// that would overflow does not.
	points = []point{{1, largest, 0}, {2, largest, 1}, {3, 1, 2}, {4, 2, 3}}
	if got := runningMean(points, 2); got[1].y != largest || got[3].y != 1.5 {
		t.Errorf("means %v, want %v and 1.5", got, largest)
	}
}
