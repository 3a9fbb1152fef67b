package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zeroth/runtime/noise"
)

// eachLevel runs the test on the routines of every instruction set.
func eachLevel(t *testing.T, f func(t *testing.T, r *routines)) {
	for _, level := range levels(t) {
		t.Run(level.String(), func(t *testing.T) {
			r := choose(level)
			if r.needs != level {
				t.Fatalf("routines of %s were chosen", r.needs)
			}
			f(t, r)
		})
	}
}

const guard = float32(12345)

// guarded makes n random elements, misaligned, between two guards.
func guarded(rng *rand.Rand, n, misaligned int) []float32 {
	s := storage(n + 8)[misaligned:]
	s[0], s[n+1] = guard, guard
	for i := range s[1 : n+1] {
		s[1+i] = float32(rng.NormFloat64())
	}
	return s[1 : n+1 : n+2]
}

func checkGuards(t testing.TB, what string, s []float32) {
	t.Helper()
	if s[:len(s)+1][len(s)] != guard {
		t.Fatalf("%s: wrote past its %d elements", what, len(s))
	}
}

func near(a, b, tolerance float64) bool {
	return a == b || math.Abs(a-b) <= tolerance*(math.Abs(a)+math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b)
}

// micro is the definition of a microFunc, in float64.
func micro(MR, NR, kc int, a, b []float32, panel int, d []float32, ldd, i, j int) float64 {
	sum := 0.0
	for k := range kc {
		sum += float64(a[k*MR+i]) * float64(b[j/16*panel+k*16+j%16])
	}
	return float64(d[i*ldd+j]) + sum
}

func TestMicroKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	eachLevel(t, func(t *testing.T, r *routines) {
		m := r.gemm
		for kc := range 2*16 + 4 {
			for off := range 4 {
				testMicro(t, rng, m.fn, m.MR, m.NR, kc, off)
				if m.half != nil {
					testMicro(t, rng, m.half, m.MR, 16, kc, off)
				}
			}
		}
	})
}

func testMicro(t *testing.T, rng *rand.Rand, fn microFunc, MR, NR, kc, off int) {
	t.Helper()
	panel := 16 * (kc + 3)
	a, b := guarded(rng, MR*kc, off), guarded(rng, panel*NR/16, off)
	ldd, ldc := NR*rng.IntN(2), NR+rng.IntN(3)
	d, c := guarded(rng, MR*max(ldd, 1)+NR, off), guarded(rng, (MR-1)*ldc+NR, off)
	before := append([]float32(nil), c...)
	fn(kc, start(a), start(b), panel, &d[0], ldd, &c[0], ldc)
	checkGuards(t, "micro-kernel", c)
	for i := range MR {
		for j := range ldc {
			at := i*ldc + j
			if at >= len(c) {
				break
			}
			if j >= NR {
				if c[at] != before[at] {
					t.Fatalf("%dx%d kc %d: wrote between rows, at row %d column %d", MR, NR, kc, i, j)
				}
				continue
			}
			if want := micro(MR, NR, kc, a, b, panel, d, ldd, i, j); math.Abs(float64(c[at])-want) > 1e-4 {
				t.Fatalf("%dx%d kc %d: row %d column %d is %g, want %g", MR, NR, kc, i, j, c[at], want)
			}
		}
	}
	// c may be d.
	e := append([]float32(nil), c...)
	fn(kc, start(a), start(b), panel, &e[0], ldc, &e[0], ldc)
	for i := range MR {
		for j := range NR {
			if want := micro(MR, NR, kc, a, b, panel, c, ldc, i, j); math.Abs(float64(e[i*ldc+j])-want) > 1e-4 {
				t.Fatalf("%dx%d kc %d in place: row %d column %d is %g, want %g", MR, NR, kc, i, j, e[i*ldc+j], want)
			}
		}
	}
}

func TestPack(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	eachLevel(t, func(t *testing.T, r *routines) {
		for _, width := range []int{4, 6, 8, 14, 16} {
			for rows := 1; rows <= width+2; rows++ {
				for kc := range 20 {
					ld := kc + rng.IntN(5)
					src := guarded(rng, max((rows-1)*ld+kc, 0), rows%4)
					dst := guarded(rng, kc*width+packSlack, kc%4)
					r.pack(dst, src, ld, rows, width, kc)
					checkGuards(t, "pack", dst)
					for i := range min(rows, width) {
						for k := range kc {
							if dst[k*width+i] != src[i*ld+k] {
								t.Fatalf("width %d rows %d kc %d: row %d k %d is %g, want %g", width, rows, kc, i, k, dst[k*width+i], src[i*ld+k])
							}
						}
					}
				}
			}
		}
	})
}

// With a source longer than the panel, all rows may be read in vectors.
func TestPackOfALongSource(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	eachLevel(t, func(t *testing.T, r *routines) {
		for _, width := range []int{6, 14, 16} {
			const ld, kc, panels = 45, 37, 3
			src := guarded(rng, 80*ld, 1)
			dst := guarded(rng, panels*kc*width+packSlack, 1)
			for p := range panels {
				r.pack(dst[p*kc*width:], src[p*width*ld:], ld, width, width, kc)
			}
			checkGuards(t, "pack", dst)
			for i := range panels * width {
				for k := range kc {
					if got := dst[i/width*width*kc+k*width+i%width]; got != src[i*ld+k] {
						t.Fatalf("width %d: row %d k %d is %g, want %g", width, i, k, got, src[i*ld+k])
					}
				}
			}
		}
	})
}

func TestVectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := range 2*16 + 4 {
			for off := range 4 {
				a, b, dst := guarded(rng, n, off), guarded(rng, n, 3-off), guarded(rng, n, off)
				each := func(what string, want func(i int) float64) {
					t.Helper()
					checkGuards(t, what, dst)
					for i := range dst {
						if w := want(i); !near(float64(dst[i]), w, 4e-7) {
							t.Fatalf("%s of %d: element %d is %g, want %g", what, n, i, dst[i], w)
						}
					}
				}
				r.add(dst, a, b)
				each("add", func(i int) float64 { return float64(a[i] + b[i]) })
				r.scaleBy(dst, a, b, 0.7)
				each("scaleBy", func(i int) float64 { return float64(a[i]) * float64(float32(0.7)) * float64(b[i]) })
				r.addScaled(dst, a, b, 0.7)
				each("addScaled", func(i int) float64 { return float64(a[i] + float32(float32(0.7)*b[i])) })
				r.swiglu(dst, a, b)
				each("swiglu", func(i int) float64 { return float64(a[i]) / (1 + math.Exp(-float64(a[i]))) * float64(b[i]) })
				copy(dst, a)
				sum, got := 0.0, r.expSum(dst, 0.5, 2)
				each("expSum", func(i int) float64 {
					e := math.Exp(float64((a[i] - 0.5) * 2))
					sum += e
					return e
				})
				if !near(float64(got), sum, 1e-6) {
					t.Fatalf("expSum of %d: sum %g, want %g", n, got, sum)
				}
				squares, most := 0.0, math.Inf(-1)
				for _, v := range a {
					squares += float64(v) * float64(v)
					most = max(most, float64(v))
				}
				if s := r.sumSquares(a); !near(float64(s), squares, 1e-6) {
					t.Fatalf("sumSquares of %d: %g, want %g", n, s, squares)
				}
				if m := r.maximum(a); float64(m) != most {
					t.Fatalf("maximum of %d: %g, want %g", n, m, most)
				}
			}
		}
	})
}

func TestStrided(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	eachLevel(t, func(t *testing.T, r *routines) {
		for rows := 1; rows < 2*stridedSlack+3; rows++ {
			for K := 1; K < 2*16+4; K++ {
				for _, along := range []bool{true, false} {
					ldx, step := K+rng.IntN(3), 1
					if !along {
						ldx, step = 1, rows+rng.IntN(3)
					}
					ldy := 16 + rng.IntN(3)
					x, b := guarded(rng, (rows-1)*ldx+(K-1)*step+1, rows%4), guarded(rng, 16*K, K%4)
					y := guarded(rng, (rows+stridedSlack-1)*ldy+16, rows%4)
					r.strided(y, ldy, x, ldx, step, rows, K, b, 0.7)
					checkGuards(t, "strided", y)
					for i := range rows {
						for j := range 16 {
							want := 0.0
							for k := range K {
								want += 0.7 * float64(x[i*ldx+k*step]) * float64(b[k*16+j])
							}
							if math.Abs(float64(y[i*ldy+j])-want) > 1e-5 {
								t.Fatalf("%d rows of %d, step %d: row %d column %d is %g, want %g", rows, K, step, i, j, y[i*ldy+j], want)
							}
						}
					}
				}
			}
		}
	})
}

// Where project is another routine than strided, it has its bits.
func TestProject(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 10))
	eachLevel(t, func(t *testing.T, r *routines) {
		if r.project == nil {
			t.Skip("strided serves at this level")
		}
		for rows := 1; rows < 27; rows++ {
			for K := 1; K < 2*16+4; K++ {
				columns, ldx, ldy := 1+rng.IntN(16), K+rng.IntN(3), 16+rng.IntN(3)
				x, b := guarded(rng, (rows-1)*ldx+K, rows%4), guarded(rng, 16*K, K%4)
				y, want := guarded(rng, (rows+stridedSlack-1)*ldy+16, rows%4), make([]float32, (rows+stridedSlack-1)*ldy+16)
				r.project(y, ldy, x, ldx, rows, columns, K, b, 0.7)
				checkGuards(t, "project", y)
				r.strided(want, ldy, x, ldx, 1, rows, K, b, 0.7)
				for i := range rows {
					if !slices.Equal(y[i*ldy:][:columns], want[i*ldy:][:columns]) {
						t.Fatalf("%d rows of %d, %d columns: row %d differs from that of strided", rows, K, columns, i)
					}
				}
			}
		}
	})
}

func TestNormLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	const high, low, factor = 0.75, 1e-4, 1.5
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := range 2*16 + 4 {
			for off := range 4 {
				x, scale, bias := guarded(rng, n, off), guarded(rng, n, 3-off), guarded(rng, n, 1)
				dst := guarded(rng, n, 2)
				r.standardise(dst, x, scale, bias, high, low, factor)
				checkGuards(t, "standardise", dst)
				sum, squares := 0.0, 0.0
				for i, v := range x {
					d := float64(v) - high - float64(float32(low))
					sum, squares = sum+float64(v), squares+d*d
					want := d*factor*float64(scale[i]) + float64(bias[i])
					if math.Abs(float64(dst[i])-want) > 1e-6*(1+math.Abs(want)) {
						t.Fatalf("standardise of %d: element %d is %g, want %g", n, i, dst[i], want)
					}
				}
				if got := r.sum(x); math.Abs(got-sum) > 1e-12 {
					t.Fatalf("sum of %d: %g, want %g", n, got, sum)
				}
				if got := r.centredSquares(x, high, low); !near(float64(got), squares, 1e-6) {
					t.Fatalf("centredSquares of %d: %g, want %g", n, got, squares)
				}
			}
		}
	})
}

func TestTurn(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 10))
	eachLevel(t, func(t *testing.T, r *routines) {
		for half := 1; half < 2*16+4; half++ {
			for heads := range 4 {
				for _, pairs := range []bool{false, true} {
					turn, step, apart := r.turnHalves, 1, half
					if pairs {
						turn, step, apart = r.turnPairs, 2, 1
					}
					x, cos, sin := guarded(rng, 2*half*heads, half%4), guarded(rng, half, heads), guarded(rng, half, 1)
					y := guarded(rng, 2*half*heads, heads)
					turn(y, x, cos, sin)
					checkGuards(t, "turn", y)
					for h := range heads {
						for i, c := range cos {
							at := h*2*half + i*step
							a, b, s := float64(x[at]), float64(x[at+apart]), float64(sin[i])
							first, second := a*float64(c)-b*s, b*float64(c)+a*s
							if math.Abs(float64(y[at])-first) > 2e-6 || math.Abs(float64(y[at+apart])-second) > 2e-6 {
								t.Fatalf("%d heads of %d, pairs %t: pair %d of head %d is (%g, %g), want (%g, %g)",
									heads, 2*half, pairs, i, h, y[at], y[at+apart], first, second)
							}
						}
					}
					turn(x, x, cos, sin)
					for i := range x {
						if x[i] != y[i] {
							t.Fatalf("%d heads of %d, pairs %t, in place: element %d is %g, want %g", heads, 2*half, pairs, i, x[i], y[i])
						}
					}
				}
			}
		}
	})
}

func TestColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	eachLevel(t, func(t *testing.T, r *routines) {
		for rows := range 35 {
			x, y := guarded(rng, 16*rows, rows%4), guarded(rng, 16*rows, 3-rows%4)
			shift, sum, most := [16]float32(guarded(rng, 16, 0)), [16]float32(guarded(rng, 16, 0)), [16]float32(guarded(rng, 16, 0))
			if rows > 0 {
				x[rng.IntN(len(x))] = float32(math.NaN())
			}
			wantMost, wantSum := most, [16]float64{}
			for j := range wantSum {
				wantSum[j] = float64(sum[j])
			}
			wantExp, wantAdd := make([]float64, len(x)), make([]float32, len(x))
			for i, v := range x {
				j := i % 16
				if v > wantMost[j] {
					wantMost[j] = v
				}
				wantExp[i] = math.Exp(float64(v - shift[j]))
				wantSum[j] += wantExp[i]
				wantAdd[i] = float32(y[i]*shift[j]) + v
			}
			r.columnMaximum(&most, x)
			if most != wantMost {
				t.Fatalf("maximum of %d rows: %v, want %v", rows, most, wantMost)
			}
			r.columnScaleAdd(y, x, &shift)
			r.columnExpSum(x, &shift, &sum)
			checkGuards(t, "columnScaleAdd", y)
			checkGuards(t, "columnExpSum", x)
			for i := range x {
				if !near(float64(x[i]), wantExp[i], 4e-7) {
					t.Fatalf("exp of %d rows: element %d is %g, want %g", rows, i, x[i], wantExp[i])
				}
				if y[i] != wantAdd[i] && wantAdd[i] == wantAdd[i] {
					t.Fatalf("columnScaleAdd of %d rows: element %d is %g, want %g", rows, i, y[i], wantAdd[i])
				}
			}
			for j := range sum {
				if !near(float64(sum[j]), wantSum[j], 1e-5) {
					t.Fatalf("sum of %d rows: column %d is %g, want %g", rows, j, sum[j], wantSum[j])
				}
			}
		}
	})
}

// A hidden NaN does not spoil the maximum; it is found in the sum.
func TestMaximumPassesOverNaN(t *testing.T) {
	nan := float32(math.NaN())
	eachLevel(t, func(t *testing.T, r *routines) {
		for n := 1; n < 40; n++ {
			for at := range n {
				x := make([]float32, n)
				for i := range x {
					x[i] = -float32(i + 1)
				}
				x[at] = nan
				want := float32(-1)
				if at == 0 {
					want = -2
				}
				if n == 1 {
					want = float32(math.Inf(-1))
				}
				if got := r.maximum(x); got != want {
					t.Fatalf("NaN at %d of %d: maximum %g, want %g", at, n, got, want)
				}
			}
		}
	})
}

func TestExp(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *routines) {
		exp := func(v float32) float32 {
			x := []float32{v}
			r.expSum(x, 0, 1)
			return x[0]
		}
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, c := range [][2]float32{{0, 1}, {inf, inf}, {-inf, 0}, {89, inf}, {1e30, inf}, {-104, 0}, {-1e30, 0}, {nan, nan}} {
			if got := exp(c[0]); got != c[1] && !(got != got && c[1] != c[1]) {
				t.Errorf("exp(%g) = %g, want %g", c[0], got, c[1])
			}
		}
		worst := 0.0
		for x := float32(-87.3); x < 88.7; x += 0.0137 {
			want := math.Exp(float64(x))
			ulp := float64(math.Nextafter32(float32(want), inf) - float32(want))
			worst = max(worst, math.Abs(float64(exp(x))-want)/ulp)
		}
		if worst > 2 {
			t.Errorf("exp is off by %.2f units in the last place, at most 2", worst)
		}
		for x := float32(-103.9); x < -87.3; x += 0.05 { // subnormal results
			if got, want := float64(exp(x)), math.Exp(float64(x)); math.Abs(got-want) > 3e-45 {
				t.Errorf("exp(%g) = %g, want %g", x, got, want)
			}
		}
	})
}

func TestSwiGLUOfExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachLevel(t, func(t *testing.T, r *routines) {
		for _, g := range []float32{0, inf, -inf, nan, 100, -100, 1e30, -1e30, 1e-40} {
			dst := []float32{0}
			r.swiglu(dst, []float32{g}, []float32{2})
			want := float64(g) / (1 + math.Exp(-float64(g))) * 2
			if got := float64(dst[0]); !near(got, want, 1e-6) && math.Abs(got-want) > 1e-40 {
				t.Errorf("swiglu(%g, 2) = %g, want %g", g, got, want)
			}
		}
	})
}

// addScaled makes B + σεz, whose bits all backends share.
func TestAddScaledRoundsTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 7))
	eachLevel(t, func(t *testing.T, r *routines) {
		x, y, dst := guarded(rng, 1000, 1), guarded(rng, 1000, 2), guarded(rng, 1000, 3)
		r.addScaled(dst, x, y, 0.3)
		for i := range dst {
			if want := x[i] + float32(float32(0.3)*y[i]); math.Float32bits(dst[i]) != math.Float32bits(want) {
				t.Fatalf("element %d: %g + 0.3 · %g is %g, want %g", i, x[i], y[i], dst[i], want)
			}
		}
	})
}

// Every routine for z must give the bits of runtime/noise.
func TestNoiseBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 6))
	eachLevel(t, func(t *testing.T, r *routines) {
		checkOf := func(s noise.Sampler, n int, first uint32) {
			t.Helper()
			seed := [2]uint32{rng.Uint32(), rng.Uint32()}
			site, query := rng.Uint32(), rng.Uint32N(9)
			got, want := guarded(rng, n, int(first%4)), make([]float32, n)
			r.fillNoise(s, got, seed, site, query, first)
			checkGuards(t, s.String(), got)
			s.Fill(want, seed, site, query, first)
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%s: element %d of %d from %d is %g, want %g", s, i, n, first, got[i], want[i])
				}
			}
		}
		check := func(n int, first uint32) {
			t.Helper()
			checkOf(noise.Gaussian, n, first)
			checkOf(noise.Rademacher, n, first)
		}
		for n := range 2*32 + 4 {
			for first := range uint32(9) {
				check(n, first)
			}
		}
		for range 20 {
			check(100, rng.Uint32())
		}
		for first := range uint32(130) {
			checkOf(noise.Rademacher, 300, first)
		}
		check(100, math.MaxUint32-20)
		check(1<<19, 12)
	})
}
