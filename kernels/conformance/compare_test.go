package conformance

import (
	"math"
	"testing"
	"unsafe"

	"zeroth/runtime/kernel"
)

// outside is element i of a tensor whose storage lies between guards, though
// the storage does not hold it.
func outside(t *kernel.Tensor, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(t.Data)), 4*i))
}

// outsideBytes is word i after the start of a buffer.
func outsideBytes(b []byte, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 4*i))
}

func TestNMSE(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		a, b        []float32
		scale, want float64
	}{
		{[]float32{3, 4}, []float32{3, 4}, 0, 0},
		{[]float32{3, 5}, []float32{3, 4}, 0, 1.0 / 25},
		{[]float32{0, 1}, []float32{0, 0}, 0, math.MaxFloat64},
		{[]float32{0, 0}, []float32{0, 0}, 0, 0},
		{[]float32{0, 1}, []float32{0, 0}, 10, 1.0 / 200},
		{[]float32{inf, 1, nan}, []float32{inf, 2, nan}, 0, 0.25},
		{nil, nil, 1, 0},
	} {
		if got := NMSE(c.a, c.b, c.scale); math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("NMSE(%v, %v, %g) = %g, want %g", c.a, c.b, c.scale, got, c.want)
		}
	}
}

func TestClasses(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	all := []float32{1, nan, inf, -inf}
	for i := range all {
		for j := range all {
			if err := equalClasses(all[i:i+1], all[j:j+1], false); (err == nil) != (i == j) {
				t.Errorf("%g beside %g: %v", all[i], all[j], err)
			}
		}
	}
	if err := equalBits([]float32{0}, []float32{float32(math.Copysign(0, -1))}); err == nil {
		t.Error("0 and −0 have equal bits")
	}
	if err := equalBits([]float32{nan}, []float32{-nan}); err != nil {
		t.Error(err)
	}
}

func TestStorage(t *testing.T) {
	for _, size := range []int{0, 4, 60, 63, 64, 68, 4096} {
		s := newStorage(size)
		if at := uintptr(unsafe.Pointer(unsafe.SliceData(s.data))); at%alignBytes != 0 || len(s.data) != size {
			t.Fatalf("%d bytes at %#x of %d", len(s.data), at, size)
		}
		s.save()
		for i := range s.whole {
			old := s.whole[i]
			s.whole[i] ^= 1
			for _, skip := range []int{0, size / 2, size} {
				inside := i >= guardBytes && i < guardBytes+skip
				if at, found := s.changed(skip); found == inside || found && at != i-guardBytes {
					t.Errorf("size %d skip %d: byte %d changed: found %v at %d", size, skip, i-guardBytes, found, at)
				}
			}
			s.whole[i] = old
		}
		for i := 0; i+4 <= len(s.whole); i += 4 {
			if v := *(*float32)(unsafe.Pointer(&s.whole[i])); v == v {
				t.Fatalf("word %d of the pattern is %g", i/4, v)
			}
		}
	}
}

// A case is the same at every making.
func TestCasesAreDeterministic(t *testing.T) {
	first, second := Cases(), Cases()
	for i := range first {
		for j, in := range first[i].In {
			if len(in.Type.Shape) == 0 {
				t.Errorf("%s input %d: %s", first[i].Name, j, in.Type)
			}
			if a, b := first[i].random(1, j).Uint64(), second[i].random(1, j).Uint64(); a != b {
				t.Errorf("%s input %d: %d then %d", first[i].Name, j, a, b)
			}
		}
	}
}
