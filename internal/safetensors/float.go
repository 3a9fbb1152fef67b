package safetensors

import (
	"encoding/binary"
	"math"
)

// decodeF32 turns len(dst) little-endian elements of src into float32.
// F16 and BF16 convert exactly; F64 rounds to nearest, ties to even.
func decodeF32(dst []float32, src []byte, dtype string) {
	switch dtype {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	}
}

// encodeF32 appends src to dst as little-endian elements of dtype F32, F16 or
// BF16, rounding to nearest, ties to even. What exceeds F16 becomes infinity.
func encodeF32(dst []byte, src []float32, dtype string) []byte {
	for _, value := range src {
		switch dtype {
		case F32:
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(value))
		case F16:
			dst = binary.LittleEndian.AppendUint16(dst, floatToHalf(value))
		case BF16:
			dst = binary.LittleEndian.AppendUint16(dst, floatToBrain(value))
		}
	}
	return dst
}

// halfToFloat widens an IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and
// 10 fraction bits.
func halfToFloat(half uint16) float32 {
	sign := uint32(half&0x8000) << 16
	exponent := uint32(half>>10) & 0x1f
	fraction := uint32(half & 0x3ff)
	switch exponent {
	case 0: // zero and subnormal: fraction × 2⁻²⁴
		magnitude := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(magnitude))
	case 0x1f: // infinity and NaN, whose payload is kept
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// floatToHalf narrows to binary16.
func floatToHalf(value float32) uint16 {
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

// floatToBrain narrows to bfloat16, the upper half of a float32.
func floatToBrain(value float32) uint16 {
	all := math.Float32bits(value)
	if all&0x7fffffff > 0x7f800000 {
		return uint16(all>>16) | 0x40 // a NaN whose payload is cut off stays NaN
	}
	return uint16((all + 0x7fff + (all>>16)&1) >> 16)
}
