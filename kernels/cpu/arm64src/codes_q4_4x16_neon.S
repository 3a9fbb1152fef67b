	.arch	armv8-a

// row adds the products of a row of a, a word repeated in a, and eight columns of
// b, in b0 and b1, to a row of the tile.
	.macro	row t0, t1, t2, t3, a, b0, b1
	smlal	\t0\().8h, \b0\().8b, v\a\().8b
	smlal2	\t1\().8h, \b0\().16b, v\a\().16b
	smlal	\t2\().8h, \b1\().8b, v\a\().8b
	smlal2	\t3\().8h, \b1\().16b, v\a\().16b
	.endm

// rowThen is row, and loads the word after the next of the row of a from x.
	.macro	rowThen t0, t1, t2, t3, a, b0, b1, x, past
	row	\t0, \t1, \t2, \t3, \a, \b0, \b1
	ld1r	{v\a\().4s}, [\x], \past
	.endm

// lastThen is rowThen for the last row, and loads the word after the next of b, at
// x2+at.
	.macro	lastThen t0, t1, t2, t3, a, b0, b1, x, at
	smlal	\t0\().8h, v\b0\().8b, v\a\().8b
	smlal2	\t1\().8h, v\b0\().16b, v\a\().16b
	ldr	q\b0, [x2, #\at]
	smlal	\t2\().8h, v\b1\().8b, v\a\().8b
	smlal2	\t3\().8h, v\b1\().16b, v\a\().16b
	ldr	q\b1, [x2, #\at + 16]
	ld1r	{v\a\().4s}, [\x], x25
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

//go: func codeColumn4x16Q4NEON(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x20 stride=x21 groups=x22 words=x8 a=x19 b=x9 scales=x23 start=x24 c=x6 ldc=x7 next=x12 step=x13
//
// codeColumn4x16NEON for levels of −8 to 8 and groups of at most 8 words, whose
// sums fit 16 bits: 32 · 127 · 8 < 2¹⁵.
//
//	x20 tiles left   x19 a of the tile   x21 stride   x9 b   x23 scales   x24 start
//	x22 groups       x8 words of a group x6 c   x7 ldc·4   x12 next   x13 step
//	in a half: x11 0 or 32, where it begins in a row of b, of start, of scales and
//	of c   x3 groups left   x0 words left   x1 a, x4 its next word   x2 b   x14 start
//	x15 scales   x5 half of c   x10 a row of it   x25 20, to the word after the next
//	v20–v31 and v12–v15 the tile: a row in four, four sums of 16 bits for each
//	column
//	v8, v9 a word of b, v10, v11 the next one   v0–v3 a word of each row of a,
//	v4–v7 the next one; in the end v8, v9 start, v10, v11 scales, v16–v19 scratch
codeColumn4x16Q4NEON:
	lsl	x7, x7, #2
	mov	x25, #20

.LcodeColumn4x16Q4NEON_tile:
	mov	x11, #0

.LcodeColumn4x16Q4NEON_half:
	mov	x1, x19
	add	x4, x19, #16
	add	x2, x9, x11
	mov	x3, x22
	add	x14, x24, x11
	add	x15, x23, x11
	add	x5, x6, x11

.LcodeColumn4x16Q4NEON_group:
	.irp	r, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	cbz	x8, .LcodeColumn4x16Q4NEON_finish
	ldp	q8, q9, [x2]
	ld4r	{v0.4s - v3.4s}, [x1]
	add	x1, x1, #32
	ldp	q10, q11, [x2, #64]
	ld4r	{v4.4s - v7.4s}, [x4]
	add	x4, x4, #32
	subs	x0, x8, #2
	b.eq	.LcodeColumn4x16Q4NEON_last

.LcodeColumn4x16Q4NEON_loop:
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	rowThen	v20, v21, v22, v23, 0, v8, v9, x1, #4
	rowThen	v24, v25, v26, v27, 1, v8, v9, x1, #4
	rowThen	v28, v29, v30, v31, 2, v8, v9, x1, #4
	add	x2, x2, #128
	lastThen	v12, v13, v14, v15, 3, 8, 9, x1, 0
	rowThen	v20, v21, v22, v23, 4, v10, v11, x4, #4
	rowThen	v24, v25, v26, v27, 5, v10, v11, x4, #4
	rowThen	v28, v29, v30, v31, 6, v10, v11, x4, #4
	subs	x0, x0, #2
	lastThen	v12, v13, v14, v15, 7, 10, 11, x4, 64
	b.ne	.LcodeColumn4x16Q4NEON_loop

.LcodeColumn4x16Q4NEON_last:
	row	v20, v21, v22, v23, 0, v8, v9
	row	v24, v25, v26, v27, 1, v8, v9
	row	v28, v29, v30, v31, 2, v8, v9
	row	v12, v13, v14, v15, 3, v8, v9
	row	v20, v21, v22, v23, 4, v10, v11
	row	v24, v25, v26, v27, 5, v10, v11
	row	v28, v29, v30, v31, 6, v10, v11
	row	v12, v13, v14, v15, 7, v10, v11
	add	x2, x2, #128

.LcodeColumn4x16Q4NEON_finish:
	ldp	q8, q9, [x14], #64
	ldp	q10, q11, [x15], #64
	mov	x10, x5
	finish	v20, v21, v22, v23
	finish	v24, v25, v26, v27
	finish	v28, v29, v30, v31
	finish	v12, v13, v14, v15
	subs	x3, x3, #1
	b.ne	.LcodeColumn4x16Q4NEON_group
	add	x11, x11, #32
	cmp	x11, #64
	b.ne	.LcodeColumn4x16Q4NEON_half
	add	x19, x19, x21
	sub	x6, x10, #32
	subs	x20, x20, #1
	b.ne	.LcodeColumn4x16Q4NEON_tile
	ret
