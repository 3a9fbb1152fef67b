package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
	"zeroth/runtime/quant"
)

// levels are the instruction sets that this machine has and that routines are
// written for, the least first.
func levels(t testing.TB) []Features {
	t.Helper()
	list := []Features{{}}
	for _, row := range slices.Backward(archRoutines()) {
		if Detect().covers(row.needs) {
			list = append(list, row.needs)
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

// check compares the call with the plain kernel's, on every level and for any number
// of workers; with -short, for emulators, on plain Go and the best level, from which, on
// arm64, those between differ in products of codes alone, and with many workers.
func (c *test) check(t *testing.T, limit float64) {
	t.Helper()
	want := c.run(t, ref.Kernels(), 1, 1)
	all, many := levels(t), []int{2, 7}
	if testing.Short() {
		all, many = slices.Compact([]Features{all[0], all[len(all)-1]}), many[1:]
	}
	for _, f := range all {
		name := fmt.Sprintf("%s %s", c.name, f)
		got := c.run(t, Kernels(f), 1, 1)
		if e := nmse(t, name, got, want); !(e <= limit) {
			t.Errorf("%s: nmse %g, at most %g", name, e, limit)
		}
		for _, workers := range many {
			again := c.run(t, Kernels(f), workers, 1)
			for i := range got {
				if math.Float32bits(again[i]) != math.Float32bits(got[i]) {
					t.Fatalf("%s: element %d is %g with %d workers, %g with one", name, i, again[i], workers, got[i])
				}
			}
		}
	}
}

// packedWeights encodes a row-major matrix.
func packedWeights(b testing.TB, t *kernel.Tensor, d op.DType) *kernel.Tensor {
	b.Helper()
	M, K := t.Shape[0], t.Shape[1]
	packed := &kernel.Tensor{
		Type:  op.Type{DType: d, Shape: t.Type.Shape, Layout: op.Panels16},
		Width: 1, Shape: t.Shape,
	}
	shape := packed.Type.Panels()
	panels := ceilDiv(M, op.PanelRows)
	size := int(shape.PanelBytes()+shape.GroupScaleBytes()+shape.RowScaleBytes()) * panels
	values := storage(size / 4)
	packed.Data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), size)
	for i := range panels {
		rows := min(op.PanelRows, M-i*op.PanelRows)
		if err := quant.PanelOf(packed.Data, &shape, i).Encode(&shape, t.F32()[i*op.PanelRows*K:], rows); err != nil {
			b.Fatal(err)
		}
	}
	return packed
}

// bytesOf views a buffer as bytes.
func bytesOf(s []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*len(s))
}
