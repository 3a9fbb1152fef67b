	.arch	armv8-a

// rows adds the column of a, two elements each in a0, a1, a2, times vector b of the
// row to that vector of rows 0 to 5 of the tile.
	.macro	rows b, a0, a1, a2, t0, t1, t2, t3, t4, t5
	fmla	\t0\().4s, \b\().4s, v\a0\().s[0]
	fmla	\t1\().4s, \b\().4s, v\a0\().s[1]
	fmla	\t2\().4s, \b\().4s, v\a1\().s[0]
	fmla	\t3\().4s, \b\().4s, v\a1\().s[1]
	fmla	\t4\().4s, \b\().4s, v\a2\().s[0]
	fmla	\t5\().4s, \b\().4s, v\a2\().s[1]
	.endm

// Cores that load 64 bits at a time stand still for two cycles when they are to
// load 128, but load 64 beside a multiplication, and put them into half a register
// beside another. Others have no such place for the latter. So there are two
// loops, of which narrow is 1 in the one for the former: 16 bytes come by lower,
// upper and join, in this order, with instructions between them, or all by lower.
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
// ones: the column at xa+at into n, a0, a1, the row at xb+to; and the last 8 bytes
// of the present one, at x2+at2, which the step before has left. What is loaded was
// used just before, and is wanted no sooner than six multiplications later:
// processors that run instructions in order wait for none of it.
	.macro	step a0, a1, a2, n, xa, at, xb, to, at2
	fmla	v8.4s, v4.4s, v\a0\().s[0]
	upper	x2, \at2
	fmla	v12.4s, v4.4s, v\a0\().s[1]
	ldr	d\n, [\xa, #\at]
	fmla	v16.4s, v4.4s, v\a1\().s[0]
	fmla	v20.4s, v4.4s, v\a1\().s[1]
	fmla	v24.4s, v4.4s, v\a2\().s[0]
	fmla	v28.4s, v4.4s, v\a2\().s[1]
	lower	4, \xb, \to
	join	7
	fmla	v9.4s, v5.4s, v\a0\().s[0]
	upper	\xb, \to + 8
	fmla	v13.4s, v5.4s, v\a0\().s[1]
	fmla	v17.4s, v5.4s, v\a1\().s[0]
	fmla	v21.4s, v5.4s, v\a1\().s[1]
	fmla	v25.4s, v5.4s, v\a2\().s[0]
	fmla	v29.4s, v5.4s, v\a2\().s[1]
	lower	5, \xb, \to + 16
	join	4
	fmla	v10.4s, v6.4s, v\a0\().s[0]
	upper	\xb, \to + 24
	fmla	v14.4s, v6.4s, v\a0\().s[1]
	fmla	v18.4s, v6.4s, v\a1\().s[0]
	fmla	v22.4s, v6.4s, v\a1\().s[1]
	fmla	v26.4s, v6.4s, v\a2\().s[0]
	fmla	v30.4s, v6.4s, v\a2\().s[1]
	lower	6, \xb, \to + 32
	join	5
	fmla	v11.4s, v7.4s, v\a0\().s[0]
	upper	\xb, \to + 40
	fmla	v15.4s, v7.4s, v\a0\().s[1]
	ldr	d\a0, [\xa, #\at + 8]
	fmla	v19.4s, v7.4s, v\a1\().s[0]
	fmla	v23.4s, v7.4s, v\a1\().s[1]
	ldr	d\a1, [\xa, #\at + 16]
	fmla	v27.4s, v7.4s, v\a2\().s[0]
	fmla	v31.4s, v7.4s, v\a2\().s[1]
	lower	7, \xb, \to + 48
	join	6
	.endm

// first loads a column of a and a row of b.
	.macro	first
	ldr	q4, [x2]
	ldr	d0, [x1]
	ldr	d1, [x1, #8]
	ldr	d2, [x1, #16]
	ldr	q5, [x2, #16]
	ldr	q6, [x2, #32]
	ldr	q7, [x2, #48]
	.endm

// store adds a row of d to a row of the tile and writes it to c.
	.macro	store d0, d1, d2, d3, c0, c1, c2, c3
	fadd	\c0\().4s, \d0\().4s, \c0\().4s
	fadd	\c1\().4s, \d1\().4s, \c1\().4s
	fadd	\c2\().4s, \d2\().4s, \c2\().4s
	fadd	\c3\().4s, \d3\().4s, \c3\().4s
	st1	{\c0\().4s - \c3\().4s}, [x6], x7
	.endm

// clear empties a row of the tile.
	.macro	clear c0, c1, c2, c3
	movi	\c0\().16b, #0
	movi	\c1\().16b, #0
	movi	\c2\().16b, #0
	movi	\c3\().16b, #0
	.endm

// prefetchRow begins to bring in a row of c.
	.macro	prefetchRow
	prfm	pstl1keep, [x14]
	add	x14, x14, x7
	.endm

// body is the function, whose registers are told below.
	.macro	body name
	lsl	x5, x5, #2
	lsl	x7, x7, #2
.L\name\()_tile:
	mov	x2, x9
	mov	x14, x6
	clear	v8, v9, v10, v11
	clear	v12, v13, v14, v15
	clear	v16, v17, v18, v19
	clear	v20, v21, v22, v23
	clear	v24, v25, v26, v27
	clear	v28, v29, v30, v31
	prefetchRow	// wanted in the end, all at once
	prefetchRow
	prefetchRow
	prefetchRow
	prefetchRow
	prefetchRow
	subs	x8, x3, #4
	b.lt	.L\name\()_rest
	first
.L\name\()_four:
	prfm	pldl2keep, [x12]
	add	x12, x12, x13
	step	0, 1, 2, 3, x1, 24, x2, 64, 56
	step	3, 0, 1, 2, x1, 48, x2, 128, 120
	step	2, 3, 0, 1, x1, 72, x2, 192, 184
	add	x1, x1, #96
	add	x2, x2, #256
	subs	x8, x8, #4
	csel	x10, x1, x9, ge
	csel	x11, x2, x9, ge
	step	1, 2, 3, 0, x10, 0, x11, 0, -8
	b.ge	.L\name\()_four
.L\name\()_rest:
	adds	x8, x8, #4
	b.eq	.L\name\()_store
.L\name\()_one:
	first
	add	x1, x1, #24
	add	x2, x2, #64
	rows	v4, 0, 1, 2, v8, v12, v16, v20, v24, v28
	rows	v5, 0, 1, 2, v9, v13, v17, v21, v25, v29
	rows	v6, 0, 1, 2, v10, v14, v18, v22, v26, v30
	rows	v7, 0, 1, 2, v11, v15, v19, v23, v27, v31
	subs	x8, x8, #1
	b.ne	.L\name\()_one
.L\name\()_store:
	ld1	{v0.4s - v3.4s}, [x4], x5
	ld1	{v4.4s - v7.4s}, [x4], x5
	store	v0, v1, v2, v3, v8, v9, v10, v11
	ld1	{v0.4s - v3.4s}, [x4], x5
	store	v4, v5, v6, v7, v12, v13, v14, v15
	ld1	{v4.4s - v7.4s}, [x4], x5
	store	v0, v1, v2, v3, v16, v17, v18, v19
	ld1	{v0.4s - v3.4s}, [x4], x5
	store	v4, v5, v6, v7, v20, v21, v22, v23
	ld1	{v4.4s - v7.4s}, [x4], x5
	store	v0, v1, v2, v3, v24, v25, v26, v27
	store	v4, v5, v6, v7, v28, v29, v30, v31
	subs	x0, x0, #1
	b.ne	.L\name\()_tile
	ret
	.endm

//go: func column6x16NEON(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x0 kc=x3 a=x1 b=x9 d=x4 ldd=x5 c=x6 ldc=x7 next=x12 step=x13
//
//	for t := range tiles {
//		for i := 6 * t; i < 6*(t+1); i++ {
//			for j := range 16 {
//				c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[(t*kc+k)*6+i%6] * b[k*16+j]
//			}
//		}
//	}
//
//	x0 tiles left        x3 kc   x8 k left        x9 b
//	x1 a, one column of 6    x2 one row of 16 of b
//	x4 d   x5 ldd·4      x6 c   x7 ldc·4          x14 rows of c, to prefetch
//	x12 next   x13 step  x15 upper half of a vector of b, where narrow
//	x10, x11 what follows of a and b; b where nothing does
//	v8–v31 the tile: row i in v(8+4i) … v(11+4i)
//	v4–v7 the row of b   v0–v3, in turn: two elements each of the column of a, and
//	the next one's first; in the end rows of d in v0–v7
column6x16NEON:
	.set	narrow, 0
	body	column6x16NEON

//go: func column6x16Narrow(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)
//go: tiles=x0 kc=x3 a=x1 b=x9 d=x4 ldd=x5 c=x6 ldc=x7 next=x12 step=x13
//
// column6x16NEON, loading 64 bits at a time.
column6x16Narrow:
	.set	narrow, 1
	body	column6x16Narrow
