package ref

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// tensor makes a tensor of constant shape; wide if copies > 0.
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
		t.Data = unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
	}
	return t
}

func narrow(values []float32, shape ...int) *kernel.Tensor { return tensor(values, 0, shape...) }

func random(rng *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return values
}

// panels holds a row-major matrix in the Panels16 layout.
func panels(t *kernel.Tensor) *kernel.Tensor {
	M, K := t.Shape[0], t.Shape[1]
	values := make([]float32, (M+15)/16*16*K)
	for m := range M {
		for k := range K {
			values[m/16*16*K+k*16+m%16] = t.F32()[m*K+k]
		}
	}
	u := narrow(values, M, K)
	u.Type.Layout = op.Panels16
	return u
}

// bind infers the output types, makes the outputs and binds the plain kernel.
// copies is the width of wide values.
func bind(t *testing.T, id op.ID, copies int, attrs op.Attrs, in ...*kernel.Tensor) (*kernel.Call, kernel.Runner) {
	t.Helper()
	spec, _ := op.Lookup(id)
	types := make([]op.Type, len(in))
	for i := range in {
		types[i] = in[i].Type
	}
	outTypes, err := spec.Infer(types, attrs)
	if err != nil {
		t.Fatal(err)
	}
	c := &kernel.Call{Spec: spec, Attrs: attrs, In: in, Pool: platform.NewPool(1)}
	for _, u := range outTypes {
		bytes, err := u.Bytes(op.Extents{Width: copies})
		if err != nil {
			t.Fatal(err)
		}
		out := tensor(make([]float32, bytes/4), 0)
		out.Type, out.Shape = u, nil
		for _, d := range u.Shape {
			out.Shape = append(out.Shape, d.Offset)
		}
		if u.Wide {
			out.Width = copies
		}
		c.Out = append(c.Out, out)
	}
	reg, err := kernel.NewRegistry(Kernels())
	if err != nil {
		t.Fatal(err)
	}
	k, err := reg.Pick(id, types, attrs)
	if err != nil {
		t.Fatal(err)
	}
	r, err := k.Bind(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

// compute runs the plain kernel once and returns output 0.
func compute(t *testing.T, id op.ID, copies int, attrs op.Attrs, in ...*kernel.Tensor) *kernel.Tensor {
	t.Helper()
	c, r := bind(t, id, copies, attrs, in...)
	if err := r.Run(); err != nil {
		t.Fatal(err)
	}
	if len(c.Out) == 0 {
		return nil
	}
	return c.Out[0]
}

// near fails unless got is want to about f32 accuracy.
func near(t *testing.T, what string, got float32, want float64) {
	t.Helper()
	v := float64(got)
	if v == want || math.IsNaN(v) && math.IsNaN(want) {
		return
	}
	if math.IsInf(want, 0) || !(math.Abs(v-want) <= 2e-7*math.Abs(want)+1e-30) {
		t.Errorf("%s = %g, want %g", what, got, want)
	}
}

func isNaN(v float32) bool { return v != v }

func TestEveryOpHasAPlainKernel(t *testing.T) {
	have := map[op.ID]int{}
	for _, k := range Kernels() {
		have[k.Op]++
		if k.Cost != 1000 || k.Supports != nil || k.Scratch != nil {
			t.Errorf("%s: cost, Supports or Scratch is not that of a plain kernel", k.Name)
		}
	}
	for _, s := range op.All() {
		if have[s.ID] != 1 {
			t.Errorf("%s has %d plain kernels, want 1", s.Name, have[s.ID])
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	seed, one := tensor([]uint32{1, 2}, 0, 2), narrow([]float32{1}, 1)
	site := op.Attrs{op.IntAttr("site", 1), op.IntAttr("sampler", int(noise.Gaussian))}
	x, w := tensor(random(rng, 2*3*4), 2, 3, 4), narrow(random(rng, 20), 5, 4)
	calls := map[op.ID]func() kernel.Runner{
		op.Linear: func() kernel.Runner {
			_, r := bind(t, op.Linear, 2, nil, x, w)
			return r
		},
		op.LinearLoRA: func() kernel.Runner {
			_, r := bind(t, op.LinearLoRA, 2, op.Attrs{site[0], op.FloatAttr("scale", 2), site[1]}, x, w,
				narrow(random(rng, 8), 2, 4), narrow(random(rng, 10), 5, 2), seed, tensor([]int32{0}, 0, 1), one)
			return r
		},
		op.UpdateLoRA: func() kernel.Runner {
			_, r := bind(t, op.UpdateLoRA, 2, site, w, seed, narrow(random(rng, 3), 3), one)
			return r
		},
		op.Attention: func() kernel.Runner {
			_, r := bind(t, op.Attention, 2, attentionAttrs(2, 1, 0.5, true),
				x, narrow(random(rng, 6), 3, 2), narrow(random(rng, 6), 3, 2), tensor([]int32{0, 3}, 0, 2))
			return r
		},
	}
	for id, make := range calls {
		r := make()
		if n := testing.AllocsPerRun(10, func() { _ = r.Run() }); n != 0 {
			t.Errorf("%s: %g allocations a run", id, n)
		}
	}
}
