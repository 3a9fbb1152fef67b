package gguf

import "encoding/binary"

// Blocks of 32 elements with one scale. d and m are binary16, q[i] is the code
// of element i, and byte numbers count from the start of the block. Codes of 4
// bits lie two in a byte: element i < 16 in the low half of byte i, element
// i+16 in its high half.
//
// Products are rounded to float32 before a minimum is added, as ggml does it,
// so that results do not depend on whether a machine fuses the two.
//
// (Source: the block structs in ggml-common.h and dequantize_row_* in
// ggml-quants.c, ggml-org/ggml.)

const blockElements = 32

// decodeQ4_0: d at 0, 4-bit codes at 2.
//
//	x[i] = (q[i] − 8)·d
func decodeQ4_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[blockElements:], src[18:] {
		d := widen(src)
		for i, pair := range src[2:18] {
			dst[i] = float32(int(pair&15)-8) * d
			dst[i+16] = float32(int(pair>>4)-8) * d
		}
	}
}

// decodeQ4_1: d at 0, m at 2, 4-bit codes at 4.
//
//	x[i] = q[i]·d + m
func decodeQ4_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[blockElements:], src[20:] {
		d, m := widen(src), widen(src[2:])
		for i, pair := range src[4:20] {
			dst[i] = float32(float32(pair&15)*d) + m
			dst[i+16] = float32(float32(pair>>4)*d) + m
		}
	}
}

// decodeQ5_0: d at 0; at 2 a uint32 whose bit i is bit 4 of q[i]; bits 0 to 3
// at 6.
//
//	x[i] = (q[i] − 16)·d
func decodeQ5_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[blockElements:], src[22:] {
		d, fifth := widen(src), binary.LittleEndian.Uint32(src[2:])
		for i, pair := range src[6:22] {
			low, high := fiveBits(pair, fifth, i)
			dst[i] = float32(int(low)-16) * d
			dst[i+16] = float32(int(high)-16) * d
		}
	}
}

// decodeQ5_1: d at 0, m at 2, the fifth bits at 4, the others at 8.
//
//	x[i] = q[i]·d + m
func decodeQ5_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[blockElements:], src[24:] {
		d, m, fifth := widen(src), widen(src[2:]), binary.LittleEndian.Uint32(src[4:])
		for i, pair := range src[8:24] {
			low, high := fiveBits(pair, fifth, i)
			dst[i] = float32(float32(low)*d) + m
			dst[i+16] = float32(float32(high)*d) + m
		}
	}
}

// fiveBits returns codes i and i+16 of a block, i < 16.
func fiveBits(pair byte, fifth uint32, i int) (low, high uint32) {
	return uint32(pair&15) | fifth>>i&1<<4, uint32(pair>>4) | fifth>>(i+16)&1<<4
}

// decodeQ8_0: d at 0, int8 codes at 2.
//
//	x[i] = q[i]·d
func decodeQ8_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[blockElements:], src[34:] {
		d := widen(src)
		for i, code := range src[2:34] {
			dst[i] = float32(int8(code)) * d
		}
	}
}
