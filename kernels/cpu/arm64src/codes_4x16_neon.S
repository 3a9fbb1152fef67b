	.arch	armv8-a

// row adds the products of a row of a, two words repeated in a0 and a1, and
// eight columns of b to a row of the tile. No code of x is −128, so that a sum of
// two products fits 16 bits: 2 · 127 · 128 < 2¹⁵.
	.macro	row t0, t1, t2, t3, a0, a1
	smull	v16.8h, v8.8b, v\a0\().8b
	smull2	v17.8h, v8.16b, v\a0\().16b
	smull	v18.8h, v9.8b, v\a0\().8b
	smull2	v19.8h, v9.16b, v\a0\().16b
	smlal	v16.8h, v10.8b, v\a1\().8b
	smlal2	v17.8h, v10.16b, v\a1\().16b
	smlal	v18.8h, v11.8b, v\a1\().8b
	smlal2	v19.8h, v11.16b, v\a1\().16b
	sadalp	\t0\().4s, v16.8h
	sadalp	\t1\().4s, v17.8h
	sadalp	\t2\().4s, v18.8h
	sadalp	\t3\().4s, v19.8h
	.endm

// rowThen is row, and loads the next two words of the row of a, as soon as the
// present ones have been used.
	.macro	rowThen t0, t1, t2, t3, a0, a1, past
	smull	v16.8h, v8.8b, v\a0\().8b
	smull2	v17.8h, v8.16b, v\a0\().16b
	smull	v18.8h, v9.8b, v\a0\().8b
	smull2	v19.8h, v9.16b, v\a0\().16b
	ld1r	{v\a0\().4s}, [x1], \past
	smlal	v16.8h, v10.8b, v\a1\().8b
	smlal2	v17.8h, v10.16b, v\a1\().16b
	smlal	v18.8h, v11.8b, v\a1\().8b
	smlal2	v19.8h, v11.16b, v\a1\().16b
	ld1r	{v\a1\().4s}, [x4], \past
	sadalp	\t0\().4s, v16.8h
	sadalp	\t1\().4s, v17.8h
	sadalp	\t2\().4s, v18.8h
	sadalp	\t3\().4s, v19.8h
	.endm

// lastThen is rowThen for the last row, and loads the next two words of b, from
// x2 on.
	.macro	lastThen t0, t1, t2, t3, a0, a1
	smull	v16.8h, v8.8b, v\a0\().8b
	smull2	v17.8h, v8.16b, v\a0\().16b
	ldr	q8, [x2]
	smull	v18.8h, v9.8b, v\a0\().8b
	smull2	v19.8h, v9.16b, v\a0\().16b
	ldr	q9, [x2, #16]
	smlal	v16.8h, v10.8b, v\a1\().8b
	smlal2	v17.8h, v10.16b, v\a1\().16b
	ldr	q10, [x2, #64]
	smlal	v18.8h, v11.8b, v\a1\().8b
	smlal2	v19.8h, v11.16b, v\a1\().16b
	ldr	q11, [x2, #80]
	sadalp	\t0\().4s, v16.8h
	sadalp	\t1\().4s, v17.8h
	ld1r	{v\a0\().4s}, [x1], x25
	sadalp	\t2\().4s, v18.8h
	sadalp	\t3\().4s, v19.8h
	ld1r	{v\a1\().4s}, [x4], x25
	.endm

// finish joins the halves of a row's sums, adds start, and adds them, scaled, to
// a row of c.
	.macro	finish t0, t1, t2, t3
	ldp	q16, q17, [x10]
	addp	\t0\().4s, \t0\().4s, \t1\().4s
	addp	\t2\().4s, \t2\().4s, \t3\().4s
	add	\t0\().4s, \t0\().4s, v8.4s
	add	\t2\().4s, \t2\().4s, v9.4s
	scvtf	\t0\().4s, \t0\().4s
	scvtf	\t2\().4s, \t2\().4s
	fmla	v16.4s, v10.4s, \t0\().4s
	fmla	v17.4s, v11.4s, \t2\().4s
	stp	q16, q17, [x10]
	add	x10, x10, x7
	.endm

//go: func codeColumn4x16NEON(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x20 stride=x21 groups=x22 words=x8 a=x19 b=x9 scales=x23 start=x24 c=x6 ldc=x7 next=x12 step=x13
//
// A codeColumn with MR 4, NR 16 and step 2. No code of x may be −128.
// Word v of row i of a tile of x is at (v·4 + i)·4 of its part of a. Columns 0 to 7
// are done first, then 8 to 15.
//
//	x20 tiles left   x19 a of the tile   x21 stride   x9 b   x23 scales   x24 start
//	x22 groups       x8 words of a group x6 c   x7 ldc·4   x12 next   x13 step
//	in a half: x11 0 or 32, where it begins in a row of b, of start, of scales and
//	of c   x3 groups left   x0 words left   x1 a, x4 its next word   x2 b   x14 start
//	x15 scales   x5 half of c   x10 a row of it   x25 20, to the word after the next
//	v20–v31 and v12–v15 the tile: a row in four, two sums for each column
//	v8, v9 a word of b, v10, v11 the next one   v0–v3 a word of each row of a,
//	v4–v7 the next one   v16–v19 sums of products
codeColumn4x16NEON:
	lsl	x7, x7, #2
	mov	x25, #20

.LcodeColumn4x16NEON_tile:
	mov	x11, #0

.LcodeColumn4x16NEON_half:
	mov	x1, x19
	add	x4, x19, #16
	add	x2, x9, x11
	mov	x3, x22
	add	x14, x24, x11
	add	x15, x23, x11
	add	x5, x6, x11

.LcodeColumn4x16NEON_group:
	.irp	r, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\r\().16b, #0
	.endr
	cbz	x8, .LcodeColumn4x16NEON_finish
	ldp	q8, q9, [x2]
	ld4r	{v0.4s - v3.4s}, [x1]
	add	x1, x1, #32
	ldp	q10, q11, [x2, #64]
	ld4r	{v4.4s - v7.4s}, [x4]
	add	x4, x4, #32
	subs	x0, x8, #2
	b.eq	.LcodeColumn4x16NEON_last

.LcodeColumn4x16NEON_loop:
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	rowThen	v20, v21, v22, v23, 0, 4, #4
	rowThen	v24, v25, v26, v27, 1, 5, #4
	rowThen	v28, v29, v30, v31, 2, 6, #4
	add	x2, x2, #128
	subs	x0, x0, #2
	lastThen	v12, v13, v14, v15, 3, 7
	b.ne	.LcodeColumn4x16NEON_loop

.LcodeColumn4x16NEON_last:
	row	v20, v21, v22, v23, 0, 4
	row	v24, v25, v26, v27, 1, 5
	row	v28, v29, v30, v31, 2, 6
	row	v12, v13, v14, v15, 3, 7
	add	x2, x2, #128

.LcodeColumn4x16NEON_finish:
	ldp	q8, q9, [x14], #64
	ldp	q10, q11, [x15], #64
	mov	x10, x5
	finish	v20, v21, v22, v23
	finish	v24, v25, v26, v27
	finish	v28, v29, v30, v31
	finish	v12, v13, v14, v15
	subs	x3, x3, #1
	b.ne	.LcodeColumn4x16NEON_group
	add	x11, x11, #32
	cmp	x11, #64
	b.ne	.LcodeColumn4x16NEON_half
	add	x19, x19, x21
	sub	x6, x10, #32
	subs	x20, x20, #1
	b.ne	.LcodeColumn4x16NEON_tile
	ret
