// Package half converts between float32 and the 16-bit floats that checkpoints
// hold: IEEE 754 binary16 and bfloat16. Widening is exact; narrowing rounds to
// nearest, ties to even.
package half

import "math"

// ToFloat widens a binary16: 1 sign bit, 5 of exponent with bias 15, 10 of
// fraction. Its magnitude bits, put where float32 has its own, stand for the
// number times 2¹⁵⁻¹²⁷, subnormals included.
func ToFloat(bits uint16) float32 {
	sign, magnitude := uint32(bits&0x8000)<<16, uint32(bits&0x7fff)<<13
	if bits&0x7c00 == 0x7c00 { // infinity, or NaN with its payload
		return math.Float32frombits(sign | 0x7f800000 | magnitude)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude)*0x1p112))
}

// FromFloat narrows to binary16. What exceeds it becomes infinity.
func FromFloat(value float32) uint16 {
	const (
		smallestNormal = 0x38800000 // 2⁻¹⁴
		firstInfinite  = 0x477ff000 // 65520, which rounds to 2¹⁶
	)
	all := math.Float32bits(value)
	sign, magnitude := uint16(all>>16)&0x8000, all&0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN stays NaN
		return sign | 0x7e00
	case magnitude >= firstInfinite:
		return sign | 0x7c00
	case magnitude < smallestNormal:
		// Below 2⁻¹⁴ the result counts units of 2⁻²⁴; the product is exact in
		// float64, and a carry to 1024 is the smallest normal number.
		units := math.RoundToEven(float64(math.Float32frombits(magnitude)) * (1 << 24))
		return sign | uint16(units)
	}
	// Re-bias the exponent, then round away 13 fraction bits; a carry moves
	// into the exponent, which is what rounding up there means.
	rebased := magnitude - (127-15)<<23
	return sign | uint16((rebased+0xfff+(rebased>>13)&1)>>13)
}

// Round is the binary16 nearest to a value.
func Round(value float32) float32 { return ToFloat(FromFloat(value)) }

// BrainToFloat widens a bfloat16, the upper half of a float32.
func BrainToFloat(bits uint16) float32 { return math.Float32frombits(uint32(bits) << 16) }

// BrainFromFloat narrows to bfloat16.
func BrainFromFloat(value float32) uint16 {
	all := math.Float32bits(value)
	if all&0x7fffffff > 0x7f800000 {
		return uint16(all>>16) | 0x40 // a NaN whose payload is cut off stays NaN
	}
	return uint16((all + 0x7fff + (all>>16)&1) >> 16)
}
