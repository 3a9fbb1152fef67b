	.arch	armv8-a

// row adds the products of a row of a, a word repeated in a0, and eight columns
// of b, in b0 and b1, to a row of the tile.
	.macro	row t0, t1, t2, t3, a0, b0, b1
	smlal	\t0\().8h, \b0\().8b, \a0\().8b
	smlal2	\t1\().8h, \b0\().16b, \a0\().16b
	smlal	\t2\().8h, \b1\().8b, \a0\().8b
	smlal2	\t3\().8h, \b1\().16b, \a0\().16b
	.endm

// finish joins the four sums of each column, adds start, and adds them, scaled,
// to a row of c.
	.macro	finish t0, t1, t2, t3
	ldp	q16, q17, [x10]
	addp	\t0\().8h, \t0\().8h, \t1\().8h
	addp	\t2\().8h, \t2\().8h, \t3\().8h
	addp	\t0\().8h, \t0\().8h, \t2\().8h
	saddw	v18.4s, v8.4s, \t0\().4h
	saddw2	v19.4s, v9.4s, \t0\().8h
	scvtf	v18.4s, v18.4s
	scvtf	v19.4s, v19.4s
	fmla	v16.4s, v10.4s, v18.4s
	fmla	v17.4s, v11.4s, v19.4s
	stp	q16, q17, [x10]
	add	x10, x10, x7
	.endm

//go: func code4x16Q4NEON(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//go: groups=x13 words=x8 a=x11 b=x12 scales=x4 start=x5 c=x6 ldc=x7
//
// code4x16NEON for levels of −8 to 8 and groups of at most 8 words, whose sums fit
// 16 bits: 32 · 127 · 8 < 2¹⁵.
//
//	x9 halves left   x13 groups   x11 a   x12 b   x8 words of a group
//	x6 c   x7 ldc·4   x10 a row of c
//	in a half: x3 groups left   x0 words left   x1 a   x2 b   x14 start   x15 scales
//	v20–v31 and v12–v15 the tile: a row in four, four sums of 16 bits for each
//	column
//	v8, v9 a word of b, v10, v11 the next one   v0–v3 a word of each row of a,
//	v4–v7 the next one; in the end v8, v9 start, v10, v11 scales, v16–v19 scratch
code4x16Q4NEON:
	lsl	x7, x7, #2
	mov	x9, #2

.Lcode4x16Q4NEON_half:
	mov	x1, x11
	mov	x2, x12
	mov	x3, x13
	mov	x14, x5
	mov	x15, x4

.Lcode4x16Q4NEON_group:
	.irp	r, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	mov	x0, x8
	cbz	x0, .Lcode4x16Q4NEON_finish

.Lcode4x16Q4NEON_loop:
	ldp	q8, q9, [x2]
	ldp	q10, q11, [x2, #64]
	add	x2, x2, #128
	ld4r	{v0.4s - v3.4s}, [x1], #16
	ld4r	{v4.4s - v7.4s}, [x1], #16
	row	v20, v21, v22, v23, v0, v8, v9
	row	v24, v25, v26, v27, v1, v8, v9
	row	v28, v29, v30, v31, v2, v8, v9
	row	v12, v13, v14, v15, v3, v8, v9
	row	v20, v21, v22, v23, v4, v10, v11
	row	v24, v25, v26, v27, v5, v10, v11
	row	v28, v29, v30, v31, v6, v10, v11
	row	v12, v13, v14, v15, v7, v10, v11
	sub	x0, x0, #2
	cbnz	x0, .Lcode4x16Q4NEON_loop

.Lcode4x16Q4NEON_finish:
	ldp	q8, q9, [x14], #64
	ldp	q10, q11, [x15], #64
	mov	x10, x6
	finish	v20, v21, v22, v23
	finish	v24, v25, v26, v27
	finish	v28, v29, v30, v31
	finish	v12, v13, v14, v15
	sub	x3, x3, #1
	cbnz	x3, .Lcode4x16Q4NEON_group
	add	x12, x12, #32
	add	x4, x4, #32
	add	x5, x5, #32
	add	x6, x6, #32
	sub	x9, x9, #1
	cbnz	x9, .Lcode4x16Q4NEON_half
	ret
