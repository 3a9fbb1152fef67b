package cpu

import "unsafe"

// column6x16NEON is a microColumn with MR = 6 and NR = 16. kc may be 0. It ignores
// panel and apart.
//
//	c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[(i/6*kc+k)*6+i%6] * b[k*16+j] for i < 6·tiles
//
//go:noescape
func column6x16NEON(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)

// column6x16Narrow is column6x16NEON for processors that load 64 bits at a time.
//
//go:noescape
func column6x16Narrow(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)

// gemm6x16NEON is a microFunc with MR = 6 and NR = 16: one tile of column6x16NEON.
func gemm6x16NEON(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int) {
	column6x16NEON(1, kc, a, b, panel, d, ldd, c, ldc, (*byte)(unsafe.Pointer(b)), 0, 0)
}
