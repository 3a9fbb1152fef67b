package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"zeroth/kernels/conformance"
	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/quant"
)

// packed holds a row-major matrix in panels of a packed type.
func packed(t *testing.T, w *kernel.Tensor, d op.DType) *kernel.Tensor {
	t.Helper()
	p := *w
	p.Type.DType, p.Type.Layout = d, op.Panels16
	panels := p.Type.Panels()
	to := storage(int(panels.Bytes+3) / 4)
	p.Data = unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), panels.Bytes)
	for i := range panels.Count {
		rows := w.F32()[i*op.PanelRows*panels.K:]
		if err := quant.PanelOf(p.Data, &panels, i).Encode(&panels, rows, min(op.PanelRows, panels.M-i*op.PanelRows)); err != nil {
			t.Fatal(err)
		}
	}
	return &p
}

// What training lives on is the difference of the losses of two copies, which are
// nearly equal: it keeps the precision of 8 bits of its own, however small it is,
// for those of a ± pair and for any others. And a copy by itself is rounded to
// 16 bits.
func TestRoundingKeepsDifferences(t *testing.T) {
	const N, K, M, copies, small = 13, 200, 37, 5, 1e-4
	rng := rand.New(rand.NewPCG(8, 8))
	w := matrix(rng, 0, M, K)
	x := matrix(rng, copies, N, K)
	values := x.F32()
	for i := N * K; i < copies*N*K; i++ {
		values[i] = values[i%(N*K)] - float32(rng.NormFloat64()*small)
	}
	single := matrix(rng, 0, N, K)
	difference := func(y []float32, number int) []float32 {
		d := make([]float32, N*M)
		for i := range d {
			d[i] = y[i] - y[number*N*M+i]
		}
		return d
	}
	for _, level := range levels(t) {
		for _, dtype := range []op.DType{op.BF16, op.I8, op.Q4, op.NF4} {
			pair := test{name: dtype.String(), id: op.Linear, copies: copies, in: []*kernel.Tensor{x, packed(t, w, dtype)}}
			got, want := pair.run(t, Kernels(level), 2, 1), pair.run(t, ref.Kernels(), 1, 1)
			for number := 1; number < copies; number++ {
				// 8 bits, and f32's own rounding of y, which is 1e4 times the difference.
				if e := conformance.NMSE(difference(got, number), difference(want, number), 0); e > 1e-3 {
					t.Errorf("%s %s: NMSE of copy 0 less copy %d %.3g", level, dtype, number, e)
				}
			}
			alone := test{name: dtype.String(), id: op.Linear, in: []*kernel.Tensor{single, pair.in[1]}}
			if e := conformance.NMSE(alone.run(t, Kernels(level), 2, 1), alone.run(t, ref.Kernels(), 1, 1), 0); e > 1e-8 {
				t.Errorf("%s %s: NMSE of a copy alone %.3g", level, dtype, e)
			}
		}
	}
}
