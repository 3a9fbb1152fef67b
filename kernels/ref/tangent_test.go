package ref

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// grid makes n values that are multiples of 2^−6, so that x ± h·dx is exact for
// the steps of differences.
func grid(rng *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(math.Round(rng.NormFloat64()*64) / 64)
	}
	return values
}

// tangentCase is an op with tangents of some of its inputs.
type tangentCase struct {
	name    string
	op      op.ID
	attrs   op.Attrs
	in      []*kernel.Tensor // of the op, of width 1
	moved   map[int]*kernel.Tensor
	tangent op.ID
	given   []op.Attr                             // attributes that the tangent op has beside the op's
	of      func(c *tangentCase) []*kernel.Tensor // its inputs
}

// moveBy gives the op's inputs with x + h·dx, one copy a direction, in place of
// those that have a tangent.
func (c *tangentCase) moveBy(h float32) []*kernel.Tensor {
	in := slices.Clone(c.in)
	for i, d := range c.moved {
		values := make([]float32, 0, d.Width*d.Elements())
		for p := range d.Width {
			for e, x := range in[i].Copy(0) {
				values = append(values, x+h*d.Copy(p)[e])
			}
		}
		in[i] = tensor(values, d.Width, d.Shape...)
	}
	return in
}

// central is the central difference of the op's plain kernel along the tangents,
// with the error of order h² taken out: (4 D(h) − D(2h)) / 3 (Richardson).
func (c *tangentCase) central(t *testing.T, copies int) []float64 {
	difference := func(h float32) []float64 {
		plus := compute(t, c.op, copies, c.attrs, c.moveBy(h)...).F32()
		minus := compute(t, c.op, copies, c.attrs, c.moveBy(-h)...).F32()
		d := make([]float64, len(plus))
		for i := range d {
			d[i] = (float64(plus[i]) - float64(minus[i])) / (2 * float64(h))
		}
		return d
	}
	const h = 1.0 / 64
	near, far := difference(h), difference(2*h)
	for i := range near {
		near[i] = (4*near[i] - far[i]) / 3
	}
	return near
}

// check holds the tangent op against the differences. Results of size 1 are
// rounded to 2^−24 of themselves, which a difference over 2^−5 makes 2^−19; what
// is left of the error of order h⁴ is of that size.
func (c *tangentCase) check(t *testing.T, copies int) {
	want := c.central(t, copies)
	got := compute(t, c.tangent, copies, append(slices.Clone(c.attrs), c.given...), c.of(c)...).F32()
	if len(got) != len(want) {
		t.Fatalf("%d results, want %d", len(got), len(want))
	}
	error2, energy := 0.0, 0.0
	for i, w := range want {
		error2 += (float64(got[i]) - w) * (float64(got[i]) - w)
		energy += w * w
	}
	if relative := math.Sqrt(error2 / energy); !(relative < 3e-5) {
		t.Errorf("off by %.3g of its size", relative)
	}
}

// Every tangent op is what the op's own plain kernel changes by.
func TestTangentsAreDerivatives(t *testing.T) {
	const P = 3
	rng := rand.New(rand.NewPCG(7, 7))
	fixed := func(shape ...int) *kernel.Tensor { return narrow(grid(rng, count(shape)), shape...) }
	moving := func(shape ...int) *kernel.Tensor { return tensor(grid(rng, P*count(shape)), P, shape...) }
	var cases []tangentCase
	add := func(name string, id op.ID, attrs op.Attrs, in []*kernel.Tensor, moved map[int]*kernel.Tensor, tangent op.ID,
		of func(c *tangentCase) []*kernel.Tensor, given ...op.Attr,
	) {
		cases = append(cases, tangentCase{name, id, attrs, in, moved, tangent, given, of})
	}
	first := func(kept ...int) func(c *tangentCase) []*kernel.Tensor { // dx, then inputs of the op
		return func(c *tangentCase) []*kernel.Tensor {
			list := []*kernel.Tensor{c.moved[0]}
			for _, i := range kept {
				list = append(list, c.in[i])
			}
			return list
		}
	}
	epsilon := op.Attrs{op.FloatAttr("epsilon", 0.1)}
	for _, D := range []int{4, 5, 20} {
		add(fmt.Sprint("heads of ", D), op.RMSNormalization, epsilon, []*kernel.Tensor{fixed(4, 20), fixed(D)},
			map[int]*kernel.Tensor{0: moving(4, 20)}, op.RMSNormalizationTangent, first(0, 1))
	}
	add("", op.LayerNormalization, epsilon, []*kernel.Tensor{fixed(4, 20), fixed(20), fixed(20)},
		map[int]*kernel.Tensor{0: moving(4, 20)}, op.LayerNormalizationTangent, first(0, 1))
	for approximate := range 2 {
		add(fmt.Sprint("approximate ", approximate), op.Gelu, op.Attrs{op.IntAttr("approximate", approximate)}, []*kernel.Tensor{fixed(10, 20)},
			map[int]*kernel.Tensor{0: moving(10, 20)}, op.GeluTangent, first(0))
	}
	away := fixed(10, 20) // from 0, where Relu has no derivative
	for i, v := range away.F32() {
		away.F32()[i] = v + float32(math.Copysign(1, float64(v)))
	}
	small := moving(10, 20)
	for i := range small.F32() {
		small.F32()[i] /= 8
	}
	add("", op.Relu, nil, []*kernel.Tensor{away}, map[int]*kernel.Tensor{0: small}, op.ReluTangent, first(0))
	for given := 1; given < 4; given++ {
		moved := chosen(given, func(int) *kernel.Tensor { return moving(10, 20) }, 2)
		add(fmt.Sprint("given ", given), op.SwiGLU, nil, []*kernel.Tensor{fixed(10, 20), fixed(10, 20)}, moved, op.SwiGLUTangent,
			func(c *tangentCase) []*kernel.Tensor {
				d := inOrder(c.moved)
				return append([]*kernel.Tensor{d[0], c.in[0], c.in[1]}, d[1:]...)
			}, op.IntAttr("given", given))
	}
	offsets := tensor([]int32{0, 4, 4, 5, 11}, 0, 5)
	for given := 1; given < 8; given++ {
		for _, causal := range []bool{false, true} {
			shapes := [][]int{{11, 4 * 5}, {11, 2 * 5}, {11, 2 * 5}}
			moved := chosen(given, func(i int) *kernel.Tensor { return moving(shapes[i]...) }, 3)
			add(fmt.Sprint("given ", given, " causal ", causal), op.Attention, attentionAttrs(4, 2, 0.25, causal),
				[]*kernel.Tensor{fixed(shapes[0]...), fixed(shapes[1]...), fixed(shapes[2]...), offsets}, moved, op.AttentionTangent,
				func(c *tangentCase) []*kernel.Tensor { return append(slices.Clone(c.in), inOrder(c.moved)...) }, op.IntAttr("given", given))
		}
	}
	labels := tensor([]int32{0, 22, 7, 7}, 0, 4)
	for _, in := range [][]*kernel.Tensor{
		{fixed(4, 6), fixed(23, 6), labels},
		{fixed(4, 6), panels(fixed(23, 6)), labels},
		{fixed(4, 6), fixed(23, 6), labels, fixed(23)},
	} {
		add(fmt.Sprint(len(in), " inputs, W ", in[1].Type), op.CrossEntropyHead, nil, in, map[int]*kernel.Tensor{0: moving(4, 6)}, op.CrossEntropyHeadTangent,
			func(c *tangentCase) []*kernel.Tensor {
				return append([]*kernel.Tensor{c.in[0], c.in[1], c.in[2], c.moved[0]}, c.in[3:]...)
			})
	}
	for _, mean := range []bool{false, true} {
		in := []*kernel.Tensor{
			fixed(9), tensor([]int32{0, 2, 5, 5, 6, 9}, 0, 6), tensor([]int32{0, 3, 5}, 0, 3), tensor([]int32{1, 0}, 0, 2),
		}
		add(fmt.Sprint("mean ", mean), op.ChoiceLoss, op.Attrs{op.BoolAttr("mean", mean)}, in, map[int]*kernel.Tensor{0: moving(9)}, op.ChoiceLossTangent,
			func(c *tangentCase) []*kernel.Tensor { return append(slices.Clone(c.in), c.moved[0]) })
	}
	seen := make(map[op.ID]bool)
	for _, c := range cases {
		seen[c.tangent] = true
		t.Run(c.tangent.String()+" "+c.name, func(t *testing.T) { c.check(t, P) })
	}
	for id := op.RMSNormalizationTangent; id <= op.ChoiceLossTangent; id++ {
		if !seen[id] {
			t.Errorf("no case of %s", id)
		}
	}
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// chosen makes the tangents of the inputs below n whose bits are set.
func chosen(given int, make func(i int) *kernel.Tensor, n int) map[int]*kernel.Tensor {
	moved := map[int]*kernel.Tensor{}
	for i := range n {
		if given>>i&1 != 0 {
			moved[i] = make(i)
		}
	}
	return moved
}

func inOrder(moved map[int]*kernel.Tensor) []*kernel.Tensor {
	var list []*kernel.Tensor
	for i := range 3 {
		if d := moved[i]; d != nil {
			list = append(list, d)
		}
	}
	return list
}

// The tangent of LinearLoRA, taken apart as package graph/pass does, is what
// LinearLoRA changes by along z: it is linear in B, so any difference is exact.
func TestLoRATangent(t *testing.T) {
	const N, K, M, r, P, scale = 5, 7, 9, 3, 4, 2
	rng := rand.New(rand.NewPCG(3, 1))
	seed, site := tensor([]uint32{5, 6}, 0, 2), op.IntAttr("site", 70000)
	for _, sampler := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
		x, w, a, b := narrow(grid(rng, N*K), N, K), narrow(grid(rng, M*K), M, K), narrow(grid(rng, r*K), r, K), narrow(grid(rng, M*r), M, r)
		kind := op.IntAttr("sampler", int(sampler))
		lora := op.Attrs{site, op.FloatAttr("scale", scale), kind}
		at := func(eps float32) []float32 { // copies 0 … P−1 perturbed by +ε z_0, z_1, …
			first := tensor([]int32{-2}, 0, 1)
			return compute(t, op.LinearLoRA, P, lora, x, w, a, b, seed, first, narrow([]float32{eps}, 1)).F32()
		}
		h := compute(t, op.Linear, 1, nil, x, a)
		for i := range h.F32() {
			h.F32()[i] *= scale
		}
		base := tensor(grid(rng, P*N*M), P, N, M)
		got := compute(t, op.LoRATangent, P, op.Attrs{site, kind}, base, h, seed).F32()
		plus, minus := at(1), at(-1)
		for i := range got {
			want := float64(base.F32()[i]) + (float64(plus[i])-float64(minus[i]))/2
			if math.Abs(float64(got[i])-want) > 1e-4 {
				t.Fatalf("%s: element %d is %g, want %g", sampler, i, got[i], want)
			}
		}
	}
}

func TestReluTangentWhereItBends(t *testing.T) {
	nan := float32(math.NaN())
	x := narrow([]float32{0, float32(math.Copysign(0, -1)), 2, -2, nan, -1}, 1, 6)
	dx := tensor([]float32{3, 4, 5, 6, 7, nan}, 1, 1, 6)
	got := compute(t, op.ReluTangent, 1, nil, dx, x).F32()
	for i, want := range []float32{0, 0, 5, 0, nan, 0} {
		if got[i] != want && !(isNaN(want) && isNaN(got[i])) {
			t.Errorf("element %d is %g, want %g", i, got[i], want)
		}
	}
}
