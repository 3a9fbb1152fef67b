package safetensors

import (
	"encoding/binary"
	"math"

	"zeroth/internal/half"
)

// decode turns len(dst) little-endian elements of src into floats of 32 or 64
// bits: exactly, save that F64 is rounded to nearest, ties to even, for the
// former.
func decode[T float32 | float64](dst []T, src []byte, dtype string) {
	switch dtype {
	case F32:
		for i := range dst {
			dst[i] = T(math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:])))
		}
	case F16:
		for i := range dst {
			dst[i] = T(half.ToFloat(binary.LittleEndian.Uint16(src[2*i:])))
		}
	case BF16:
		for i := range dst {
			dst[i] = T(half.BrainToFloat(binary.LittleEndian.Uint16(src[2*i:])))
		}
	case F64:
		for i := range dst {
			dst[i] = T(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	}
}

// encode appends src to dst as little-endian elements, rounding to nearest, ties
// to even. What exceeds F16 becomes infinity.
func encode[T float32 | float64](dst []byte, src []T, dtype string) []byte {
	for _, value := range src {
		switch dtype {
		case F64:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(value)))
		case F32:
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(value)))
		case F16:
			dst = binary.LittleEndian.AppendUint16(dst, half.FromFloat(float32(value)))
		case BF16:
			dst = binary.LittleEndian.AppendUint16(dst, half.BrainFromFloat(float32(value)))
		}
	}
	return dst
}
