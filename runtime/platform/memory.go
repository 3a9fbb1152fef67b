package platform

import "unsafe"

// Alignment of the memory that tensors live in, in bytes.
const Alignment = 64

// Aligned makes n zero bytes whose address is a multiple of Alignment.
func Aligned(n int) []byte {
	if n == 0 {
		return nil
	}
	data := make([]byte, n+Alignment)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(data)))) & (Alignment - 1)
	return data[skip : skip+n : skip+n]
}
