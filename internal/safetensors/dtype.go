package safetensors

import "math/bits"

// DTypes that [File.ReadF32] converts; [Write] takes all of them but F64.
const (
	F64  = "F64"
	F32  = "F32"
	F16  = "F16"
	BF16 = "BF16"
)

// dtypeBits returns the format's own spelling of a dtype, so that no tensor
// holds on to header bytes, and the size of one element in bits. Zero bits
// mean a dtype that the format does not have.
func dtypeBits(name string) (string, int64) {
	for _, known := range [...]struct {
		name string
		bits int64
	}{
		{F32, 32},
		{F16, 16},
		{BF16, 16},
		{F64, 64},
		{"I8", 8},
		{"U8", 8},
		{"I16", 16},
		{"U16", 16},
		{"I32", 32},
		{"U32", 32},
		{"I64", 64},
		{"U64", 64},
		{"BOOL", 8},
		{"C64", 64},
		{"F8_E5M2", 8},
		{"F8_E4M3", 8},
		{"F8_E8M0", 8},
		{"F8_E4M3FNUZ", 8},
		{"F8_E5M2FNUZ", 8},
		{"F4", 4},
		{"F6_E2M3", 6},
		{"F6_E3M2", 6},
	} {
		if known.name == name {
			return known.name, known.bits
		}
	}
	return "", 0
}

// elementCount returns the product of the dimensions, or false where a
// dimension is negative or the product of those that are not zero leaves
// int64. Zero dimensions do not excuse the others: a caller that multiplies
// them in another order must not overflow either.
func elementCount(shape []int) (int64, bool) {
	product, empty := uint64(1), false
	for _, dim := range shape {
		if dim < 0 {
			return 0, false
		}
		if dim == 0 {
			empty = true
			continue
		}
		high, low := bits.Mul64(product, uint64(dim))
		if high != 0 || low > maxInt64 {
			return 0, false
		}
		product = low
	}
	if empty {
		return 0, true
	}
	return int64(product), true
}

// byteCount returns the bytes that elements of elementBits each take, or
// false where that is no whole number of bytes or leaves int64.
func byteCount(elements, elementBits int64) (int64, bool) {
	high, low := bits.Mul64(uint64(elements), uint64(elementBits))
	if high != 0 || low > maxInt64 || low%8 != 0 {
		return 0, false
	}
	return int64(low / 8), true
}

const maxInt64 = 1<<63 - 1
