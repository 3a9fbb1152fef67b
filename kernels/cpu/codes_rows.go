package cpu

import (
	"encoding/binary"
	"math"
	"unsafe"

	"zeroth/internal/half"
)

// The loops around a product of codes, in plain Go.

// largestGeneric is the greatest magnitude in x, or a NaN or +Inf if x has one.
// As bits without the sign, floats are ordered like integers, NaN above all.
func largestGeneric(x []float32) float32 {
	most := uint32(0)
	for _, v := range x {
		most = max(most, math.Float32bits(v)&^(1<<31))
	}
	return math.Float32frombits(most)
}

// pairRowsGeneric: mean[i] = a[i]/2 + b[i]/2 − first[i], half[i] = a[i]/2 − b[i]/2,
// each sum rounded, and most the greatest magnitudes of either. first may be empty.
func pairRowsGeneric(mean, half, a, b, first []float32, most *[2]float32) {
	for i := range mean {
		x, y := float32(a[i]*0.5), float32(b[i]*0.5)
		mean[i], half[i] = x+y, x-y
	}
	for i, v := range first {
		mean[i] -= v
	}
	most[0], most[1] = largestGeneric(mean), largestGeneric(half)
}

// roundCodesGeneric: dst[i] = x[i] · factor, rounded to the nearest integer,
// ties to even. The product must lie within −128 and 127.
func roundCodesGeneric(dst []int8, x []float32, factor float32) {
	for i, v := range x {
		dst[i] = int8(math.RoundToEven(float64(float32(v * factor))))
	}
}

// roundBF16Generic: dst[i] = x[i] rounded to the nearest bfloat16, ties to even.
func roundBF16Generic(dst []uint16, x []float32) {
	for i, v := range x {
		dst[i] = half.BrainFromFloat(v)
	}
}

// splitCodesGeneric is codeSplit's loop, each product and sum rounded.
func splitCodesGeneric(t codeSplit) {
	for r := range t.rows {
		mean, half := t.c[2*r*t.columns:][:t.columns], t.c[(2*r+1)*t.columns:][:t.columns]
		y0, y1 := t.y[0][r*t.ldy[0]:][:t.columns], t.y[1][r*t.ldy[1]:][:t.columns]
		bias := t.bias[r*t.ldBias:][:t.columns]
		for i := range mean {
			m, d := float32(mean[i]*t.scales[2*r])+bias[i], float32(half[i]*t.scales[2*r+1])
			if t.base != nil {
				t.base[r*t.columns+i] = m
			}
			y0[i], y1[i] = m+d, m-d
		}
	}
}

// restCodes: dst[i] = x[i] − codes[i] · scale, what rounding x left. It is 0 where
// that is not finite.
func restCodes(dst, x []float32, codes []int8, scale float32) {
	for i, v := range x {
		dst[i] = finiteOr0(v - float32(float32(codes[i])*scale))
	}
}

// restBF16: dst[i] = x[i] − rounded[i], or 0 where that is not finite.
func restBF16(dst, x []float32, rounded []uint16) {
	for i, v := range x {
		dst[i] = finiteOr0(v - half.BrainToFloat(rounded[i]))
	}
}

func finiteOr0(v float32) float32 {
	if v-v != 0 {
		return 0
	}
	return v
}

// unpackCodesGeneric turns words of eight 4-bit codes into twice as many words
// of four bytes, the levels of the codes: for each vector of 64 bytes of src two
// of dst, first those of the low halves.
func unpackCodesGeneric(dst, src []byte, levels *[16]int8) {
	for v := 0; v < len(src); v += 64 {
		for i, b := range src[v : v+64] {
			dst[2*v+i] = byte(levels[b&15])
			dst[2*v+64+i] = byte(levels[b>>4])
		}
	}
}

// sumCodesGeneric: dst[g*stride+j] = factor · Σ over the bytes of a panel's row j
// in group g of size bytes.
func sumCodesGeneric(dst []int32, stride int, words []byte, size int, factor int32) {
	for g := range len(words) / size {
		var sums [16]int32
		for i, b := range words[g*size:][:size] {
			sums[i%64/4] += factor * int32(int8(b))
		}
		copy(dst[g*stride:], sums[:])
	}
}

// halfScalesGeneric decodes rows of 16 float16: dst[g*stride+i] = src[16·g + i].
func halfScalesGeneric(dst []float32, stride int, src []byte) {
	for at := 0; at < len(src); at += 2 {
		dst[at/32*stride+at%32/2] = half.ToFloat(binary.LittleEndian.Uint16(src[at:]))
	}
}

// byteScalesGeneric: dst[g*stride+i] = float32(src[16·g + i]) · rows[i], i < 16.
func byteScalesGeneric(dst []float32, stride int, src []byte, rows *[16]float32) {
	for at, code := range src {
		dst[at/16*stride+at%16] = float32(code) * rows[at%16]
	}
}

// widenBrainsGeneric decodes words of two bfloat16: dst[32·v + 16·b + i] is
// number b of word 16·v + i.
func widenBrainsGeneric(dst []float32, words []byte) {
	for at := 0; at < len(words); at += 2 {
		v, i, b := at/64, at%64/4, at%4/2
		dst[32*v+16*b+i] = half.BrainToFloat(binary.LittleEndian.Uint16(words[at:]))
	}
}

// signed views bytes as codes.
func signed(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

// brains views codes as bfloat16, two to a word.
func brains(codes []int8) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(codes))), len(codes)/2)
}

func bytesAt(p *byte, n int) []byte        { return unsafe.Slice(p, n) }
func floatsAt(p *float32, n int) []float32 { return unsafe.Slice(p, n) }
func intsAt(p *int32, n int) []int32       { return unsafe.Slice(p, n) }
