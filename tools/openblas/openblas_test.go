package openblas

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/kernels/dl"
)

func library(t *testing.T) *Library {
	t.Helper()
	l, err := Open()
	if errors.Is(err, dl.ErrLibrary) || errors.Is(err, dl.ErrUnavailable) {
		t.Skipf("no OpenBLAS here (Debian: apt-get install libopenblas0): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSgemm(t *testing.T) {
	l := library(t)
	if l.Name() == "" || l.Core() == "" || l.Config() == "" {
		t.Errorf("name %q, core %q, config %q", l.Name(), l.Core(), l.Config())
	}
	rng := rand.New(rand.NewPCG(5, 1))
	random := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(rng.NormFloat64())
		}
		return s
	}
	for _, shape := range [][3]int{{1, 1, 1}, {3, 5, 7}, {64, 33, 100}} {
		N, M, K := shape[0], shape[1], shape[2]
		x, w, y := random(N*K), random(M*K), random(N*M)
		for threads := range 3 {
			l.SetThreads(threads)
			if err := l.Sgemm(N, M, K, x, w, y); err != nil {
				t.Fatal(err)
			}
			for i := range N {
				for j := range M {
					want := 0.0
					for k := range K {
						want += float64(x[i*K+k]) * float64(w[j*K+k])
					}
					if got := float64(y[i*M+j]); math.Abs(got-want) > 1e-4 {
						t.Fatalf("%v: y[%d, %d] is %g, want %g", shape, i, j, got, want)
					}
				}
			}
		}
	}
}

func TestSgemmRefusesWrongSizes(t *testing.T) {
	l := library(t)
	s := make([]float32, 6)
	for _, c := range []struct {
		N, M, K int
		x, w, y []float32
	}{
		{0, 1, 1, s, s, s},
		{1, 0, 1, s, s, s},
		{1, 1, 0, s, s, s},
		{-1, 1, 1, s, s, s},
		{2, 2, 3, s[:5], s, s},
		{2, 2, 3, s, s[:5], s},
		{2, 2, 3, s, s, s[:3]},
		{math.MaxInt, math.MaxInt, math.MaxInt, s, s, s},
	} {
		if err := l.Sgemm(c.N, c.M, c.K, c.x, c.w, c.y); !errors.Is(err, ErrShape) {
			t.Errorf("%d %d %d: %v", c.N, c.M, c.K, err)
		}
	}
}
