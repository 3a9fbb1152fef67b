	.arch	armv8.6-a+i8mm

// begin starts two rows of the tile.
	.macro	begin t0, t1, t2, t3
	mov	\t0\().16b, v4.16b
	mov	\t1\().16b, v5.16b
	mov	\t2\().16b, v6.16b
	mov	\t3\().16b, v7.16b
	.endm

// rows adds the products of two rows of a, eight bytes each, and eight columns
// of b to two rows of the tile.
	.macro	rows t0, t1, t2, t3, a
	smmla	\t0\().4s, \a\().16b, v4.16b
	smmla	\t1\().4s, \a\().16b, v5.16b
	smmla	\t2\().4s, \a\().16b, v6.16b
	smmla	\t3\().4s, \a\().16b, v7.16b
	.endm

// addrow adds a row of the tile's sums s, scaled, to a row of c.
	.macro	addrow s0, s1
	scvtf	\s0\().4s, \s0\().4s
	scvtf	\s1\().4s, \s1\().4s
	ldp	q6, q7, [x10]
	fmla	v6.4s, v4.4s, \s0\().4s
	fmla	v7.4s, v5.4s, \s1\().4s
	stp	q6, q7, [x10]
	add	x10, x10, x7
	.endm

// finish adds two rows of the tile, scaled, to two rows of c.
	.macro	finish t0, t1, t2, t3
	zip1	v0.2d, \t0\().2d, \t1\().2d	// columns 0 to 3 of the first row
	zip1	v1.2d, \t2\().2d, \t3\().2d
	zip2	v2.2d, \t0\().2d, \t1\().2d	// of the second row
	zip2	v3.2d, \t2\().2d, \t3\().2d
	addrow	v0, v1
	addrow	v2, v3
	.endm

//go: func code12x16I8MM(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//go: groups=x13 words=x8 a=x11 b=x12 scales=x4 start=x5 c=x6 ldc=x7
//
// A codeFunc with MR 12, NR 16 and step 2. Word v of row i of x is at
// (v/2·24 + i·2 + v%2)·4 of a. Columns 0 to 7 are done first, then 8 to 15, so
// that two words of b are brought into SMMLA's order once for twelve rows.
//
//	x9 halves left   x13 groups   x11 a   x12 b   x8 words of a group
//	x6 c   x7 ldc·4   x10 a row of c
//	in a half: x3 groups left   x0 words left   x1 a   x2 b   x14 start   x15 scales
//	v8–v31 the tile: rows 2i and 2i+1 in v(8+4i) … v(11+4i), two columns in each
//	v0–v3 words of b, then pairs of rows of a   v4–v7 pairs of columns of b
code12x16I8MM:
	lsl	x7, x7, #2
	cbz	x13, .Lcode12x16I8MM_done
	mov	x9, #2

.Lcode12x16I8MM_half:
	mov	x1, x11
	mov	x2, x12
	mov	x3, x13
	mov	x14, x5
	mov	x15, x4

.Lcode12x16I8MM_group:
	ldp	q0, q1, [x14], #64
	zip1	v4.2d, v0.2d, v0.2d	// columns 0 and 1, for both rows
	zip2	v5.2d, v0.2d, v0.2d
	zip1	v6.2d, v1.2d, v1.2d
	zip2	v7.2d, v1.2d, v1.2d
	begin	v8, v9, v10, v11
	begin	v12, v13, v14, v15
	begin	v16, v17, v18, v19
	begin	v20, v21, v22, v23
	begin	v24, v25, v26, v27
	begin	v28, v29, v30, v31
	mov	x0, x8
	cbz	x0, .Lcode12x16I8MM_finish

.Lcode12x16I8MM_loop:
	ldp	q0, q2, [x2]
	ldp	q1, q3, [x2, #64]
	add	x2, x2, #128
	zip1	v4.4s, v0.4s, v1.4s	// columns 0 and 1, eight k of each
	zip2	v5.4s, v0.4s, v1.4s
	zip1	v6.4s, v2.4s, v3.4s
	zip2	v7.4s, v2.4s, v3.4s
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x1], #32
	rows	v8, v9, v10, v11, v0
	rows	v12, v13, v14, v15, v1
	ldp	q0, q1, [x1], #32
	rows	v16, v17, v18, v19, v2
	rows	v20, v21, v22, v23, v3
	rows	v24, v25, v26, v27, v0
	rows	v28, v29, v30, v31, v1
	sub	x0, x0, #2
	cbnz	x0, .Lcode12x16I8MM_loop

.Lcode12x16I8MM_finish:
	ldp	q4, q5, [x15], #64
	mov	x10, x6
	finish	v8, v9, v10, v11
	finish	v12, v13, v14, v15
	finish	v16, v17, v18, v19
	finish	v20, v21, v22, v23
	finish	v24, v25, v26, v27
	finish	v28, v29, v30, v31
	sub	x3, x3, #1
	cbnz	x3, .Lcode12x16I8MM_group
	add	x12, x12, #32
	add	x4, x4, #32
	add	x5, x5, #32
	add	x6, x6, #32
	sub	x9, x9, #1
	cbnz	x9, .Lcode12x16I8MM_half

.Lcode12x16I8MM_done:
	ret
