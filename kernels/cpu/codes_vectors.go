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

// pairRowsLoop is pairRowsGeneric for n, a multiple of 8, at least that. first may
// be nil.
//
//go:noescape
func pairRowsLoop(mean, half, a, b, first *float32, n int, most *[2]float32)

// roundCodesLoop: dst[i] = x[i] · factor to the nearest integer, ties to even,
// for i < n, a multiple of 8.
//
//go:noescape
func roundCodesLoop(dst *int8, x *float32, n int, factor float32)

// splitCodesLoop is codeSplit's loop for at least one row. ld0, ld1 and ldBias are
// in elements; base may be nil.
//
//go:noescape
func splitCodesLoop(y0 *float32, ld0 int, y1 *float32, ld1 int, c, scales, bias *float32, ldBias int, base *float32, rows, columns int)

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

// pairRowsVectors is routines.pairRows.
func pairRowsVectors(mean, half, a, b, first []float32, most *[2]float32) {
	n := len(mean) &^ (lanes - 1)
	half, a, b = half[:len(mean)], a[:len(mean)], b[:len(mean)]
	if n == 0 {
		pairRowsGeneric(mean, half, a, b, first, most)
		return
	}
	var less *float32
	if len(first) > 0 {
		less = &first[:len(mean)][0]
	}
	pairRowsLoop(&mean[0], &half[0], &a[0], &b[0], less, n, most)
	if n < len(mean) {
		var end [2]float32
		pairRowsGeneric(mean[n:], half[n:], a[n:], b[n:], first[min(n, len(first)):], &end)
		for i := range most {
			most[i] = largestGeneric([]float32{most[i], end[i]})
		}
	}
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

// splitCodesVectors is routines.splitCodes.
func splitCodesVectors(t codeSplit) {
	last, columns := t.rows-1, t.columns
	if last < 0 {
		return
	}
	y0, y1, bias := t.y[0][:last*t.ldy[0]+columns], t.y[1][:last*t.ldy[1]+columns], t.bias[:last*t.ldBias+columns]
	c, scales := t.c[:2*t.rows*columns], t.scales[:2*t.rows]
	var base *float32
	if t.base != nil {
		base = &t.base[:t.rows*columns][0]
	}
	splitCodesLoop(&y0[0], t.ldy[0], &y1[0], t.ldy[1], &c[0], &scales[0], &bias[0], t.ldBias, base, t.rows, columns)
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
