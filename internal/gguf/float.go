package gguf

import (
	"encoding/binary"
	"math"

	"zeroth/internal/half"
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
		dst[i] = widen(src[2*i:])
	}
}

func decodeBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half.BrainToFloat(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

func decodeF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// widen reads the binary16 that raw begins with.
func widen(raw []byte) float32 { return half.ToFloat(binary.LittleEndian.Uint16(raw)) }

// narrow rounds to the nearest binary16 and returns false where a finite value
// is too large for one.
func narrow(value float32) (uint16, bool) {
	bits := half.FromFloat(value)
	return bits, bits&0x7fff != 0x7c00 || math.IsInf(float64(value), 0)
}
