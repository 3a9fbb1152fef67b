	.arch	armv8.6-a+i8mm

// begin starts two columns of the tile.
	.macro	begin start, t0, t1, t2
	mov	\t0\().16b, \start\().16b
	mov	\t1\().16b, \start\().16b
	mov	\t2\().16b, \start\().16b
	.endm

// columns adds the products of six rows of a, eight bytes each, and two columns
// of b to two columns of the tile.
	.macro	columns b, t0, t1, t2
	smmla	\t0\().4s, v0.16b, \b\().16b
	smmla	\t1\().4s, v1.16b, \b\().16b
	smmla	\t2\().4s, v2.16b, \b\().16b
	.endm

// addto adds four columns of a row of the tile's sums, scaled, to those of c.
	.macro	addto c, sums, scales
	scvtf	\sums\().4s, \sums\().4s
	fmla	\c\().4s, \scales\().4s, \sums\().4s
	.endm

// finish adds eight columns of two rows of the tile, scaled by v6 and v7, to two
// rows of c.
	.macro	finish t0, t1, t2, t3
	zip1	v0.2d, \t0\().2d, \t1\().2d	// four columns of the first row
	zip1	v1.2d, \t2\().2d, \t3\().2d
	zip2	v2.2d, \t0\().2d, \t1\().2d	// of the second row
	zip2	v3.2d, \t2\().2d, \t3\().2d
	ldp	q4, q5, [x10]
	addto	v4, v0, v6
	addto	v5, v1, v7
	stp	q4, q5, [x10]
	add	x10, x10, x7
	ldp	q4, q5, [x10]
	addto	v4, v2, v6
	addto	v5, v3, v7
	stp	q4, q5, [x10]
	add	x10, x10, x7
	.endm

//go: func code6x16I8MM(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//go: groups=x3 words=x8 a=x1 b=x2 scales=x4 start=x5 c=x6 ldc=x7
//
// A codeFunc with MR 6, NR 16 and step 2. Word v of row i of x is at
// (v/2·12 + i·2 + v%2)·4 of a; the same of row j of W at (v/2·32 + j·2 + v%2)·4
// of b.
//
//	x3 groups left       x8 words of a group     x0 words left
//	x1 a, six rows of two words   x2 b, 16 rows of two words
//	x4 scales   x5 start   x6 c   x7 ldc·4   x10 half a row of c
//	v8–v31 the tile: columns 2j and 2j+1 in v(8+3j) … v(10+3j), two rows in each
//	v0–v2 pairs of rows of a   v3–v7 pairs of columns of b
code6x16I8MM:
	lsl	x7, x7, #2

.Lcode6x16I8MM_group:
	ld1	{v0.4s - v3.4s}, [x5], #64
	zip1	v4.2d, v0.2d, v0.2d	// columns 0 and 1, for both rows
	zip2	v5.2d, v0.2d, v0.2d
	begin	v4, v8, v9, v10
	begin	v5, v11, v12, v13
	zip1	v4.2d, v1.2d, v1.2d
	zip2	v5.2d, v1.2d, v1.2d
	begin	v4, v14, v15, v16
	begin	v5, v17, v18, v19
	zip1	v4.2d, v2.2d, v2.2d
	zip2	v5.2d, v2.2d, v2.2d
	begin	v4, v20, v21, v22
	begin	v5, v23, v24, v25
	zip1	v4.2d, v3.2d, v3.2d
	zip2	v5.2d, v3.2d, v3.2d
	begin	v4, v26, v27, v28
	begin	v5, v29, v30, v31
	mov	x0, x8
	cbz	x0, .Lcode6x16I8MM_finish

.Lcode6x16I8MM_loop:
	ldp	q0, q1, [x1]
	ldr	q2, [x1, #32]
	ldp	q4, q5, [x2]
	ldp	q6, q7, [x2, #32]
	prfm	pldl1keep, [x2, #512]
	columns	v4, v8, v9, v10
	columns	v5, v11, v12, v13
	ldp	q3, q4, [x2, #64]
	columns	v6, v14, v15, v16
	columns	v7, v17, v18, v19
	ldp	q5, q6, [x2, #96]
	add	x1, x1, #48
	add	x2, x2, #128
	columns	v3, v20, v21, v22
	columns	v4, v23, v24, v25
	columns	v5, v26, v27, v28
	columns	v6, v29, v30, v31
	sub	x0, x0, #2
	cbnz	x0, .Lcode6x16I8MM_loop

.Lcode6x16I8MM_finish:
	ldp	q6, q7, [x4], #32
	mov	x10, x6
	finish	v8, v11, v14, v17
	finish	v9, v12, v15, v18
	finish	v10, v13, v16, v19
	ldp	q6, q7, [x4], #32
	add	x10, x6, #32
	finish	v20, v23, v26, v29
	finish	v21, v24, v27, v30
	finish	v22, v25, v28, v31
	sub	x3, x3, #1
	cbnz	x3, .Lcode6x16I8MM_group
	ret
