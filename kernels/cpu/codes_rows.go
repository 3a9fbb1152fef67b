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

// halvesGeneric: dst[i] = a[i]/2 + factor·b[i], each product and sum rounded.
// With factor ±½ it is the mean of a and b or half their difference.
func halvesGeneric(dst, a, b []float32, factor float32) {
	for i := range dst {
		dst[i] = float32(a[i]*0.5) + float32(b[i]*factor)
	}
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

// scaleCodesGeneric: y[i] = c[i] · factor + bias[i].
func scaleCodesGeneric(y, c, bias []float32, factor float32) {
	for i := range y {
		y[i] = float32(c[i]*factor) + bias[i]
	}
}

// splitCodesGeneric makes the rows of a pair from those of their mean and half
// difference: m = mean[i]·f + bias[i], d = half[i]·g, y0[i] = m + d, y1[i] = m − d.
func splitCodesGeneric(y0, y1, mean, half, bias []float32, f, g float32) {
	for i := range y0 {
		m, d := float32(mean[i]*f)+bias[i], float32(half[i]*g)
		y0[i], y1[i] = m+d, m-d
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
