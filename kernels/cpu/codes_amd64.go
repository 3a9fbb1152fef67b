package cpu

import "unsafe"

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

// spreadPairsLoop is widenPairsLoop for rows of 6 words: word (v, i) of src to
// pairs (2·v + p)·6 + i of dst. It reads 8 bytes past its last row and writes
// as many. dst and src may overlap where no row of src is written before it is
// read.
//
//go:noescape
func spreadPairsLoop(dst, src *byte, n int)

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
// pair p of word v of row i at pair (2·v + p)·6 + i. The words are brought in
// order in the second half of dst and spread from there.
func packPairs(dst []byte, codes []int8, ld, rows, words int) {
	const row = 6 * 4 // bytes of a step of words, and half of those of its pairs
	half := dst[words*row : 2*words*row]
	packWords(6)(half, codes, ld, rows, words)
	if words == 0 {
		return
	}
	var last [row]byte
	copy(last[:], half[(words-1)*row:])
	if words > 1 {
		spreadPairsLoop(&dst[0], &half[0], words-1)
	}
	pairs := unsafe.Slice((*int16)(unsafe.Pointer(&dst[2*(words-1)*row])), row)
	for i := range 6 {
		for b := range 4 {
			pairs[b/2*12+2*i+b%2] = int16(int8(last[4*i+b]))
		}
	}
}
