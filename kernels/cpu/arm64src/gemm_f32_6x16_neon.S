	.arch	armv8-a

// row adds an element of a times the row of b to a row of the tile.
	.macro	row c0, c1, c2, c3, a
	fmla	\c0\().4s, v4.4s, \a
	fmla	\c1\().4s, v5.4s, \a
	fmla	\c2\().4s, v6.4s, \a
	fmla	\c3\().4s, v7.4s, \a
	.endm

// store adds a row of d to a row of the tile and writes it to c.
	.macro	store c0, c1, c2, c3
	ld1	{v0.4s - v3.4s}, [x4], x5
	fadd	v0.4s, v0.4s, \c0\().4s
	fadd	v1.4s, v1.4s, \c1\().4s
	fadd	v2.4s, v2.4s, \c2\().4s
	fadd	v3.4s, v3.4s, \c3\().4s
	st1	{v0.4s - v3.4s}, [x6], x7
	.endm

//go: func gemm6x16NEON(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)
//go: kc=x0 a=x1 b=x2 d=x4 ldd=x5 c=x6 ldc=x7
//
//	for i := range 6 {
//		for j := range 16 {
//			c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[k*6+i] * b[k*16+j]
//		}
//	}
//
//	x0 k left            x1 a, one column of 6    x2 b, one row of 16
//	x4 d   x5 ldd·4      x6 c   x7 ldc·4
//	v8–v31 the tile: row i in v(8+4i) … v(11+4i)
//	v4–v7 the row of b   v0, v1 the column of a; in the end a row of d in v0–v3
gemm6x16NEON:
	lsl	x5, x5, #2
	lsl	x7, x7, #2
	.irp	r, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	cbz	x0, .Lgemm6x16NEON_store

.Lgemm6x16NEON_loop:
	ldp	q4, q5, [x2]
	ldp	q6, q7, [x2, #32]
	ldr	q0, [x1]
	ldr	d1, [x1, #16]
	add	x2, x2, #64
	add	x1, x1, #24
	prfm	pldl1keep, [x2, #512]
	row	v8, v9, v10, v11, v0.s[0]
	row	v12, v13, v14, v15, v0.s[1]
	row	v16, v17, v18, v19, v0.s[2]
	row	v20, v21, v22, v23, v0.s[3]
	row	v24, v25, v26, v27, v1.s[0]
	row	v28, v29, v30, v31, v1.s[1]
	sub	x0, x0, #1
	cbnz	x0, .Lgemm6x16NEON_loop

.Lgemm6x16NEON_store:
	store	v8, v9, v10, v11
	store	v12, v13, v14, v15
	store	v16, v17, v18, v19
	store	v20, v21, v22, v23
	store	v24, v25, v26, v27
	store	v28, v29, v30, v31
	ret
