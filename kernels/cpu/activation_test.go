package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// gelus are the curves with their definitions in float64.
var gelus = [...]struct {
	curve *geluCurve
	want  func(x float64) float64
}{
	{&geluExact, func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }},
	{&geluTanh, func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
}

// geluError is the largest error of gelu(x): a few roundings of a Φ of up to 1.
func geluError(x float32) float64 { return 2.5e-7 * math.Abs(float64(x)) }

func TestGeluOfEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	eachLevel(t, func(t *testing.T, r *routines) {
		for _, g := range gelus {
			curve, want := g.curve, g.want
			for n := range 2*16 + 4 {
				for off := range 4 {
					x, dst := guarded(rng, n, 3-off), guarded(rng, n, off)
					r.gelu(dst, x, curve)
					checkGuards(t, "gelu", dst)
					for i, v := range x {
						if w := want(float64(v)); math.Abs(float64(dst[i])-w) > geluError(v) {
							t.Fatalf("element %d of %d: gelu(%g) = %g, want %g", i, n, v, dst[i], w)
						}
					}
					r.gelu(x, x, curve)
					for i := range x {
						if x[i] != dst[i] {
							t.Fatalf("in place, element %d of %d is %g, want %g", i, n, x[i], dst[i])
						}
					}
				}
			}
		}
	})
}

// Far out there is no error.
func TestGeluEverywhere(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachLevel(t, func(t *testing.T, r *routines) {
		for _, g := range gelus {
			curve, want := g.curve, g.want
			gelu := func(v float32) float32 {
				x := []float32{v}
				r.gelu(x, x, curve)
				return x[0]
			}
			for v := float32(-12); v < 12; v += 0.00137 {
				if got, w := float64(gelu(v)), want(float64(v)); math.Abs(got-w) > geluError(v) {
					t.Fatalf("gelu(%g) = %g, want %g", v, got, w)
				}
			}
			for _, c := range [][2]float32{{0, 0}, {inf, inf}, {-inf, nan}, {nan, nan}, {1e30, 1e30}, {-1e30, 0}, {1000, 1000}, {-6, 0}} {
				if got := gelu(c[0]); got != c[1] && !(got != got && c[1] != c[1]) {
					t.Errorf("gelu(%g) = %g, want %g", c[0], got, c[1])
				}
			}
		}
	})
}

func TestReluOfEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := range 2*16 + 4 {
			for off := range 4 {
				x, dst := guarded(rng, n, 3-off), guarded(rng, n, off)
				if n > 0 {
					x[rng.IntN(n)] = float32(math.NaN())
				}
				r.relu(dst, x)
				checkGuards(t, "relu", dst)
				for i, v := range x {
					if want := max(v, 0); dst[i] != want && !(v != v && dst[i] != dst[i]) {
						t.Fatalf("element %d of %d: relu(%g) = %g", i, n, v, dst[i])
					}
				}
			}
		}
	})
}

func TestLayerNormalizationOfExtremes(t *testing.T) {
	for _, x := range [][]float32{{1e-25, -2e-25, 3e-25}, {1e25, -2e25, 3e25}, {1e6, 1e6 + 1, 1e6 + 3}} {
		(&test{"layer norm", op.LayerNormalization, 0, op.Attrs{op.FloatAttr("epsilon", 0)}, []*kernel.Tensor{
			tensor(x, 0, 1, 3), tensor([]float32{1, 2, 3}, 0, 3), tensor([]float32{0, 0.5, -1}, 0, 3),
		}}).check(t, 1e-13)
	}
}

func TestNewOpsAllocateNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 3))
	x, scale := matrix(rng, 2, 50, 24), tensor(normal(rng, 24), 0, 24)
	epsilon := op.Attrs{op.FloatAttr("epsilon", 1e-5)}
	for _, c := range []test{
		{"rms of heads", op.RMSNormalization, 2, epsilon, []*kernel.Tensor{x, tensor(normal(rng, 8), 0, 8)}},
		{"layer norm", op.LayerNormalization, 2, epsilon, []*kernel.Tensor{x, scale, scale}},
		{"gelu", op.Gelu, 2, op.Attrs{op.IntAttr("approximate", 0)}, []*kernel.Tensor{x}},
		{"relu", op.Relu, 2, nil, []*kernel.Tensor{x}},
		{"slice", op.Slice, 2, op.Attrs{op.IntAttr("start", 8), op.IntAttr("size", 8)}, []*kernel.Tensor{x}},
		{"head", op.CrossEntropyHead, 2, nil, []*kernel.Tensor{x, matrix(rng, 0, 40, 24), tensor(make([]int32, 50), 0, 50), tensor(normal(rng, 40), 0, 40)}},
	} {
		for _, f := range levels(t) {
			pool := platform.NewPool(2)
			_, r := c.bind(t, Kernels(f), pool)
			if n := testing.AllocsPerRun(20, func() { _ = r.Run() }); n != 0 {
				t.Errorf("%s %s: %g allocations a run", c.name, f, n)
			}
			pool.Close()
		}
	}
}

func BenchmarkGelu(b *testing.B) {
	rng := rand.New(rand.NewPCG(4, 4))
	x := normal(rng, 4096)
	dst := make([]float32, len(x))
	for _, f := range levels(b) {
		r := choose(f)
		b.Run(f.String(), func(b *testing.B) {
			for b.Loop() {
				r.gelu(dst, x, &geluExact)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/element")
		})
	}
}
