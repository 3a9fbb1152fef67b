package cpu

// gemm6x16NEON is a microFunc with MR = 6 and NR = 16. kc may be 0.
//
//	c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[k*6+i] * b[k*16+j]
//
//go:noescape
func gemm6x16NEON(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)
