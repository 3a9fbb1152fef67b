package noise

import (
	"math"
	"testing"
)

func TestCopy(t *testing.T) {
	for _, c := range []struct {
		first int32
		p     int
		query uint32
		sigma int
	}{
		{0, 0, 0, 1},
		{0, 1, 0, -1},
		{0, 6, 3, 1},
		{0, 7, 3, -1},
		{3, 0, 1, -1},
		{3, 1, 2, 1},
		{math.MaxInt32, 0, 1<<30 - 1, -1},
		{math.MaxInt32, 1, 1 << 30, 1},
		{-1, 0, 0, 0},
		{-1, 1, 0, 1},
		{-1, 2, 1, 1},
		{-2, 0, 0, 1},
		{-9, 0, 7, 1},
		{-9, 3, 10, 1},
		{math.MinInt32, 0, math.MaxInt32 - 1, 1},
	} {
		if query, sigma := Copy(c.first, c.p); query != c.query || sigma != c.sigma {
			t.Errorf("Copy(%d, %d) is query %d, σ %d, want %d and %d", c.first, c.p, query, sigma, c.query, c.sigma)
		}
	}
}
