	.arch	armv8.6-a+bf16

// two adds the products of six rows of a, four k of each, and columns of b, two in
// b0 and two in b1, to the tile.
	.macro	two b0, b1, s0, s1, s2, t0, t1, t2
	bfmmla	\s0\().4s, v0.8h, v\b0\().8h
	bfmmla	\t0\().4s, v0.8h, v\b1\().8h
	bfmmla	\s1\().4s, v1.8h, v\b0\().8h
	bfmmla	\t1\().4s, v1.8h, v\b1\().8h
	bfmmla	\s2\().4s, v2.8h, v\b0\().8h
	bfmmla	\t2\().4s, v2.8h, v\b1\().8h
	.endm

// twoThen is two, and loads the columns of b at x2+at in their stead, which are
// wanted no sooner than six products later.
	.macro	twoThen b0, b1, s0, s1, s2, t0, t1, t2, at
	bfmmla	\s0\().4s, v0.8h, v\b0\().8h
	bfmmla	\t0\().4s, v0.8h, v\b1\().8h
	bfmmla	\s1\().4s, v1.8h, v\b0\().8h
	bfmmla	\t1\().4s, v1.8h, v\b1\().8h
	bfmmla	\s2\().4s, v2.8h, v\b0\().8h
	ldr	q\b0, [x2, #\at]
	bfmmla	\t2\().4s, v2.8h, v\b1\().8h
	ldr	q\b1, [x2, #\at + 16]
	.endm

// lastThen is twoThen, and loads the next six rows of a too, at x1, four products
// before they are wanted.
	.macro	lastThen b0, b1, s0, s1, s2, t0, t1, t2, at
	bfmmla	\s0\().4s, v0.8h, v\b0\().8h
	bfmmla	\t0\().4s, v0.8h, v\b1\().8h
	ldr	q0, [x1]
	bfmmla	\s1\().4s, v1.8h, v\b0\().8h
	bfmmla	\t1\().4s, v1.8h, v\b1\().8h
	ldr	q1, [x1, #16]
	bfmmla	\s2\().4s, v2.8h, v\b0\().8h
	ldr	q\b0, [x2, #\at]
	bfmmla	\t2\().4s, v2.8h, v\b1\().8h
	ldr	q2, [x1, #32]
	ldr	q\b1, [x2, #\at + 16]
	.endm

// row loads the first eight columns of b, column six rows of a.
	.macro	row
	ldr	q4, [x2]
	ldr	q5, [x2, #16]
	ldr	q6, [x2, #32]
	ldr	q7, [x2, #48]
	.endm

	.macro	column
	ldr	q0, [x1]
	ldr	q1, [x1, #16]
	ldr	q2, [x1, #32]
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

//go: func codeColumn6x16BF16(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x20 stride=x21 groups=x3 words=x8 a=x19 b=x9 c=x6 ldc=x7 next=x12 step=x13
//
// A codeColumn for bfloat16 with MR 6, NR 16 and step 2. Word v of row i of a tile
// of x is at (v/2·12 + i·2 + v%2)·4 of its part of a; the same of row j of W at
// (v/2·32 + j·2 + v%2)·4 of b. BFMMLA rounds sums to odd and takes subnormal
// numbers for 0.
//
//	x20 tiles left   x19 a of the tile   x21 stride   x9 b
//	x3 groups, all of which are one sum  x8 words of it   x0 words left
//	x1 a, six rows of two words   x2 b, 16 rows of two words
//	x6 c   x7 ldc·4   x10 half a row of c             x12 next   x13 step
//	v8–v31 the tile: columns 2j and 2j+1 in v(8+3j) … v(10+3j), two rows in each
//	v0–v2 pairs of rows of a   v4–v7 pairs of columns of b
codeColumn6x16BF16:
	lsl	x7, x7, #2
	mul	x8, x8, x3

.LcodeColumn6x16BF16_tile:
	mov	x1, x19
	mov	x2, x9
	.irp	r, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	cbz	x8, .LcodeColumn6x16BF16_finish
	column
	row
	subs	x0, x8, #2
	b.eq	.LcodeColumn6x16BF16_last

.LcodeColumn6x16BF16_loop:
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	add	x1, x1, #48
	subs	x0, x0, #2
	twoThen	4, 5, v8, v9, v10, v11, v12, v13, 64
	twoThen	6, 7, v14, v15, v16, v17, v18, v19, 96
	twoThen	4, 5, v20, v21, v22, v23, v24, v25, 128
	add	x2, x2, #128
	lastThen	6, 7, v26, v27, v28, v29, v30, v31, 32
	b.ne	.LcodeColumn6x16BF16_loop

.LcodeColumn6x16BF16_last:
	twoThen	4, 5, v8, v9, v10, v11, v12, v13, 64
	twoThen	6, 7, v14, v15, v16, v17, v18, v19, 96
	two	4, 5, v20, v21, v22, v23, v24, v25
	two	6, 7, v26, v27, v28, v29, v30, v31
	add	x1, x1, #48
	add	x2, x2, #128

.LcodeColumn6x16BF16_finish:
	mov	x10, x6
	finish	v8, v11, v14, v17
	finish	v9, v12, v15, v18
	finish	v10, v13, v16, v19
	mov	x11, x10
	add	x10, x6, #32
	finish	v20, v23, v26, v29
	finish	v21, v24, v27, v30
	finish	v22, v25, v28, v31
	add	x19, x19, x21
	mov	x6, x11
	subs	x20, x20, #1
	b.ne	.LcodeColumn6x16BF16_tile
	ret
