package gguf

import (
	"encoding/binary"
	"math"
)

// Plain types: len(dst) little-endian elements of src. F16 and BF16 convert
// exactly, F64 rounds to nearest, ties to even.

func decodeF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func decodeF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(src[2*i:])
	}
}

func decodeBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func decodeF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// half widens the IEEE 754 binary16 that raw begins with: 1 sign bit, 5 of
// exponent with bias 15, 10 of fraction. Its magnitude bits, put where float32
// has its own, stand for the number times 2¹⁵⁻¹²⁷, subnormals included.
func half(raw []byte) float32 {
	bits := binary.LittleEndian.Uint16(raw)
	sign, magnitude := uint32(bits&0x8000)<<16, uint32(bits&0x7fff)<<13
	if bits&0x7c00 == 0x7c00 { // infinity, or NaN with its payload
		return math.Float32frombits(sign | 0x7f800000 | magnitude)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude)*0x1p112))
}

// toHalf rounds to the nearest binary16, ties to even, and returns false where
// a finite value is too large for one.
func toHalf(value float32) (uint16, bool) {
	bits := math.Float32bits(value)
	sign, magnitude := uint16(bits>>16)&0x8000, float64(math.Float32frombits(bits&0x7fffffff))
	switch {
	case magnitude != magnitude:
		return sign | 0x7e00, true
	case math.IsInf(magnitude, 0):
		return sign | 0x7c00, true
	case magnitude >= 65520: // rounds to 2¹⁶
		return 0, false
	}
	// units counts 2⁻¹⁰ of the leading power of two, or 2⁻²⁴ below the normal
	// numbers: 1024 to 2048 for normal ones, whose leading 1 adds one to the
	// exponent field, as does a carry to 2048.
	exponent := -14
	if magnitude >= 0x1p-14 {
		exponent = math.Ilogb(magnitude)
	}
	units := math.RoundToEven(math.Ldexp(magnitude, 10-exponent))
	return sign | uint16((exponent+14)<<10+int(units)), true
}
