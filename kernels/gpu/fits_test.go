package gpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"zeroth/internal/half"
	"zeroth/runtime/op"
)

// A constant that f16 cannot hold is multiplied in another way, wherever the element
// lies that is too large; one whose elements are all too small, too.
func TestBeyondHalf(t *testing.T) {
	f32 := func(v float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)) }
	bf16 := func(v float32) []byte { return f32(v)[2:] }
	f16 := func(v float32) []byte { return binary.LittleEndian.AppendUint16(nil, half.FromFloat(v)) }
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		dtype op.DType
		value []byte // stands alone in the matrix, or its scales
		fits  bool
	}{
		{op.F32, f32(0), true},
		{op.F32, f32(-65504), true},
		{op.F32, f32(65505), false},
		{op.F32, f32(-inf), false},
		{op.F32, f32(float32(math.NaN())), false},
		{op.F32, f32(1.0 / (1 << 13)), true},
		{op.F32, f32(-1.0 / (1 << 14)), false},
		{op.BF16, bf16(65280), true},
		{op.BF16, bf16(-65536), false},
		{op.BF16, bf16(1e-5), false},
		{op.Q4, f16(8188), true},
		{op.Q4, f16(8192), false},
		{op.Q4, f16(-8192), false},
		{op.Q4, f16(inf), false},
		{op.Q4, f16(1e-6), true},
	} {
		for _, place := range []int{0, 1, -1} { // first, second and last element
			a := Arithmetic{Half: testMatrix, RoundFloats: true}
			p := coded(c.dtype, 1)
			w := p.Values[1].Tensor
			elements := w.Data
			if c.dtype == op.Q4 {
				elements = w.Data[w.Type.Panels().Scales:]
			}
			at := place * len(c.value)
			if place < 0 {
				at += len(elements)
			}
			copy(elements[at:], c.value)
			d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24)}, a}
			stages := stagesOf(t, d, p, Options{})
			want := kernelLinear.Name
			if c.fits {
				want = kernelLinearMatrix.Name
			}
			if got := stages[len(stages)-1].Kernel.Name; got != want {
				t.Errorf("%s, % x at %d: %s, want %s", c.dtype, c.value, place, got, want)
			}
		}
	}
}

// Elements that f16 cannot hold leave dot products of bytes as they are.
func TestBeyondHalfByBytes(t *testing.T) {
	for _, has := range []Arithmetic{{Dot: true}, {Dot: true, Half: testMatrix}} {
		p := coded(op.Q4, 1)
		w := p.Values[1].Tensor
		binary.LittleEndian.PutUint16(w.Data[w.Type.Panels().Scales:], half.FromFloat(60000))
		d := &quickDevice{tunedDevice{testDevice: *newTestDevice(1 << 24)}, has}
		stages := stagesOf(t, d, p, Options{})
		if got := stages[len(stages)-1].Kernel.Name; got != kernelLinearDot.Name {
			t.Errorf("%s: %s", fmt.Sprint(has), got)
		}
	}
}
