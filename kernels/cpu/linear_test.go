package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// gemmLimit: sums of K products in float32, K up to a few thousand.
const gemmLimit = 1e-12

func TestLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][4]int{
		{1, 1, 1, 0},
		{1, 1, 16, 0},
		{5, 3, 17, 2},
		{7, 40, 33, 3},
		{13, 64, 48, 0},
		{29, 321, 100, 2},
		{150, 700, 65, 0},
		{31, 128, 352, 4},
		{0, 8, 16, 2},
		{6, 0, 20, 0},
		{300, 33, 31, 0},
	} {
		N, K, M, copies := s[0], s[1], s[2], s[3]
		x, w := matrix(rng, copies, N, K), matrix(rng, 0, M, K)
		bias := tensor(normal(rng, M), 0, M)
		for _, in := range [][]*kernel.Tensor{{x, w}, {x, w, bias}, {x, inPanels(w)}, {x, inPanels(w), bias}} {
			c := test{fmt.Sprintf("N %d K %d M %d w %d %s", N, K, M, copies, in[1].Type), op.Linear, copies, nil, in}
			c.check(t, gemmLimit)
		}
	}
}

func loraAttrs(sampler int) op.Attrs {
	return op.Attrs{op.IntAttr("site", 3), op.FloatAttr("scale", 1.5), op.IntAttr("sampler", sampler)}
}

func TestLinearLoRA(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][7]int{ // N, K, M, r, P, wide, first
		{1, 1, 1, 1, 1, 0, 0},
		{5, 3, 17, 2, 4, 0, 0},
		{5, 3, 17, 2, 4, 1, 0},
		{29, 50, 48, 16, 3, 0, 1},
		{29, 50, 40, 16, 3, 1, 1},
		{60, 352, 128, 16, 8, 1, 0},
		{60, 352, 128, 16, 8, 0, 0},
		{17, 8, 100, 20, 2, 1, 7},
		{0, 8, 16, 2, 2, 1, 0},
		{160, 8, 16, 2, 2, 0, 0},
		{9, 0, 16, 2, 2, 0, 0},
		{9, 5, 31, 33, 1, 1, 5},
	} {
		N, K, M, r, P := s[0], s[1], s[2], s[3], s[4]
		x := matrix(rng, s[5]*P, N, K)
		w, a, b := matrix(rng, 0, M, K), matrix(rng, 0, r, K), matrix(rng, 0, M, r)
		bias := tensor(normal(rng, M), 0, M)
		for i, eps := range []float32{0, 0.25} {
			in := []*kernel.Tensor{
				x, w, a, b, tensor([]uint32{7, 8}, 0, 2), tensor([]int32{int32(s[6])}, 0, 1), tensor([]float32{eps}, 0, 1),
			}
			if i == 1 {
				in[1] = inPanels(w)
				in = append(in, bias)
			}
			c := test{fmt.Sprintf("%v eps %g", s, eps), op.LinearLoRA, P, loraAttrs(1 + i), in}
			c.check(t, gemmLimit)
			c.attrs = loraAttrs(1)
			c.check(t, gemmLimit)
		}
	}
}

// With x, W zero and A and x picking one column, y is that column of B + σεz:
// the very bits of the definition.
func TestPerturbedWeightsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	const M, r, P = 70, 5, 5
	w, b := tensor(make([]float32, M), 0, M, 1), matrix(rng, 0, M, r)
	for column := range r {
		a := make([]float32, r)
		a[column] = 1
		for sampler := 1; sampler <= 2; sampler++ {
			attrs := loraAttrs(sampler)
			attrs[1] = op.FloatAttr("scale", 1)
			c := test{"exact", op.LinearLoRA, P, attrs, []*kernel.Tensor{
				tensor([]float32{1}, 0, 1, 1), w, tensor(a, 0, r, 1), b,
				tensor([]uint32{7, 8}, 0, 2), tensor([]int32{1}, 0, 1), tensor([]float32{1e-2}, 0, 1),
			}}
			c.check(t, 0)
		}
	}
}

func TestUpdateLoRA(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, s := range [][3]int{{1, 1, 1}, {70, 5, 4}, {16, 16, 0}, {100, 16, 7}} {
		for sampler := 1; sampler <= 2; sampler++ {
			c := test{fmt.Sprint(s), op.UpdateLoRA, 1, op.Attrs{op.IntAttr("site", 9), op.IntAttr("sampler", sampler)}, []*kernel.Tensor{
				matrix(rng, 0, s[0], s[1]), tensor([]uint32{1, 2}, 0, 2), tensor(normal(rng, s[2]), 0, s[2]), tensor([]float32{0.3}, 0, 1),
			}}
			c.check(t, 0)
		}
	}
}

// A widened product has the bits of its copies computed one by one.
func TestWidenedEqualsSequential(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 11))
	const N, K, M, r, P = 23, 340, 50, 4, 4
	x := matrix(rng, P, N, K)
	w, a, b := inPanels(matrix(rng, 0, M, K)), matrix(rng, 0, r, K), matrix(rng, 0, M, r)
	call := func(x *kernel.Tensor, copies, first int) *test {
		return &test{"lora", op.LinearLoRA, copies, loraAttrs(1), []*kernel.Tensor{
			x, w, a, b, tensor([]uint32{7, 8}, 0, 2), tensor([]int32{int32(first)}, 0, 1), tensor([]float32{0.1}, 0, 1),
		}}
	}
	for _, f := range levels(t) {
		wide := call(x, P, 0).run(t, Kernels(f), 2, 1)
		for p := range P {
			one := call(tensor(x.Copy(p), 0, N, K), 1, p).run(t, Kernels(f), 1, 1)
			for i, v := range one {
				if v != wide[p*N*M+i] {
					t.Fatalf("%s: copy %d element %d: %g alone, %g widened", f, p, i, v, wide[p*N*M+i])
				}
			}
		}
	}
}
