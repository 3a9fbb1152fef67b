package cpu

import "unsafe"

// The codeKernels of this architecture.
var (
	code4x16 = codeKernel{
		name: "4x16_neon", MR: 4, NR: 16, fn: code4x16NEON, column: codeColumn4x16NEON,
		pack: packWords(4), xBytes: 4, wBytes: 4, step: 2,
	}
	code4x16Q4 = codeKernel{
		name: "q4_4x16_neon", MR: 4, NR: 16, fn: code4x16Q4NEON, column: codeColumn4x16Q4NEON,
		pack: packWords(4), xBytes: 4, wBytes: 4, step: 2,
	}
	code6x16 = codeKernel{
		name: "6x16_dotprod", MR: 6, NR: 16, fn: code6x16DotProd, column: codeColumn6x16DotProd, narrow: codeColumn6x16NarrowDotProd,
		pack: packWords(6), xBytes: 4, wBytes: 4, step: 1,
	}
	code6x16Octets = codeKernel{
		name: "6x16_i8mm", MR: 6, NR: 16, fn: code6x16I8MM, column: codeColumn6x16I8MM,
		pack: packOctets(6), xBytes: 4, widen: zipOctets, wBytes: 4, step: 2,
	}
	brain6x16 = codeKernel{
		name: "6x16_bf16", MR: 6, NR: 16, fn: code6x16BF16, column: codeColumn6x16BF16,
		pack: packOctets(6), xBytes: 4, widen: zipOctets, wBytes: 4, step: 2,
	}
)

// codeColumn4x16NEON is a codeColumn with MR 4, NR 16 and step 2 for processors
// without dot products. No code of x may be −128. It ignores panel and apart.
//
//go:noescape
func codeColumn4x16NEON(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code4x16NEON is a codeFunc with MR 4, NR 16 and step 2: one tile of
// codeColumn4x16NEON.
func code4x16NEON(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn4x16NEON(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumn4x16Q4NEON is codeColumn4x16NEON for levels of −8 to 8 and groups of at
// most 8 words.
//
//go:noescape
func codeColumn4x16Q4NEON(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code4x16Q4NEON is code4x16NEON for levels of −8 to 8 and groups of at most 8
// words.
func code4x16Q4NEON(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn4x16Q4NEON(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumn6x16DotProd is a codeColumn with MR 6 and NR 16. It ignores panel and
// apart.
//
//go:noescape
func codeColumn6x16DotProd(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// codeColumn6x16NarrowDotProd is codeColumn6x16DotProd for processors that load 64
// bits at a time.
//
//go:noescape
func codeColumn6x16NarrowDotProd(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code6x16DotProd is a codeFunc with MR 6 and NR 16: one tile of
// codeColumn6x16DotProd.
func code6x16DotProd(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn6x16DotProd(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumn6x16I8MM is a codeColumn with MR 6, NR 16 and step 2 for octets of x
// and W: word v of row i of x at (v/2·12 + i·2 + v%2)·4 of its tile, that of row j
// of W at (v/2·32 + j·2 + v%2)·4 of b. It ignores panel and apart.
//
//go:noescape
func codeColumn6x16I8MM(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code6x16I8MM is a codeFunc with MR 6, NR 16 and step 2: one tile of
// codeColumn6x16I8MM.
func code6x16I8MM(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn6x16I8MM(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumn6x16BF16 is codeColumn6x16I8MM for words of two bfloat16.
//
//go:noescape
func codeColumn6x16BF16(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code6x16BF16 is code6x16I8MM for words of two bfloat16.
func code6x16BF16(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn6x16BF16(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// roundBF16Loop: dst[i] = x[i] to the nearest bfloat16, ties to even, for i < n,
// a multiple of 8.
//
//go:noescape
func roundBF16Loop(dst *uint16, x *float32, n int)

// roundBF16Vectors is routines.roundBF16.
func roundBF16Vectors(dst []uint16, x []float32) {
	n := len(x) &^ (lanes - 1)
	dst = dst[:len(x)]
	if n > 0 {
		roundBF16Loop(&dst[0], &x[0], n)
	}
	roundBF16Generic(dst[n:], x[n:])
}

// zipOctetsLoop: word v%2 of octet (v/2, j) of dst is word (v, j) of words for
// v < n, a multiple of 2 and at least 2, and j < 16.
//
//go:noescape
func zipOctetsLoop(dst, words *byte, n int)

// zipOctets is the widen of a codeKernel that reads octets, two words of a row of
// W: word v of row j at (v/2·32 + j·2 + v%2)·4.
func zipOctets(dst, words []byte) {
	if n := len(words) / 64; n > 0 {
		_ = dst[64*n-1]
		zipOctetsLoop(&dst[0], &words[0], n)
	}
}

// packOctets is the pack of a codeKernel with MR rows that reads octets, two
// words of a row of x: word v of row i at (v/2·MR·2 + i·2 + v%2)·4.
func packOctets(MR int) func(dst []byte, codes []int8, ld, rows, words int) {
	return func(dst []byte, codes []int8, ld, rows, words int) {
		from := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(codes))), len(codes))
		for i := range min(rows, MR) {
			row := from[i*ld:][:words*4]
			for at := i * 8; len(row) >= 8; at += MR * 8 {
				*(*[8]byte)(dst[at:]) = *(*[8]byte)(row)
				row = row[8:]
			}
		}
	}
}
