// Loops over eight float32, two vectors of four. n is a multiple of 8; pointers
// need no alignment. In each function: x3 elements left, x1, x2 and x4 the
// sources, x0 what is written.

	.arch	armv8-a

//go: func sumLoop(x *float32, n int) float64
//go: x=x1 n=x3 ret=d0
//
//	Σ x[i] in float64: lane by lane in v0–v3, then over the lanes
sumLoop:
	movi	v0.16b, #0
	movi	v1.16b, #0
	movi	v2.16b, #0
	movi	v3.16b, #0
	cbz	x3, .LsumLoop_join

.LsumLoop_loop:
	ldp	q4, q5, [x1], #32
	fcvtl	v6.2d, v4.2s
	fcvtl2	v7.2d, v4.4s
	fcvtl	v16.2d, v5.2s
	fcvtl2	v17.2d, v5.4s
	fadd	v0.2d, v0.2d, v6.2d
	fadd	v1.2d, v1.2d, v7.2d
	fadd	v2.2d, v2.2d, v16.2d
	fadd	v3.2d, v3.2d, v17.2d
	sub	x3, x3, #8
	cbnz	x3, .LsumLoop_loop

.LsumLoop_join:
	fadd	v0.2d, v0.2d, v2.2d
	fadd	v1.2d, v1.2d, v3.2d
	fadd	v0.2d, v0.2d, v1.2d
	faddp	d0, v0.2d
	ret

//go: func centredSquaresLoop(x *float32, n int, high, low float32) float32
//go: x=x1 n=x3 high=s6 low=s7 ret=s0
//
//	Σ ((x[i] − high) − low)², lane by lane in v0–v3, then over the lanes
centredSquaresLoop:
	movi	v0.16b, #0
	movi	v1.16b, #0
	movi	v2.16b, #0
	movi	v3.16b, #0
	dup	v6.4s, v6.s[0]
	dup	v7.4s, v7.s[0]
	subs	x3, x3, #16
	b.lt	.LcentredSquaresLoop_rest

.LcentredSquaresLoop_loop:
	ld1	{v16.4s - v19.4s}, [x1], #64
	.irp	r, 16, 17, 18, 19
	fsub	v\r\().4s, v\r\().4s, v6.4s
	.endr
	.irp	r, 16, 17, 18, 19
	fsub	v\r\().4s, v\r\().4s, v7.4s
	.endr
	fmla	v0.4s, v16.4s, v16.4s
	fmla	v1.4s, v17.4s, v17.4s
	fmla	v2.4s, v18.4s, v18.4s
	fmla	v3.4s, v19.4s, v19.4s
	subs	x3, x3, #16
	b.ge	.LcentredSquaresLoop_loop

.LcentredSquaresLoop_rest:
	adds	x3, x3, #16
	b.eq	.LcentredSquaresLoop_join
	ldp	q16, q17, [x1]
	fsub	v16.4s, v16.4s, v6.4s
	fsub	v17.4s, v17.4s, v6.4s
	fsub	v16.4s, v16.4s, v7.4s
	fsub	v17.4s, v17.4s, v7.4s
	fmla	v0.4s, v16.4s, v16.4s
	fmla	v1.4s, v17.4s, v17.4s

.LcentredSquaresLoop_join:
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	fadd	v0.4s, v0.4s, v1.4s
	faddp	v0.4s, v0.4s, v0.4s
	faddp	s0, v0.2s
	ret

//go: func standardiseLoop(dst, x, scale, bias *float32, n int, high, low, factor float32)
//go: dst=x0 x=x1 scale=x2 bias=x4 n=x3 high=s6 low=s7 factor=s16
//
//	dst[i] = ((x[i] − high) − low) * factor * scale[i] + bias[i]
standardiseLoop:
	dup	v6.4s, v6.s[0]
	dup	v7.4s, v7.s[0]
	cbz	x3, .LstandardiseLoop_done

.LstandardiseLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x2], #32
	ldp	q4, q5, [x4], #32
	fsub	v0.4s, v0.4s, v6.4s
	fsub	v1.4s, v1.4s, v6.4s
	fsub	v0.4s, v0.4s, v7.4s
	fsub	v1.4s, v1.4s, v7.4s
	fmul	v0.4s, v0.4s, v16.s[0]
	fmul	v1.4s, v1.4s, v16.s[0]
	fmul	v0.4s, v0.4s, v2.4s
	fmul	v1.4s, v1.4s, v3.4s
	fadd	v0.4s, v0.4s, v4.4s
	fadd	v1.4s, v1.4s, v5.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LstandardiseLoop_loop

.LstandardiseLoop_done:
	ret
