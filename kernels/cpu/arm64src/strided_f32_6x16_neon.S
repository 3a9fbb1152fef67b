	.arch	armv8-a

// eight adds an element of each row of x times eight columns of b, in v6 and v7,
// to these columns of the tile.
	.macro	eight s0, t0, s1, t1, s2, t2, s3, t3, s4, t4, s5, t5
	fmla	\s0\().4s, v6.4s, v0.s[0]
	fmla	\t0\().4s, v7.4s, v0.s[0]
	fmla	\s1\().4s, v6.4s, v1.s[0]
	fmla	\t1\().4s, v7.4s, v1.s[0]
	fmla	\s2\().4s, v6.4s, v2.s[0]
	fmla	\t2\().4s, v7.4s, v2.s[0]
	fmla	\s3\().4s, v6.4s, v3.s[0]
	fmla	\t3\().4s, v7.4s, v3.s[0]
	fmla	\s4\().4s, v6.4s, v4.s[0]
	fmla	\t4\().4s, v7.4s, v4.s[0]
	fmla	\s5\().4s, v6.4s, v5.s[0]
	fmla	\t5\().4s, v7.4s, v5.s[0]
	.endm

// store writes a row of y.
	.macro	store t0, t1, t2, t3
	fmul	\t0\().4s, \t0\().4s, v0.s[0]
	fmul	\t1\().4s, \t1\().4s, v0.s[0]
	fmul	\t2\().4s, \t2\().4s, v0.s[0]
	fmul	\t3\().4s, \t3\().4s, v0.s[0]
	st1	{\t0\().4s - \t3\().4s}, [x4], x5
	.endm

//go: func strided6x16Loop(K int, rows *[6]*float32, step int, b *float32, y *float32, ldy int, factor float32)
//go: K=x0 rows=x1 step=x3 b=x2 y=x4 ldy=x5 factor=s0
//
//	for i := range 6 {
//		for j := range 16 {
//			y[i*ldy+j] = factor · Σ_{k<K} rows[i][k*step] * b[k*16+j]
//		}
//	}
//
//	x0 k left   x14 k·step   x8–x13 the rows   x2 b, one row of 16
//	x4 y        x5 ldy·4     w15 factor
//	v8–v31 the tile: row i in v(8+4i) … v(11+4i)
//	v0–v5 an element of each row   v6, v7 half of the row of b
strided6x16Loop:
	fmov	w15, s0
	lsl	x5, x5, #2
	ldp	x8, x9, [x1]
	ldp	x10, x11, [x1, #16]
	ldp	x12, x13, [x1, #32]
	mov	x14, #0
	.irp	r, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	cbz	x0, .Lstrided6x16Loop_store

.Lstrided6x16Loop_loop:
	ldr	s0, [x8, x14, lsl #2]
	ldr	s1, [x9, x14, lsl #2]
	ldr	s2, [x10, x14, lsl #2]
	ldr	s3, [x11, x14, lsl #2]
	ldr	s4, [x12, x14, lsl #2]
	ldr	s5, [x13, x14, lsl #2]
	ldp	q6, q7, [x2], #64
	add	x14, x14, x3
	eight	v8, v9, v12, v13, v16, v17, v20, v21, v24, v25, v28, v29
	ldp	q6, q7, [x2, #-32]
	eight	v10, v11, v14, v15, v18, v19, v22, v23, v26, v27, v30, v31
	sub	x0, x0, #1
	cbnz	x0, .Lstrided6x16Loop_loop

.Lstrided6x16Loop_store:
	fmov	s0, w15
	store	v8, v9, v10, v11
	store	v12, v13, v14, v15
	store	v16, v17, v18, v19
	store	v20, v21, v22, v23
	store	v24, v25, v26, v27
	store	v28, v29, v30, v31
	ret
