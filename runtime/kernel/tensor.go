package kernel

import (
	"unsafe"

	"zeroth/runtime/op"
)

// Tensor is a view of one value. Type, Data and the addresses are fixed when a
// session is made; Width and Shape follow the extents of each run.
type Tensor struct {
	Type  op.Type
	Width int   // copies: 1, or P for a wide value
	Shape []int // extents of Type.Shape, the width not counted
	Data  []byte
	// Constant tensors have their values when a kernel is bound and keep them,
	// so a kernel may convert them there.
	Constant bool
}

// Elements is the number of elements in one copy, panel padding not counted.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// F32 views the whole storage as float32. Its length is that of the storage,
// which is made for the session's bounds: use Copy for the elements of a run.
func (t *Tensor) F32() []float32 { return view[float32](t.Data) }

// I32 views the elements of an integer tensor.
func (t *Tensor) I32() []int32 { return view[int32](t.Data)[:t.Elements()] }

// U32 views the elements of a seed.
func (t *Tensor) U32() []uint32 { return view[uint32](t.Data)[:t.Elements()] }

// Copy views the elements of perturbation p: [Shape...] row-major. A tensor of
// width 1 gives the same copy for every p. It is not for weights in panels,
// whose storage is longer than their elements.
func (t *Tensor) Copy(p int) []float32 {
	n := t.Elements()
	if t.Width == 1 {
		p = 0
	}
	return view[float32](t.Data)[p*n : (p+1)*n]
}

// view reinterprets 64-byte aligned storage. All element types are four bytes.
func view[T float32 | int32 | uint32](data []byte) []T {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4)
}
