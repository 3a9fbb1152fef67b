package bench

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"zeroth/kernels/cpu"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// levels are the instruction sets of this machine.
func levels() []cpu.Features {
	var list []cpu.Features
	for _, name := range cpu.Levels() {
		if f, err := cpu.Detect().Limit(name); err == nil {
			list = append(list, f)
		}
	}
	return list
}

func TestGEMM(t *testing.T) {
	calls := 0
	o := GEMMOptions{
		Shapes: []Shape{{5, 7, 17}}, Weights: op.WeightTypes(), Features: levels(), Workers: Workers{Threads: 2},
		BLAS:     plainBLAS(),
		Progress: func(done, total int, what string) { calls++ },
	}
	results, err := RunGEMM(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(o.Shapes) * len(o.Weights) * len(o.Features); calls != want {
		t.Errorf("%d calls of Progress, want %d", calls, want)
	}
	seen := make(map[string]bool)
	for _, r := range results {
		key := r.Shape.String() + " " + r.Weights + " " + r.Kernel
		if seen[key] {
			t.Errorf("%s is timed twice", key)
		}
		seen[key] = true
		if m := r.MicroKernel; !(r.AtBest > 0 && m.OpsPerS > 0 && m.OfCeiling > 0 && m.AtBest > 0 && m.Product > 0) || (r.OfI8 > 0) != (r.Weights == "q4" || r.Weights == "nf4") {
			t.Errorf("%s: %+v", key, r)
		}
		if !(r.Seconds > 0 && r.OpsPerS > 0 && r.OfCeiling > 0 && r.Ceiling.OpsPerS > 0 && r.BLASOpsPerS > 0 && r.OfBLAS > 0) {
			t.Errorf("%s: %+v", key, r)
		}
	}
	for _, shape := range o.Shapes {
		for _, w := range o.Weights {
			if !seenPrefix(seen, shape.String()+" "+w.String()+" ") {
				t.Errorf("%s with weights %s is missing", shape, w)
			}
		}
	}
}

func seenPrefix(seen map[string]bool, prefix string) bool {
	for key := range seen {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// plainBLAS is a library that computes products in plain Go.
func plainBLAS() *BLAS {
	return &BLAS{Name: "plain", SetThreads: func(int) {}, Sgemm: func(N, M, K int, x, w, y []float32) error {
		for n := range N {
			for m := range M {
				sum := 0.0
				for k := range K {
					sum += float64(x[n*K+k]) * float64(w[m*K+k])
				}
				y[n*M+m] = float32(sum)
			}
		}
		return nil
	}}
}

// wrong makes a kernel of Linear that leaves y as it is.
func wrong() *kernel.Registry {
	r, err := kernel.NewRegistry([]kernel.Kernel{{Op: op.Linear, Name: "lazy", Bind: func(*kernel.Call) (kernel.Runner, error) {
		return nothing{}, nil
	}}})
	if err != nil {
		panic(err)
	}
	return r
}

type nothing struct{}

func (nothing) Run() error { return nil }

func TestWrongResultsAreNotTimed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w, data, err := weightsOf(rng, op.F32, 17, 5)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLinear(wrong(), w, data, 3, Workers{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.session.Close()
	normal(rng, l.x.F32())
	if err := l.check(w, data); err == nil {
		t.Error("a kernel that does nothing passes")
	}
	blas := plainBLAS()
	if _, err := blas.contestant(l, rowsOf(w, data), 1, limitFor(op.F32, 5)); err == nil {
		t.Error("a library that computes something else passes")
	}
}

func TestCeilingLoops(t *testing.T) {
	pool := platform.NewPool(2)
	defer pool.Close()
	for _, f := range levels() {
		for _, weights := range op.WeightTypes() {
			loop := loopFor(weights.String(), f)
			if loop.Run == nil || !levelOf(f)(loop.Needs) {
				t.Errorf("%s on %s is held against %q", weights, f, loop.Name)
			}
		}
		for _, copies := range []bool{false, true} {
			m := newMemory(pool, f.String(), 1<<16, copies)
			if err := m.contestant().Run(); err != nil {
				t.Error(err)
			}
			if half := len(m.data) / 2; copies && string(m.data[:half]) != string(m.data[half:]) {
				t.Error("not all of the buffer was copied")
			}
		}
	}
}
