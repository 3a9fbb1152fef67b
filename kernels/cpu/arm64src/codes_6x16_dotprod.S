	.arch	armv8.2-a+dotprod

// begin starts a row of the tile.
	.macro	begin t0, t1, t2, t3
	mov	\t0\().16b, v0.16b
	mov	\t1\().16b, v1.16b
	mov	\t2\().16b, v2.16b
	mov	\t3\().16b, v3.16b
	.endm

// rows adds the dot products of the words of a, two each in a0, a1, a2, and those
// of vector b of the row to that vector of rows 0 to 5 of the tile.
	.macro	rows b, a0, a1, a2, t0, t1, t2, t3, t4, t5
	sdot	\t0\().4s, \b\().16b, v\a0\().4b[0]
	sdot	\t1\().4s, \b\().16b, v\a0\().4b[1]
	sdot	\t2\().4s, \b\().16b, v\a1\().4b[0]
	sdot	\t3\().4s, \b\().16b, v\a1\().4b[1]
	sdot	\t4\().4s, \b\().16b, v\a2\().4b[0]
	sdot	\t5\().4s, \b\().16b, v\a2\().4b[1]
	.endm

// There are two loops, as in gemm_f32_6x16_neon.S: narrow is 1 in that for cores that
// load 64 bits at a time. To them 16 bytes come by lower, upper and join, in this
// order.
	.macro	lower v, x, at
	.if	narrow
	ldr	d\v, [\x, #\at]
	.else
	ldr	q\v, [\x, #\at]
	.endif
	.endm

	.macro	upper x, at
	.if	narrow
	ldur	x15, [\x, #\at]
	.endif
	.endm

	.macro	join v
	.if	narrow
	mov	v\v\().d[1], x15
	.endif
	.endm

// step adds the column in a0, a1, a2 times the row in v4–v7, and loads the next
// ones, as that of float32 does: the column at xa+at into n, a0, a1, the row at
// xb+to, and what is left of the present one at x2+at2.
	.macro	step a0, a1, a2, n, xa, at, xb, to, at2
	sdot	v8.4s, v4.16b, v\a0\().4b[0]
	upper	x2, \at2
	sdot	v12.4s, v4.16b, v\a0\().4b[1]
	ldr	d\n, [\xa, #\at]
	sdot	v16.4s, v4.16b, v\a1\().4b[0]
	sdot	v20.4s, v4.16b, v\a1\().4b[1]
	sdot	v24.4s, v4.16b, v\a2\().4b[0]
	sdot	v28.4s, v4.16b, v\a2\().4b[1]
	lower	4, \xb, \to
	join	7
	sdot	v9.4s, v5.16b, v\a0\().4b[0]
	upper	\xb, \to + 8
	sdot	v13.4s, v5.16b, v\a0\().4b[1]
	sdot	v17.4s, v5.16b, v\a1\().4b[0]
	sdot	v21.4s, v5.16b, v\a1\().4b[1]
	sdot	v25.4s, v5.16b, v\a2\().4b[0]
	sdot	v29.4s, v5.16b, v\a2\().4b[1]
	lower	5, \xb, \to + 16
	join	4
	sdot	v10.4s, v6.16b, v\a0\().4b[0]
	upper	\xb, \to + 24
	sdot	v14.4s, v6.16b, v\a0\().4b[1]
	sdot	v18.4s, v6.16b, v\a1\().4b[0]
	sdot	v22.4s, v6.16b, v\a1\().4b[1]
	sdot	v26.4s, v6.16b, v\a2\().4b[0]
	sdot	v30.4s, v6.16b, v\a2\().4b[1]
	lower	6, \xb, \to + 32
	join	5
	sdot	v11.4s, v7.16b, v\a0\().4b[0]
	upper	\xb, \to + 40
	sdot	v15.4s, v7.16b, v\a0\().4b[1]
	ldr	d\a0, [\xa, #\at + 8]
	sdot	v19.4s, v7.16b, v\a1\().4b[0]
	sdot	v23.4s, v7.16b, v\a1\().4b[1]
	ldr	d\a1, [\xa, #\at + 16]
	sdot	v27.4s, v7.16b, v\a2\().4b[0]
	sdot	v31.4s, v7.16b, v\a2\().4b[1]
	lower	7, \xb, \to + 48
	join	6
	.endm

// row loads a row of b, column a column of a.
	.macro	row
	ldr	q4, [x2]
	ldr	q5, [x2, #16]
	ldr	q6, [x2, #32]
	ldr	q7, [x2, #48]
	.endm

	.macro	column
	ldr	d0, [x1]
	ldr	d1, [x1, #8]
	ldr	d2, [x1, #16]
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

// body is the function, whose registers are told below.
	.macro	body name
	lsl	x7, x7, #2
.L\name\()_tile:
	mov	x1, x19
	mov	x2, x9
	mov	x3, x22
	mov	x4, x23
	mov	x5, x24
.L\name\()_group:
	ld1	{v0.4s - v3.4s}, [x5], #64
	subs	x0, x8, #4
	b.lt	.L\name\()_begin
	row
.L\name\()_begin:
	begin	v8, v9, v10, v11
	begin	v12, v13, v14, v15
	begin	v16, v17, v18, v19
	begin	v20, v21, v22, v23
	begin	v24, v25, v26, v27
	begin	v28, v29, v30, v31
	b.lt	.L\name\()_rest
	column
.L\name\()_four:
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	step	0, 1, 2, 3, x1, 24, x2, 64, 56
	step	3, 0, 1, 2, x1, 48, x2, 128, 120
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	step	2, 3, 0, 1, x1, 72, x2, 192, 184
	add	x1, x1, #96
	add	x2, x2, #256
	subs	x0, x0, #4
	csel	x11, x1, x9, ge
	csel	x14, x2, x9, ge
	step	1, 2, 3, 0, x11, 0, x14, 0, -8
	b.ge	.L\name\()_four
.L\name\()_rest:
	adds	x0, x0, #4
	b.eq	.L\name\()_finish
.L\name\()_one:
	row
	column
	add	x1, x1, #24
	add	x2, x2, #64
	rows	v4, 0, 1, 2, v8, v12, v16, v20, v24, v28
	rows	v5, 0, 1, 2, v9, v13, v17, v21, v25, v29
	rows	v6, 0, 1, 2, v10, v14, v18, v22, v26, v30
	rows	v7, 0, 1, 2, v11, v15, v19, v23, v27, v31
	subs	x0, x0, #1
	b.ne	.L\name\()_one
.L\name\()_finish:
	ld1	{v4.4s - v7.4s}, [x4], #64
	mov	x10, x6
	finish	v8, v9, v10, v11
	finish	v12, v13, v14, v15
	finish	v16, v17, v18, v19
	finish	v20, v21, v22, v23
	finish	v24, v25, v26, v27
	finish	v28, v29, v30, v31
	subs	x3, x3, #1
	b.ne	.L\name\()_group
	add	x19, x19, x21
	mov	x6, x10
	subs	x20, x20, #1
	b.ne	.L\name\()_tile
	ret
	.endm

//go: func codeColumn6x16DotProd(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x20 stride=x21 groups=x22 words=x8 a=x19 b=x9 scales=x23 start=x24 c=x6 ldc=x7 next=x12 step=x13
//
// A codeColumn with MR 6 and NR 16. Word v of row i of a tile of x is at
// (v·6 + i)·4 of its part of a.
//
//	x20 tiles left   x19 a of the tile   x21 stride   x9 b   x23 scales   x24 start
//	x22 groups       x3 groups left      x8 words of a group
//	x0 words left        x12 next   x13 step
//	x1 a, one column of 6 words   x2 b, one row of 16 words
//	x15 upper half of a vector of b, where narrow
//	x11, x14 what follows of them in the group; b where nothing does
//	x4 scales   x5 start   x6 c   x7 ldc·4   x10 a row of c
//	v8–v31 the tile: row i in v(8+4i) … v(11+4i)
//	v4–v7 the row of b, the scales   v0–v3, in turn: two words each of the column
//	of a, and the next one's first; a row of start or of c
codeColumn6x16DotProd:
	.set	narrow, 0
	body	codeColumn6x16DotProd

//go: func codeColumn6x16NarrowDotProd(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x20 stride=x21 groups=x22 words=x8 a=x19 b=x9 scales=x23 start=x24 c=x6 ldc=x7 next=x12 step=x13
//
// codeColumn6x16DotProd, loading 64 bits at a time.
codeColumn6x16NarrowDotProd:
	.set	narrow, 1
	body	codeColumn6x16NarrowDotProd
