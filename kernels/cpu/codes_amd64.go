package cpu

import "encoding/binary"

// The assembly of codes_avx2_amd64.s beside that of codes_vectors.go.

// sumCodesLoop: dst[g*stride+j] = factor · Σ of the signed bytes of
// words[64·(g·n + v) + 4·j …+3] over v < n, for g < groups, j < 16. groups and n
// are at least 1.
//
//go:noescape
func sumCodesLoop(dst *int32, stride int, words *byte, groups, n int, factor int32)

// widenPairsLoop: pair p < 2 of word (v, j) as two int16 at pair
// (2·v + p)·16 + j of dst, for v < n, j < 16.
//
//go:noescape
func widenPairsLoop(dst, words *byte, n int)

// packPairs6Loop writes words of six rows of codes, ld bytes apart, as pairs of
// int16: pair p of word v of row i to pair (2·v + p)·6 + i of dst.
//
//go:noescape
func packPairs6Loop(dst *byte, codes *int8, ld, words int)

// packUnsigned6Loop writes words of six rows of codes, ld bytes apart, with 128
// added to each: word v of row i to word 6·v + i of dst.
//
//go:noescape
func packUnsigned6Loop(dst *byte, codes *int8, ld, words int)

// add128Loop: b[i] += 128 for i < 32·n.
//
//go:noescape
func add128Loop(b *byte, n int)

// sumCodesVectors is routines.sumCodes.
func sumCodesVectors(dst []int32, stride int, words []byte, size int, factor int32) {
	if groups := len(words) / size; groups > 0 {
		_ = dst[(groups-1)*stride+15]
		sumCodesLoop(&dst[0], stride, &words[0], groups, size/64, factor)
	}
}

// widenPairs is the widen of a codeKernel that reads pairs of int16: pair p of
// word v of row j at pair (2·v + p)·16 + j.
func widenPairs(dst, words []byte) {
	if n := len(words) / 64; n > 0 {
		_ = dst[128*n-1]
		widenPairsLoop(&dst[0], &words[0], n)
	}
}

// packUnsigned is the pack of a codeKernel that reads unsigned bytes: packWords,
// with 128 added to each.
func packUnsigned(MR int) func(dst []byte, codes []int8, ld, rows, words int) {
	pack := packWords(MR)
	return func(dst []byte, codes []int8, ld, rows, words int) {
		pack(dst, codes, ld, rows, words)
		dst = dst[:words*MR*4]
		n := len(dst) / 32
		if n > 0 {
			add128Loop(&dst[0], n)
		}
		for i := n * 32; i < len(dst); i++ {
			dst[i] ^= 128
		}
	}
}

// packPairs is the pack of a codeKernel with MR = 6 that reads pairs of int16:
// pair p of word v of row i at pair (2·v + p)·6 + i.
func packPairs(dst []byte, codes []int8, ld, rows, words int) {
	if words > 0 && len(codes) >= 5*ld+words*4 {
		packPairs6Loop(&dst[:words*48][0], &codes[0], ld, words)
		return
	}
	for i := range min(rows, 6) {
		for k, code := range codes[i*ld:][:words*4] {
			binary.LittleEndian.PutUint16(dst[k/2*24+i*4+k%2*2:], uint16(int16(code)))
		}
	}
}

var packUnsignedWords6 = packUnsigned(6)

// packUnsigned6 is packUnsigned(6), all six rows at once where codes has them.
func packUnsigned6(dst []byte, codes []int8, ld, rows, words int) {
	if words > 0 && len(codes) >= 5*ld+words*4 {
		packUnsigned6Loop(&dst[:words*24][0], &codes[0], ld, words)
		return
	}
	packUnsignedWords6(dst, codes, ld, rows, words)
}
