package adapter

import (
	"math"
	"testing"
)

func TestNorm(t *testing.T) {
	a := sample("a", "b")
	for i, site := range a.Sites {
		sum := 0.0
		for m := range site.Out {
			for k := range site.In {
				element := 0.0
				for r := range a.Rank {
					element += 2 * float64(a.B[i][m*a.Rank+r]) * float64(a.A[i][r*site.In+k]) // alpha 4, rank 2
				}
				sum += element * element
			}
		}
		if got, want := a.Norm(i), math.Sqrt(sum); math.Abs(got-want) > 1e-12*want {
			t.Errorf("site %d: %v, want %v", i, got, want)
		}
	}
	clear(a.B[0])
	if got := a.Norm(0); got != 0 {
		t.Errorf("B of zeros: %v", got)
	}
}
