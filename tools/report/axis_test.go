package report

import (
	"math"
	"strings"
	"testing"
)

func labels(a axis) string {
	var out []string
	for _, v := range a.ticks {
		out = append(out, a.format(v))
	}
	return strings.Join(out, " ")
}

func TestTicks(t *testing.T) {
	cases := []struct {
		axis axis
		want string
	}{
		{valueAxis(span{0.3, 1.74, true}, 5), "0.0 0.5 1.0 1.5 2.0"},
		{valueAxis(span{50, 75.6, true}, 3), "50 60 70 80"},
		{valueAxis(span{-0.2, 0.2, true}, 4), "-0.2 -0.1 0.0 0.1 0.2"},
		{valueAxis(span{2.3, 2.3, true}, 5), "2.0 2.1 2.2 2.3 2.4 2.5 2.6"},
		{valueAxis(span{0, 0, true}, 3), "0.0 0.5 1.0"},
		{valueAxis(span{1200, 9900, true}, 5), "0 2,000 4,000 6,000 8,000 10,000"},
		{valueAxis(span{0, 0.3, true}, 3), "0.0 0.1 0.2 0.3"},
		{valueAxis(span{0, 3e-7, true}, 3), "0 1e-07 2e-07 3e-07"},
		{stepAxis(span{1, 400, true}, 6), "0 100 200 300 400"},
		{stepAxis(span{1, 3, true}, 6), "1 2 3"},
		{stepAxis(span{1, 1, true}, 6), "0 1 2"},
		{stepAxis(span{90_000, 100_000, true}, 6), "90,000 92,000 94,000 96,000 98,000 100,000"},
		{byteAxis(14477504, 6), "0 B 4 MiB 8 MiB 12 MiB"},
		{byteAxis(1000, 6), "0 B 256 B 512 B 768 B"},
		{byteAxis(0, 6), "0 B 1 B"},
	}
	for _, c := range cases {
		if got := labels(c.axis); got != c.want {
			t.Errorf("%v to %v: ticks %q, want %q", c.axis.lo, c.axis.hi, got, c.want)
		}
	}
}

func TestValueAxisCoversItsSpan(t *testing.T) {
	values := []float64{-largest, -1e17, -3, -1e-9, -1e-299, 0, 1e-320, 1e-12, 0.1, 1, math.Nextafter(1, 2), 7, 12345, 1e16, largest}
	for i, lo := range values {
		for _, hi := range values[i:] {
			for wanted := 2; wanted < 8; wanted++ {
				a := valueAxis(span{lo, hi, true}, wanted)
				if slack := 1e-9 * (a.hi - a.lo); !(a.lo <= lo+slack && hi <= a.hi+slack && a.lo < a.hi) {
					t.Fatalf("axis of %v to %v goes from %v to %v", lo, hi, a.lo, a.hi)
				}
				if n := len(a.ticks); n < 2 || n > 2*wanted+3 {
					t.Fatalf("axis of %v to %v has %d ticks, wanted %d", lo, hi, n, wanted)
				}
				for _, v := range a.ticks {
					if at := a.at(v); !(at >= -1e-6 && at <= 1+1e-6) {
						t.Fatalf("axis of %v to %v: tick %v lies at %v", lo, hi, v, at)
					}
				}
			}
		}
	}
}
