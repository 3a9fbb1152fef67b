	.arch	armv8.6-a+i8mm

// begin starts two columns of the tile.
	.macro	begin start, t0, t1, t2
	mov	\t0\().16b, \start\().16b
	mov	\t1\().16b, \start\().16b
	mov	\t2\().16b, \start\().16b
	.endm

// two adds the products of six rows of a, eight bytes of each, and columns of b, two in
// b0 and two in b1, to the tile.
	.macro	two b0, b1, s0, s1, s2, t0, t1, t2
	smmla	\s0\().4s, v0.16b, v\b0\().16b
	smmla	\t0\().4s, v0.16b, v\b1\().16b
	smmla	\s1\().4s, v1.16b, v\b0\().16b
	smmla	\t1\().4s, v1.16b, v\b1\().16b
	smmla	\s2\().4s, v2.16b, v\b0\().16b
	smmla	\t2\().4s, v2.16b, v\b1\().16b
	.endm

// twoThen is two, and loads the columns of b at x2+at in their stead, which are
// wanted no sooner than six products later.
	.macro	twoThen b0, b1, s0, s1, s2, t0, t1, t2, at
	smmla	\s0\().4s, v0.16b, v\b0\().16b
	smmla	\t0\().4s, v0.16b, v\b1\().16b
	smmla	\s1\().4s, v1.16b, v\b0\().16b
	smmla	\t1\().4s, v1.16b, v\b1\().16b
	smmla	\s2\().4s, v2.16b, v\b0\().16b
	ldr	q\b0, [x2, #\at]
	smmla	\t2\().4s, v2.16b, v\b1\().16b
	ldr	q\b1, [x2, #\at + 16]
	.endm

// lastThen is twoThen, and loads the next six rows of a too, at x1, four products
// before they are wanted.
	.macro	lastThen b0, b1, s0, s1, s2, t0, t1, t2, at
	smmla	\s0\().4s, v0.16b, v\b0\().16b
	smmla	\t0\().4s, v0.16b, v\b1\().16b
	ldr	q0, [x1]
	smmla	\s1\().4s, v1.16b, v\b0\().16b
	smmla	\t1\().4s, v1.16b, v\b1\().16b
	ldr	q1, [x1, #16]
	smmla	\s2\().4s, v2.16b, v\b0\().16b
	ldr	q\b0, [x2, #\at]
	smmla	\t2\().4s, v2.16b, v\b1\().16b
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

//go: func codeColumn6x16I8MM(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x20 stride=x21 groups=x22 words=x8 a=x19 b=x9 scales=x23 start=x24 c=x6 ldc=x7 next=x12 step=x13
//
// A codeColumn with MR 6, NR 16 and step 2. Word v of row i of a tile of x is at
// (v/2·12 + i·2 + v%2)·4 of its part of a; the same of row j of W at
// (v/2·32 + j·2 + v%2)·4 of b.
//
//	x20 tiles left   x19 a of the tile   x21 stride   x9 b   x23 scales   x24 start
//	x22 groups       x3 groups left      x8 words of a group
//	x0 words left        x12 next   x13 step
//	x1 a, six rows of two words   x2 b, 16 rows of two words
//	x4 scales   x5 start   x6 c   x7 ldc·4   x10 half a row of c
//	v8–v31 the tile: columns 2j and 2j+1 in v(8+3j) … v(10+3j), two rows in each
//	v0–v2 pairs of rows of a   v4–v7 pairs of columns of b
codeColumn6x16I8MM:
	lsl	x7, x7, #2

.LcodeColumn6x16I8MM_tile:
	mov	x1, x19
	mov	x2, x9
	mov	x3, x22
	mov	x4, x23
	mov	x5, x24

.LcodeColumn6x16I8MM_group:
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
	cbz	x8, .LcodeColumn6x16I8MM_finish
	column
	row
	subs	x0, x8, #2
	b.eq	.LcodeColumn6x16I8MM_last

.LcodeColumn6x16I8MM_loop:
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	add	x1, x1, #48
	subs	x0, x0, #2
	twoThen	4, 5, v8, v9, v10, v11, v12, v13, 64
	twoThen	6, 7, v14, v15, v16, v17, v18, v19, 96
	twoThen	4, 5, v20, v21, v22, v23, v24, v25, 128
	add	x2, x2, #128
	lastThen	6, 7, v26, v27, v28, v29, v30, v31, 32
	b.ne	.LcodeColumn6x16I8MM_loop

.LcodeColumn6x16I8MM_last:
	twoThen	4, 5, v8, v9, v10, v11, v12, v13, 64
	twoThen	6, 7, v14, v15, v16, v17, v18, v19, 96
	two	4, 5, v20, v21, v22, v23, v24, v25
	two	6, 7, v26, v27, v28, v29, v30, v31
	add	x1, x1, #48
	add	x2, x2, #128

.LcodeColumn6x16I8MM_finish:
	ldp	q6, q7, [x4], #32
	mov	x10, x6
	finish	v8, v11, v14, v17
	finish	v9, v12, v15, v18
	finish	v10, v13, v16, v19
	mov	x11, x10
	ldp	q6, q7, [x4], #32
	add	x10, x6, #32
	finish	v20, v23, v26, v29
	finish	v21, v24, v27, v30
	finish	v22, v25, v28, v31
	subs	x3, x3, #1
	b.ne	.LcodeColumn6x16I8MM_group
	add	x19, x19, x21
	mov	x6, x11
	subs	x20, x20, #1
	b.ne	.LcodeColumn6x16I8MM_tile
	ret
