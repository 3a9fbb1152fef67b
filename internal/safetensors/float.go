package safetensors

import (
	"encoding/binary"
	"math"

	"zeroth/internal/half"
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
			dst[i] = half.ToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = half.BrainToFloat(binary.LittleEndian.Uint16(src[2*i:]))
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
			dst = binary.LittleEndian.AppendUint16(dst, half.FromFloat(value))
		case BF16:
			dst = binary.LittleEndian.AppendUint16(dst, half.BrainFromFloat(value))
		}
	}
	return dst
}
