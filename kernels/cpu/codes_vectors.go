//go:build amd64 || arm64

package cpu

import "unsafe"

// The loops around a product of codes: the assembly of codes_avx2_amd64.s and of
// codes_neon.S in arm64src, and the routines made of it.

// largestLoop: the greatest |x[i]| for i < n, a multiple of 8, by the order of
// bits: NaN is above +Inf.
//
//go:noescape
func largestLoop(x *float32, n int) float32

// halvesLoop: dst[i] = a[i]/2 + factor · b[i] for i < n, a multiple of 8.
//
//go:noescape
func halvesLoop(dst, a, b *float32, n int, factor float32)

// roundCodesLoop: dst[i] = x[i] · factor to the nearest integer, ties to even,
// for i < n, a multiple of 8.
//
//go:noescape
func roundCodesLoop(dst *int8, x *float32, n int, factor float32)

// scaleCodesLoop: y[i] = c[i] · factor + bias[i] for i < n, a multiple of 8.
//
//go:noescape
func scaleCodesLoop(y, c, bias *float32, n int, factor float32)

// splitCodesLoop: y0[i], y1[i] = m ± d, m = mean[i] · meanScale + bias[i],
// d = half[i] · halfScale for i < n, a multiple of 8.
//
//go:noescape
func splitCodesLoop(y0, y1, mean, half, bias *float32, n int, meanScale, halfScale float32)

// unpackCodesLoop: for v < n and i < 64
//
//	dst[128*v+i], dst[128*v+64+i] = levels[src[64*v+i]&15], levels[src[64*v+i]>>4]
//
//go:noescape
func unpackCodesLoop(dst, src *byte, n int, levels *[16]int8)

// largestVectors is routines.largest.
func largestVectors(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return largestGeneric(x)
	}
	rest := [...]float32{largestLoop(&x[0], n), largestGeneric(x[n:])}
	return largestGeneric(rest[:])
}

// halvesVectors is routines.halves.
func halvesVectors(dst, a, b []float32, factor float32) {
	n := len(dst) &^ (lanes - 1)
	a, b = a[:len(dst)], b[:len(dst)]
	if n > 0 {
		halvesLoop(&dst[0], &a[0], &b[0], n, factor)
	}
	halvesGeneric(dst[n:], a[n:], b[n:], factor)
}

// roundCodesVectors is routines.roundCodes.
func roundCodesVectors(dst []int8, x []float32, factor float32) {
	n := len(x) &^ (lanes - 1)
	dst = dst[:len(x)]
	if n > 0 {
		roundCodesLoop(&dst[0], &x[0], n, factor)
	}
	roundCodesGeneric(dst[n:], x[n:], factor)
}

// scaleCodesVectors is routines.scaleCodes.
func scaleCodesVectors(y, c, bias []float32, factor float32) {
	n := len(y) &^ (lanes - 1)
	c, bias = c[:len(y)], bias[:len(y)]
	if n > 0 {
		scaleCodesLoop(&y[0], &c[0], &bias[0], n, factor)
	}
	scaleCodesGeneric(y[n:], c[n:], bias[n:], factor)
}

// splitCodesVectors is routines.splitCodes.
func splitCodesVectors(y0, y1, mean, half, bias []float32, f, g float32) {
	n := len(y0) &^ (lanes - 1)
	y1, mean, half, bias = y1[:len(y0)], mean[:len(y0)], half[:len(y0)], bias[:len(y0)]
	if n > 0 {
		splitCodesLoop(&y0[0], &y1[0], &mean[0], &half[0], &bias[0], n, f, g)
	}
	splitCodesGeneric(y0[n:], y1[n:], mean[n:], half[n:], bias[n:], f, g)
}

// unpackCodesVectors is routines.unpackCodes.
func unpackCodesVectors(dst, src []byte, levels *[16]int8) {
	n := len(src) / 64
	dst = dst[:128*n]
	if n > 0 {
		unpackCodesLoop(&dst[0], &src[0], n, levels)
	}
}

// packWords is packQuads, eight rows at a time where codes has them. A step of
// words that is no multiple of eight is written from its last rows to its first,
// so that the overhang of each is written over by what it hangs over; the last
// eight steps, whose overhang would leave dst, by way of room that has some.
func packWords(MR int) func(dst []byte, codes []int8, ld, rows, words int) {
	plain := packQuads(MR)
	groups := ceilDiv(MR, packRows)
	return func(dst []byte, codes []int8, ld, rows, words int) {
		blocks := words / packRows
		if ld%4 != 0 || blocks == 0 || len(codes) < (groups*packRows-1)*ld+words*4 {
			plain(dst, codes, ld, rows, words)
			return
		}
		dst = dst[:words*MR*4]
		whole := blocks
		if MR%packRows != 0 && blocks*packRows == words {
			whole--
		}
		if whole > 0 {
			transposeWords((*float32)(unsafe.Pointer(&dst[0])), MR, &codes[0], ld, whole)
		}
		if whole < blocks {
			var room [packRows*mostCodeRows + packRows]float32
			transposeWords(&room[0], MR, &codes[whole*packRows*4], ld, 1)
			copy(dst[whole*packRows*MR*4:], bytesAt((*byte)(unsafe.Pointer(&room[0])), packRows*MR*4))
		}
		done := blocks * packRows
		plain(dst[done*MR*4:], codes[done*4:], ld, rows, words-done)
	}
}

// mostCodeRows is the most rows of a tile that packWords is for.
const mostCodeRows = 16

// transposeWords brings blocks of eight steps of words of MR rows in order.
func transposeWords(dst *float32, MR int, codes *int8, ld, blocks int) {
	to := unsafe.Slice(dst, blocks*packRows*MR)
	from := unsafe.Slice(codes, (roundUp(MR, packRows)-1)*ld+blocks*packRows*4)
	for g := ceilDiv(MR, packRows) - 1; g >= 0; g-- {
		transpose8Loop(&to[g*packRows], MR, (*float32)(unsafe.Pointer(&from[g*packRows*ld])), ld/4, blocks)
	}
}
