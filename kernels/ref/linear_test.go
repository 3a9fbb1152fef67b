package ref

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

func TestGather(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	nan := math.Float32frombits(0x7fc12345) // a payload that must survive
	values := random(rng, 2*5*3)
	values[4*3+1] = nan
	data, indices := tensor(values, 2, 5, 3), tensor([]int32{4, 0, 4}, 0, 3)
	y := compute(t, op.Gather, 2, nil, data, indices)
	for p := range 2 {
		for i, index := range indices.I32() {
			for k := range 3 {
				got, want := y.Copy(p)[i*3+k], data.Copy(p)[int(index)*3+k]
				if math.Float32bits(got) != math.Float32bits(want) {
					t.Errorf("copy %d row %d column %d: %g, want %g", p, i, k, got, want)
				}
			}
		}
	}
	table := narrow(random(rng, 35*3), 35, 3)
	all := make([]int32, 35)
	for i := range all {
		all[i] = int32(34 - i)
	}
	y = compute(t, op.Gather, 1, nil, panels(table), tensor(all, 0, 35))
	for i := range all {
		for k := range 3 {
			if got, want := y.F32()[i*3+k], table.F32()[(34-i)*3+k]; got != want {
				t.Fatalf("panels: row %d column %d: %g, want %g", i, k, got, want)
			}
		}
	}
}

func TestLinearByHand(t *testing.T) {
	x := tensor([]float32{1, 2, 3 /* copy 1 */, -1, 0, 1}, 2, 1, 3)
	w := narrow([]float32{1, 0, 0, 1, 1, 1}, 2, 3)
	y := compute(t, op.Linear, 2, nil, x, w, narrow([]float32{10, 20}, 2))
	for i, want := range []float64{11, 26, 9, 20} {
		near(t, "y", y.F32()[i], want)
	}
	y = compute(t, op.Linear, 2, nil, x, w)
	for i, want := range []float64{1, 6, -1, 0} {
		near(t, "y without bias", y.F32()[i], want)
	}
}

// A sum whose f32 partial sums lose the small terms.
func TestLinearAccumulatesInFloat64(t *testing.T) {
	y := compute(t, op.Linear, 1, nil, narrow([]float32{1e8, 1, -1e8}, 1, 3), narrow([]float32{1, 1, 1}, 1, 3))
	near(t, "y", y.F32()[0], 1)
}

func TestLinearLayoutsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, M := range []int{0, 1, 15, 16, 17, 33} {
		for _, K := range []int{0, 1, 7} {
			x, w := narrow(random(rng, 2*K), 2, K), narrow(random(rng, M*K), M, K)
			a := compute(t, op.Linear, 1, nil, x, w).F32()
			b := compute(t, op.Linear, 1, nil, x, panels(w)).F32()
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("M %d K %d: %v in rows, %v in panels", M, K, a, b)
			}
		}
	}
}

func loraAttrs(site int, scale float64, s noise.Sampler) op.Attrs {
	return op.Attrs{op.IntAttr("site", site), op.FloatAttr("scale", scale), op.IntAttr("sampler", int(s))}
}

// Against the dense form y = x (W + scale · (B + σεz) A)ᵀ + bias in float64.
func TestLinearLoRAIsADenseLinear(t *testing.T) {
	const N, K, M, r, copies, scale = 3, 5, 4, 2, 7, 1.5
	const eps = float32(0.37)
	rng := rand.New(rand.NewPCG(5, 5))
	w, a, b := narrow(random(rng, M*K), M, K), narrow(random(rng, r*K), r, K), narrow(random(rng, M*r), M, r)
	bias := narrow(random(rng, M), M)
	for _, s := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
		for _, first := range []int32{0, 1, 6, -1, -4} {
			for _, x := range []*kernel.Tensor{narrow(random(rng, N*K), N, K), tensor(random(rng, copies*N*K), copies, N, K)} {
				y := compute(t, op.LinearLoRA, copies, loraAttrs(9, scale, s), x, w, a, b,
					tensor([]uint32{7, 8}, 0, 2), tensor([]int32{first}, 0, 1), narrow([]float32{eps}, 1), bias)
				for p := range copies {
					j, sign := int(first)+p, 0.0
					query := j / 2
					if sign = []float64{1, -1}[j&1]; first < 0 {
						query, sign = max(p-int(first)-2, 0), math.Min(float64(p-int(first)-1), 1)
					}
					z := make([]float32, M*r)
					s.Fill(z, [2]uint32{7, 8}, 9, uint32(query), 0)
					for n := range N {
						for m := range M {
							sum := float64(bias.F32()[m])
							for k := range K {
								dense := float64(w.F32()[m*K+k])
								for c := range r {
									moved := float64(b.F32()[m*r+c]) + sign*float64(eps)*float64(z[m*r+c])
									dense += scale * moved * float64(a.F32()[c*K+k])
								}
								sum += dense * float64(x.Copy(p)[n*K+k])
							}
							if got := y.Copy(p)[n*M+m]; math.Abs(float64(got)-sum) > 1e-5 {
								t.Fatalf("%s first %d copy %d: y[%d %d] = %g, want %g", s, first, p, n, m, got, sum)
							}
						}
					}
				}
			}
		}
	}
}

// x, A one and W zero show B + σεz itself, which must carry two f32 roundings.
func TestPerturbationIsRoundedTwice(t *testing.T) {
	const M = 64
	rng := rand.New(rand.NewPCG(6, 6))
	b, eps := narrow(random(rng, M), M, 1), float32(0.1)
	y := compute(t, op.LinearLoRA, 2, loraAttrs(3, 1, noise.Gaussian), narrow([]float32{1}, 1, 1), narrow(make([]float32, M), M, 1),
		narrow([]float32{1}, 1, 1), b, tensor([]uint32{1, 1}, 0, 2), tensor([]int32{0}, 0, 1), narrow([]float32{eps}, 1))
	z := make([]float32, M)
	noise.Gaussian.Fill(z, [2]uint32{1, 1}, 3, 0, 0)
	fusedDiffers := false
	for m := range M {
		product := float32(float64(eps) * float64(z[m]))
		plus, minus := float32(float64(b.F32()[m])+float64(product)), float32(float64(b.F32()[m])-float64(product))
		if y.Copy(0)[m] != plus || y.Copy(1)[m] != minus {
			t.Errorf("element %d: %g and %g, want %g and %g", m, y.Copy(0)[m], y.Copy(1)[m], plus, minus)
		}
		fusedDiffers = fusedDiffers || float32(math.FMA(float64(eps), float64(z[m]), float64(b.F32()[m]))) != plus
	}
	if !fusedDiffers {
		t.Error("no element tells two roundings from one")
	}
}

func TestZeroEpsIsB(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	x, w := narrow(random(rng, 6), 2, 3), narrow(random(rng, 12), 4, 3)
	a, b := narrow(random(rng, 3), 1, 3), narrow(random(rng, 4), 4, 1)
	y := compute(t, op.LinearLoRA, 3, loraAttrs(0, 2, noise.Gaussian), x, w, a, b,
		tensor([]uint32{1, 1}, 0, 2), tensor([]int32{0}, 0, 1), narrow([]float32{0}, 1))
	for p := range 3 {
		for i, v := range y.Copy(p) {
			if v != y.Copy(0)[i] {
				t.Errorf("copy %d element %d differs from copy 0", p, i)
			}
		}
	}
	h := 0.0
	for k := range 3 {
		h += float64(x.F32()[k]) * float64(a.F32()[k])
	}
	base := compute(t, op.Linear, 1, nil, x, w)
	if got, want := y.F32()[0], float64(base.F32()[0])+2*h*float64(b.F32()[0]); math.Abs(float64(got)-want) > 1e-6 {
		t.Errorf("y = %g, want %g", got, want)
	}
}

func TestUpdateLoRA(t *testing.T) {
	const M, r, lr = 5, 3, float32(0.3)
	rng := rand.New(rand.NewPCG(8, 8))
	attrs := op.Attrs{op.IntAttr("site", 4), op.IntAttr("sampler", int(noise.Gaussian))}
	for _, Q := range []int{0, 1, 3} {
		b, g := narrow(random(rng, M*r), M, r), random(rng, Q)
		before := append([]float32(nil), b.F32()...)
		compute(t, op.UpdateLoRA, 0, attrs, b, tensor([]uint32{5, 6}, 0, 2), narrow(g, Q), narrow([]float32{lr}, 1))
		for e := range before {
			// Each f32 operation is a float64 one rounded: products of two f32
			// are exact in float64, and sums of two round the same.
			sum, z := 0.0, []float32{0}
			for i := range g {
				noise.Gaussian.Fill(z, [2]uint32{5, 6}, 4, uint32(i), uint32(e))
				sum = round(sum + round(float64(g[i])*float64(z[0])))
			}
			want := before[e]
			if Q > 0 {
				want = float32(float64(before[e]) - round(round(float64(lr)/float64(Q))*sum))
			}
			if got := b.F32()[e]; math.Float32bits(got) != math.Float32bits(want) {
				t.Errorf("Q %d element %d: %g, want %g", Q, e, got, want)
			}
		}
	}
}

func round(v float64) float64 { return float64(float32(v)) }
