package gpu

import (
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Weights beyond the limit are split by whole panels, and each byte is in one
// part.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		t     op.Type
		parts int
	}{
		{op.Type{DType: op.F32, Shape: []op.Dim{op.C(100), op.C(10)}}, 2},
		{op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(100), op.C(10)}}, 2},
		{op.Type{DType: op.F32, Layout: op.Panels16, Shape: []op.Dim{op.C(75), op.C(10)}}, 2},
		{op.Type{DType: op.Q4, Layout: op.Panels16, Shape: []op.Dim{op.C(1000), op.C(33)}}, 13},
		{op.Type{DType: op.F32, Shape: []op.Dim{op.C(33), op.C(1000)}}, 3},
		{op.Type{DType: op.F32, Shape: []op.Dim{op.C(75), op.C(10)}}, 1},
	} {
		bytes, err := c.t.Bytes(op.Extents{})
		if err != nil {
			t.Fatal(err)
		}
		tensor := &kernel.Tensor{Type: c.t, Width: 1, Shape: []int{c.t.Shape[0].Offset, c.t.Shape[1].Offset}, Data: make([]byte, bytes)}
		m := &mirror{tensor, split(tensor, 3000, false)}
		if len(m.parts) != c.parts {
			t.Errorf("%s is in %d parts, want %d", c.t, len(m.parts), c.parts)
		}
		checkPieces(t, m)
	}
}

// checkPieces sees that the parts hold each byte of the tensor once.
func checkPieces(t *testing.T, m *mirror) {
	t.Helper()
	covered := make([]int, len(m.tensor.Data))
	for i := range m.parts {
		for _, p := range pieces(m.tensor, m.parts, i) {
			if p.at < 0 || p.at+p.bytes > m.parts[i].span.Size {
				t.Errorf("%s: part %d: piece %+v of %d bytes", m.tensor.Type, i, p, m.parts[i].span.Size)
			}
			for b := p.from; b < p.from+p.bytes; b++ {
				covered[b]++
			}
		}
	}
	for b, n := range covered {
		if n != 1 {
			t.Fatalf("%s: byte %d is in %d pieces", m.tensor.Type, b, n)
		}
	}
}
