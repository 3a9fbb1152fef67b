	.arch	armv8.2-a+dotprod

// begin starts a row of the tile.
	.macro	begin t0, t1, t2, t3
	mov	\t0\().16b, v4.16b
	mov	\t1\().16b, v5.16b
	mov	\t2\().16b, v6.16b
	mov	\t3\().16b, v7.16b
	.endm

// row adds the dot products of a word of a and the words of b to a row of the
// tile.
	.macro	row t0, t1, t2, t3, a
	sdot	\t0\().4s, v4.16b, \a
	sdot	\t1\().4s, v5.16b, \a
	sdot	\t2\().4s, v6.16b, \a
	sdot	\t3\().4s, v7.16b, \a
	.endm

// finish adds a row of the tile, scaled, to a row of c.
	.macro	finish t0, t1, t2, t3
	ld1	{v0.4s - v3.4s}, [x10]
	scvtf	\t0\().4s, \t0\().4s
	scvtf	\t1\().4s, \t1\().4s
	scvtf	\t2\().4s, \t2\().4s
	scvtf	\t3\().4s, \t3\().4s
	fmla	v0.4s, v4.4s, \t0\().4s
	fmla	v1.4s, v5.4s, \t1\().4s
	fmla	v2.4s, v6.4s, \t2\().4s
	fmla	v3.4s, v7.4s, \t3\().4s
	st1	{v0.4s - v3.4s}, [x10], x7
	.endm

//go: func code6x16DotProd(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//go: groups=x3 words=x8 a=x1 b=x2 scales=x4 start=x5 c=x6 ldc=x7
//
// A codeFunc with MR 6 and NR 16. Word v of row i of x is at (v·6 + i)·4 of a.
//
//	x3 groups left       x8 words of a group     x0 words left
//	x1 a, one column of 6 words   x2 b, one row of 16 words
//	x4 scales   x5 start   x6 c   x7 ldc·4   x10 a row of c
//	v8–v31 the tile: row i in v(8+4i) … v(11+4i)
//	v4–v7 the row of b, a row of start, the scales   v0, v1 the column of a
//	v0–v3 a row of c
code6x16DotProd:
	lsl	x7, x7, #2

.Lcode6x16DotProd_group:
	ld1	{v4.4s - v7.4s}, [x5], #64
	begin	v8, v9, v10, v11
	begin	v12, v13, v14, v15
	begin	v16, v17, v18, v19
	begin	v20, v21, v22, v23
	begin	v24, v25, v26, v27
	begin	v28, v29, v30, v31
	mov	x0, x8
	cbz	x0, .Lcode6x16DotProd_finish

.Lcode6x16DotProd_loop:
	ldp	q4, q5, [x2]
	ldp	q6, q7, [x2, #32]
	ldr	q0, [x1]
	ldr	d1, [x1, #16]
	add	x2, x2, #64
	add	x1, x1, #24
	prfm	pldl1keep, [x2, #512]
	row	v8, v9, v10, v11, v0.4b[0]
	row	v12, v13, v14, v15, v0.4b[1]
	row	v16, v17, v18, v19, v0.4b[2]
	row	v20, v21, v22, v23, v0.4b[3]
	row	v24, v25, v26, v27, v1.4b[0]
	row	v28, v29, v30, v31, v1.4b[1]
	sub	x0, x0, #1
	cbnz	x0, .Lcode6x16DotProd_loop

.Lcode6x16DotProd_finish:
	ld1	{v4.4s - v7.4s}, [x4], #64
	mov	x10, x6
	finish	v8, v9, v10, v11
	finish	v12, v13, v14, v15
	finish	v16, v17, v18, v19
	finish	v20, v21, v22, v23
	finish	v24, v25, v26, v27
	finish	v28, v29, v30, v31
	sub	x3, x3, #1
	cbnz	x3, .Lcode6x16DotProd_group
	ret
