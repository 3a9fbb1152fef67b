	.arch	armv8.6-a+bf16

// columns adds the products of six rows of a, four k of each, and two columns
// of b to two columns of the tile.
	.macro	columns b, t0, t1, t2
	bfmmla	\t0\().4s, v0.8h, \b\().8h
	bfmmla	\t1\().4s, v1.8h, \b\().8h
	bfmmla	\t2\().4s, v2.8h, \b\().8h
	.endm

// finish adds eight columns of two rows of the tile to two rows of c.
	.macro	finish t0, t1, t2, t3
	zip1	v0.2d, \t0\().2d, \t1\().2d	// four columns of the first row
	zip1	v1.2d, \t2\().2d, \t3\().2d
	zip2	v2.2d, \t0\().2d, \t1\().2d	// of the second row
	zip2	v3.2d, \t2\().2d, \t3\().2d
	ldp	q4, q5, [x10]
	fadd	v4.4s, v4.4s, v0.4s
	fadd	v5.4s, v5.4s, v1.4s
	stp	q4, q5, [x10]
	add	x10, x10, x7
	ldp	q4, q5, [x10]
	fadd	v4.4s, v4.4s, v2.4s
	fadd	v5.4s, v5.4s, v3.4s
	stp	q4, q5, [x10]
	add	x10, x10, x7
	.endm

//go: func code6x16BF16(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//go: groups=x3 words=x0 a=x1 b=x2 c=x6 ldc=x7
//
// A codeFunc for bfloat16 with MR 6, NR 16 and step 2. Word v of row i of x is at
// (v/2·12 + i·2 + v%2)·4 of a; the same of row j of W at (v/2·32 + j·2 + v%2)·4
// of b. BFMMLA rounds sums to odd and takes subnormal numbers for 0.
//
//	x0 words left        x3 groups, all of which are one sum
//	x1 a, six rows of two words   x2 b, 16 rows of two words
//	x6 c   x7 ldc·4   x10 half a row of c
//	v8–v31 the tile: columns 2j and 2j+1 in v(8+3j) … v(10+3j), two rows in each
//	v0–v2 pairs of rows of a   v3–v7 pairs of columns of b
code6x16BF16:
	lsl	x7, x7, #2
	mul	x0, x0, x3
	.irp	r, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	cbz	x0, .Lcode6x16BF16_finish

.Lcode6x16BF16_loop:
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
	cbnz	x0, .Lcode6x16BF16_loop

.Lcode6x16BF16_finish:
	mov	x10, x6
	finish	v8, v11, v14, v17
	finish	v9, v12, v15, v18
	finish	v10, v13, v16, v19
	add	x10, x6, #32
	finish	v20, v23, v26, v29
	finish	v21, v24, v27, v30
	finish	v22, v25, v28, v31
	ret
