package cpu

import "unsafe"

// column6x16AVX2 is a microColumn with MR = 6 and NR = 16. kc may be 0. It ignores
// panel and apart.
//
//	c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[(i/6*kc+k)*6+i%6] * b[k*16+j] for i < 6·tiles
//
//go:noescape
func column6x16AVX2(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)

// gemm6x16AVX2 is a microFunc with MR = 6 and NR = 16: one tile of column6x16AVX2.
func gemm6x16AVX2(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int) {
	column6x16AVX2(1, kc, a, b, panel, d, ldd, c, ldc, (*byte)(unsafe.Pointer(b)), 0, 0)
}

// column14x32AVX512 is a microColumn with MR = 14 and NR = 32. kc may be 0.
//
//	c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[(i/14*kc+k)*14+i%14] * b[j/16*panel+k*16+j%16] for i < 14·tiles
//
//go:noescape
func column14x32AVX512(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)

// gemm14x32AVX512 is a microFunc with MR = 14 and NR = 32: one tile of
// column14x32AVX512.
func gemm14x32AVX512(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int) {
	column14x32AVX512(1, kc, a, b, panel, d, ldd, c, ldc, (*byte)(unsafe.Pointer(b)), 0, 0)
}

// gemm14x16AVX512 is gemm14x32AVX512 for the first 16 columns.
//
//go:noescape
func gemm14x16AVX512(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)

// codeColumn6x16AVX2 is a codeColumn with MR = 6 and NR = 16 over pairs of int16:
// x as packPairs, W as widenPairs makes them. It ignores panel and apart.
//
//go:noescape
func codeColumn6x16AVX2(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code6x16AVX2 is a codeFunc with MR = 6 and NR = 16: one tile of
// codeColumn6x16AVX2.
func code6x16AVX2(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn6x16AVX2(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumnQ4x6x16AVX2 is a codeColumn with MR = 6, NR = 16 and shift 128 for
// levels from −8 to 8 in groups of at most 8 words. It ignores panel and apart.
//
//go:noescape
func codeColumnQ4x6x16AVX2(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// codeQ4x6x16AVX2 is a codeFunc with MR = 6 and NR = 16: one tile of
// codeColumnQ4x6x16AVX2.
func codeQ4x6x16AVX2(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumnQ4x6x16AVX2(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumn6x16VNNI is a codeColumn with MR = 6, NR = 16 and shift 128. It
// ignores panel and apart.
//
//go:noescape
func codeColumn6x16VNNI(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code6x16VNNI is a codeFunc with MR = 6 and NR = 16: one tile of
// codeColumn6x16VNNI.
func code6x16VNNI(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn6x16VNNI(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// codeColumn14x32VNNI is a codeColumn with MR = 14, NR = 32 and shift 128.
//
//go:noescape
func codeColumn14x32VNNI(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code14x32VNNI is a codeFunc with MR = 14 and NR = 32: one tile of
// codeColumn14x32VNNI.
func code14x32VNNI(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn14x32VNNI(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// code14x16VNNI is code14x32VNNI for one panel.
//
//go:noescape
func code14x16VNNI(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)

// codeColumn14x32BF16 is a codeColumn with MR = 14 and NR = 32 for words of two
// bfloat16.
//
//go:noescape
func codeColumn14x32BF16(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)

// code14x32BF16 is a codeFunc with MR = 14 and NR = 32: one tile of
// codeColumn14x32BF16.
func code14x32BF16(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
	codeColumn14x32BF16(1, 0, groups, words, a, b, panel, scales, start, c, ldc, b, 0, 0)
}

// code14x16BF16 is code14x32BF16 for one panel.
//
//go:noescape
func code14x16BF16(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
