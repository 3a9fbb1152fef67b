package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// levels are the instruction sets that this machine can be held to.
func levels(t testing.TB) []Features {
	t.Helper()
	list := []Features{{}}
	for _, name := range []string{"avx2", "avx512", "neon"} {
		if f, err := Detect().Limit(name); err == nil {
			list = append(list, f)
		}
	}
	return list
}

// storage makes n float32 at a multiple of 64 bytes.
func storage(n int) []float32 {
	s := make([]float32, n+32)
	for uintptr(unsafe.Pointer(&s[0]))%64 != 0 {
		s = s[1:]
	}
	return s[:n:n]
}

// tensor makes a tensor of constant shape, wide if copies > 0.
func tensor[T float32 | int32 | uint32](values []T, copies int, shape ...int) *kernel.Tensor {
	t := &kernel.Tensor{Type: op.Type{DType: op.F32, Wide: copies > 0}, Width: max(copies, 1), Shape: shape}
	switch any(values).(type) {
	case []int32:
		t.Type.DType = op.I32
	case []uint32:
		t.Type.DType = op.U32
	}
	for _, n := range shape {
		t.Type.Shape = append(t.Type.Shape, op.C(n))
	}
	if len(values) > 0 {
		to := storage(len(values))
		copy(unsafe.Slice((*T)(unsafe.Pointer(&to[0])), len(values)), values)
		t.Data = unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), 4*len(values))
	}
	return t
}

func normal(rng *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return values
}

// matrix makes a random narrow matrix; wide one if copies > 0.
func matrix(rng *rand.Rand, copies, rows, columns int) *kernel.Tensor {
	return tensor(normal(rng, max(copies, 1)*rows*columns), copies, rows, columns)
}

// inPanels holds a row-major matrix in the Panels16 layout.
func inPanels(t *kernel.Tensor) *kernel.Tensor {
	M, K := t.Shape[0], t.Shape[1]
	values := make([]float32, (M+15)/16*16*K)
	for m := range M {
		for k := range K {
			values[m/16*16*K+k*16+m%16] = t.F32()[m*K+k]
		}
	}
	u := tensor(values, 0, M, K)
	u.Type.Layout = op.Panels16
	return u
}

// test is one call to compare.
type test struct {
	name   string
	id     op.ID
	copies int
	attrs  op.Attrs
	in     []*kernel.Tensor
}

// run computes the call with the kernels, over scratch that is full of NaN and
// guarded at its end, and returns output 0, or input 0 for an update.
func (c *test) run(t testing.TB, kernels []kernel.Kernel, workers int, times int) []float32 {
	t.Helper()
	pool := platform.NewPool(workers)
	defer pool.Close()
	call, runner := c.bind(t, kernels, pool)
	for range times {
		if err := runner.Run(); err != nil {
			t.Fatal(err)
		}
	}
	guard := call.Scratch[len(call.Scratch):cap(call.Scratch)]
	for i := range guard {
		if guard[i] != 0xff {
			t.Fatalf("%s: byte %d past the scratch was written", c.name, i)
		}
	}
	if len(call.Out) == 0 {
		return call.In[0].F32()
	}
	return call.Out[0].F32()
}

func (c *test) bind(t testing.TB, kernels []kernel.Kernel, pool *platform.Pool) (*kernel.Call, kernel.Runner) {
	t.Helper()
	spec, _ := op.Lookup(c.id)
	types := make([]op.Type, len(c.in))
	call := &kernel.Call{Spec: spec, Attrs: c.attrs, Pool: pool}
	for i, in := range c.in {
		types[i] = in.Type
		own := *in
		if spec.Inputs[i].Mutable {
			own.Data = append([]byte(nil), in.Data...)
		}
		call.In = append(call.In, &own)
	}
	outTypes, err := spec.Infer(types, c.attrs)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range outTypes {
		out := &kernel.Tensor{Type: u, Width: 1}
		n := 1
		for _, d := range u.Shape {
			out.Shape = append(out.Shape, d.Offset)
			n *= d.Offset
		}
		if u.Wide {
			out.Width = c.copies
		}
		if n*out.Width > 0 {
			out.Data = unsafe.Slice((*byte)(unsafe.Pointer(&storage(n * out.Width)[0])), 4*n*out.Width)
		}
		call.Out = append(call.Out, out)
	}
	reg, err := kernel.NewRegistry(kernels)
	if err != nil {
		t.Fatal(err)
	}
	k, err := reg.Pick(c.id, types, c.attrs)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if k.Scratch != nil {
		n = k.Scratch(call)
	}
	scratch := storage(n/4 + 64)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&scratch[0])), 4*len(scratch))
	for i := range bytes {
		bytes[i] = 0xff // as float32 a NaN
	}
	call.Scratch = bytes[:n]
	r, err := k.Bind(call)
	if err != nil {
		t.Fatal(err)
	}
	return call, r
}

// error is the normalised mean squared error of got; NaN must meet NaN.
func nmse(t testing.TB, name string, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	var errs, square float64
	for i := range got {
		g, w := float64(got[i]), float64(want[i])
		if math.IsNaN(g) || math.IsNaN(w) || math.IsInf(w, 0) {
			if math.IsNaN(g) != math.IsNaN(w) || math.IsInf(w, 0) && g != w {
				t.Fatalf("%s: element %d is %g, want %g", name, i, g, w)
			}
			continue
		}
		errs += (g - w) * (g - w)
		square += w * w
	}
	if square == 0 {
		return errs
	}
	return errs / square
}

func (c *test) check(t *testing.T, limit float64) {
	t.Helper()
	want := c.run(t, ref.Kernels(), 1, 1)
	for _, f := range levels(t) {
		name := fmt.Sprintf("%s %s", c.name, f)
		got := c.run(t, Kernels(f), 1, 1)
		if e := nmse(t, name, got, want); !(e <= limit) {
			t.Errorf("%s: nmse %g, at most %g", name, e, limit)
		}
		for _, workers := range []int{2, 7} {
			again := c.run(t, Kernels(f), workers, 1)
			for i := range got {
				if math.Float32bits(again[i]) != math.Float32bits(got[i]) {
					t.Fatalf("%s: element %d is %g with %d workers, %g with one", name, i, again[i], workers, got[i])
				}
			}
		}
	}
}

// gemmLimit: sums of K products in float32, K up to a few thousand.
const gemmLimit = 1e-12

func TestLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][4]int{
		{1, 1, 1, 0}, {1, 1, 16, 0}, {5, 3, 17, 2}, {7, 40, 33, 3}, {13, 64, 48, 0}, {29, 321, 100, 2},
		{150, 700, 65, 0}, {31, 128, 352, 4}, {0, 8, 16, 2}, {6, 0, 20, 0}, {300, 33, 31, 0},
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
		{1, 1, 1, 1, 1, 0, 0}, {5, 3, 17, 2, 4, 0, 0}, {5, 3, 17, 2, 4, 1, 0}, {29, 50, 48, 16, 3, 0, 1},
		{29, 50, 40, 16, 3, 1, 1}, {60, 352, 128, 16, 8, 1, 0}, {60, 352, 128, 16, 8, 0, 0}, {17, 8, 100, 20, 2, 1, 7},
		{0, 8, 16, 2, 2, 1, 0}, {160, 8, 16, 2, 2, 0, 0}, {9, 0, 16, 2, 2, 0, 0}, {9, 5, 31, 33, 1, 1, 5},
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

func TestAttention(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, s := range [][3]int{{1, 1, 1}, {4, 2, 8}, {4, 1, 5}, {2, 2, 32}, {3, 3, 17}, {2, 1, 48}, {1, 1, 100}} {
		heads, kvHeads, D := s[0], s[1], s[2]
		for _, offsets := range [][]int32{{0, 1}, {0, 7, 7, 20}, {0, 60, 61, 110}, {0}} {
			N := int(offsets[len(offsets)-1])
			for wide := range 8 {
				copies := func(bit int) int { return wide >> bit & 1 * 2 }
				c := test{fmt.Sprint(s, offsets, wide), op.Attention, 2, op.Attrs{
					op.IntAttr("num_heads", heads), op.IntAttr("kv_num_heads", kvHeads),
					op.FloatAttr("scale", 0.3), op.IntAttr("causal", wide%2),
				}, []*kernel.Tensor{
					matrix(rng, copies(0), N, heads*D), matrix(rng, copies(1), N, kvHeads*D), matrix(rng, copies(2), N, kvHeads*D),
					tensor(offsets, 0, len(offsets)),
				}}
				c.check(t, 1e-12)
				c.attrs[3] = op.IntAttr("causal", 1-wide%2)
				c.check(t, 1e-12)
			}
		}
	}
}

// What a causal query must not see must not reach it, be it NaN.
func TestAttentionHidesWhatFollows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	const N, D = 40, 16
	k, v := matrix(rng, 0, N, D), matrix(rng, 0, N, D)
	k.F32()[30*D], v.F32()[20*D+3], v.F32()[10*D] = float32(math.NaN()), float32(math.NaN()), float32(math.Inf(1))
	c := test{"nan", op.Attention, 1, op.Attrs{
		op.IntAttr("num_heads", 1), op.IntAttr("kv_num_heads", 1), op.FloatAttr("scale", 0.3), op.IntAttr("causal", 1),
	}, []*kernel.Tensor{matrix(rng, 0, N, D), k, v, tensor([]int32{0, N}, 0, 2)}}
	c.check(t, 1e-12)
}

func TestRowOps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for _, C := range []int{1, 2, 7, 16, 33, 100, 288} {
		for _, copies := range []int{0, 3} {
			x, scale := matrix(rng, copies, 37, C), tensor(normal(rng, C), 0, C)
			(&test{"rms", op.RMSNormalization, copies, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, scale}}).check(t, 1e-13)
			y := matrix(rng, 0, 37, C)
			(&test{"add", op.Add, copies, nil, []*kernel.Tensor{x, y}}).check(t, 1e-14)
			(&test{"add", op.Add, copies, nil, []*kernel.Tensor{y, x}}).check(t, 1e-14)
			(&test{"swiglu", op.SwiGLU, copies, nil, []*kernel.Tensor{x, y}}).check(t, 1e-13)
			indices := tensor([]int32{36, 0, 3, 3, 17, 15, 16}, 0, 7)
			(&test{"gather", op.Gather, copies, nil, []*kernel.Tensor{x, indices}}).check(t, 0)
			(&test{"gather", op.Gather, 0, nil, []*kernel.Tensor{inPanels(y), indices}}).check(t, 0)
		}
	}
	positions := make([]int32, 37)
	for i := range positions {
		positions[i] = int32(rng.IntN(9))
	}
	for interleaved := range 2 {
		(&test{"rotary", op.RotaryEmbedding, 2, op.Attrs{op.IntAttr("num_heads", 3), op.IntAttr("interleaved", interleaved)}, []*kernel.Tensor{
			matrix(rng, 2, 37, 24), tensor(positions, 0, 37), matrix(rng, 0, 9, 4), matrix(rng, 0, 9, 4),
		}}).check(t, 1e-13)
	}
}

func TestRMSNormalizationOfExtremes(t *testing.T) {
	for _, size := range []float32{1e-25, 1e25} {
		x := tensor([]float32{size, -2 * size, 3 * size}, 0, 1, 3)
		(&test{"rms", op.RMSNormalization, 0, op.Attrs{op.FloatAttr("epsilon", 0)}, []*kernel.Tensor{x, tensor([]float32{1, 2, 3}, 0, 3)}}).check(t, 1e-13)
	}
}

// In place, output 0 lies where input 0 does.
func TestInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	x, y := matrix(rng, 2, 37, 24), matrix(rng, 0, 37, 24)
	for _, c := range []test{
		{"add", op.Add, 2, nil, []*kernel.Tensor{x, y}},
		{"swiglu", op.SwiGLU, 2, nil, []*kernel.Tensor{x, y}},
		{"rms", op.RMSNormalization, 2, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, tensor(normal(rng, 24), 0, 24)}},
		{"rotary", op.RotaryEmbedding, 2, op.Attrs{op.IntAttr("num_heads", 3), op.IntAttr("interleaved", 1)}, []*kernel.Tensor{
			x, tensor(make([]int32, 37), 0, 37), matrix(rng, 0, 9, 4), matrix(rng, 0, 9, 4),
		}},
	} {
		for _, f := range levels(t) {
			pool := platform.NewPool(2)
			want := c.run(t, Kernels(f), 2, 1)
			call, r := c.bind(t, Kernels(f), pool)
			copy(call.Out[0].Data, call.In[0].Data)
			call.In[0].Data = call.Out[0].Data
			if err := r.Run(); err != nil {
				t.Fatal(err)
			}
			if e := nmse(t, c.name, call.Out[0].F32(), want); e != 0 {
				t.Errorf("%s %s: in place differs by nmse %g", c.name, f, e)
			}
			pool.Close()
		}
	}
}

func TestCrossEntropyHead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for _, s := range [][4]int{{1, 1, 1, 0}, {5, 8, 300, 3}, {70, 16, 256, 0}, {13, 33, 1000, 2}, {0, 4, 50, 2}} {
		R, C, V, copies := s[0], s[1], s[2], s[3]
		labels := make([]int32, R)
		for i := range labels {
			labels[i] = int32(rng.IntN(V))
		}
		x, w := matrix(rng, copies, R, C), matrix(rng, 0, V, C)
		for _, weights := range []*kernel.Tensor{w, inPanels(w)} {
			(&test{fmt.Sprint(s), op.CrossEntropyHead, copies, nil, []*kernel.Tensor{x, weights, tensor(labels, 0, R)}}).check(t, 1e-12)
		}
	}
}

// A row of −Inf, +Inf or NaN logits gives what the definition gives.
func TestCrossEntropyHeadOfInfinities(t *testing.T) {
	const V = 600
	inf := float32(math.Inf(1))
	for _, c := range []struct{ first, rest float32 }{{0, -inf}, {1, inf}, {-inf, -inf}, {float32(math.NaN()), 0}, {-inf, 0}, {float32(math.NaN()), -inf}} {
		w := make([]float32, V)
		for i := range w {
			w[i] = c.rest
		}
		w[1] = c.first
		for label := range int32(3) {
			(&test{fmt.Sprint(c), op.CrossEntropyHead, 0, nil, []*kernel.Tensor{
				tensor([]float32{1}, 0, 1, 1), tensor(w, 0, V, 1), tensor([]int32{label}, 0, 1),
			}}).check(t, 1e-12)
		}
	}
}

func TestLosses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 10))
	for _, copies := range []int{0, 3} {
		nll := tensor(normal(rng, max(copies, 1)*9), copies, 9)
		(&test{"sum", op.WeightedSum, copies, nil, []*kernel.Tensor{nll, tensor(normal(rng, 9), 0, 9)}}).check(t, 1e-13)
		for mean := range 2 {
			attrs := op.Attrs{op.IntAttr("mean", mean)}
			(&test{"choice", op.ChoiceLoss, copies, attrs, []*kernel.Tensor{
				nll, tensor([]int32{0, 2, 2, 5, 9}, 0, 5), tensor([]int32{0, 3, 4}, 0, 3), tensor([]int32{2, 0}, 0, 2),
			}}).check(t, 1e-13)
			(&test{"no choice", op.ChoiceLoss, copies, attrs, []*kernel.Tensor{
				tensor([]float32(nil), copies, 0), tensor([]int32{0}, 0, 1), tensor([]int32{0}, 0, 1), tensor([]int32(nil), 0, 0),
			}}).check(t, 0)
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

func TestRunAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 12))
	one, seed := tensor([]float32{1}, 0, 1), tensor([]uint32{1, 2}, 0, 2)
	x, w := matrix(rng, 2, 50, 24), matrix(rng, 0, 40, 24)
	offsets := tensor([]int32{0, 20, 50}, 0, 3)
	site := op.Attrs{op.IntAttr("site", 1), op.IntAttr("sampler", 1)}
	for _, c := range []test{
		{"linear", op.Linear, 2, nil, []*kernel.Tensor{x, w}},
		{"lora", op.LinearLoRA, 2, loraAttrs(1), []*kernel.Tensor{x, w, matrix(rng, 0, 4, 24), matrix(rng, 0, 40, 4), seed, tensor([]int32{0}, 0, 1), one}},
		{"update", op.UpdateLoRA, 2, site, []*kernel.Tensor{w, seed, tensor(normal(rng, 3), 0, 3), one}},
		{"attention", op.Attention, 2, op.Attrs{
			op.IntAttr("num_heads", 2), op.IntAttr("kv_num_heads", 1), op.FloatAttr("scale", 1), op.IntAttr("causal", 1),
		}, []*kernel.Tensor{x, matrix(rng, 0, 50, 12), matrix(rng, 0, 50, 12), offsets}},
		{"head", op.CrossEntropyHead, 2, nil, []*kernel.Tensor{x, w, tensor(make([]int32, 50), 0, 50)}},
		{"swiglu", op.SwiGLU, 2, nil, []*kernel.Tensor{x, x}},
		{"add", op.Add, 2, nil, []*kernel.Tensor{x, x}},
		{"gather", op.Gather, 2, nil, []*kernel.Tensor{w, tensor(make([]int32, 5), 0, 5)}},
		{"rms", op.RMSNormalization, 2, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, tensor(normal(rng, 24), 0, 24)}},
		{"rotary", op.RotaryEmbedding, 2, op.Attrs{op.IntAttr("num_heads", 3), op.IntAttr("interleaved", 1)}, []*kernel.Tensor{
			x, tensor(make([]int32, 50), 0, 50), matrix(rng, 0, 9, 4), matrix(rng, 0, 9, 4),
		}},
		{"sum", op.WeightedSum, 2, nil, []*kernel.Tensor{tensor(normal(rng, 8), 2, 4), tensor(normal(rng, 4), 0, 4)}},
		{"choice", op.ChoiceLoss, 2, op.Attrs{op.IntAttr("mean", 1)}, []*kernel.Tensor{
			tensor(normal(rng, 8), 2, 4), tensor([]int32{0, 2, 4}, 0, 3), tensor([]int32{0, 2}, 0, 2), tensor([]int32{1}, 0, 1),
		}},
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

func TestEveryOpHasAKernel(t *testing.T) {
	for _, f := range levels(t) {
		have := map[op.ID]int{}
		for _, k := range Kernels(f) {
			have[k.Op]++
			if k.Cost <= 0 || k.Cost >= 1000 {
				t.Errorf("%s costs %d: a plain kernel would be picked before it", k.Name, k.Cost)
			}
		}
		for _, s := range op.All() {
			if have[s.ID] != 1 {
				t.Errorf("%s: %s has %d kernels, want 1", f, s.Name, have[s.ID])
			}
		}
	}
}
