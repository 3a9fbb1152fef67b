// Loops over eight float32, two vectors of four. n is a multiple of 8; pointers
// need no alignment. In each function: x3 elements left, x1 and x2 the sources,
// x0 what is written.

	.arch	armv8-a

//go: func addLoop(dst, a, b *float32, n int)
//go: dst=x0 a=x1 b=x2 n=x3
//
//	dst[i] = a[i] + b[i]
addLoop:
	cbz	x3, .LaddLoop_done

.LaddLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x2], #32
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LaddLoop_loop

.LaddLoop_done:
	ret

//go: func addScaledLoop(dst, x, y *float32, n int, factor float32)
//go: dst=x0 x=x1 y=x2 n=x3 factor=s4
//
//	dst[i] = x[i] + factor * y[i], both rounded
addScaledLoop:
	cbz	x3, .LaddScaledLoop_done

.LaddScaledLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x2], #32
	fmul	v2.4s, v2.4s, v4.s[0]
	fmul	v3.4s, v3.4s, v4.s[0]
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LaddScaledLoop_loop

.LaddScaledLoop_done:
	ret

//go: func scaleByLoop(dst, x, scale *float32, n int, factor float32)
//go: dst=x0 x=x1 scale=x2 n=x3 factor=s4
//
//	dst[i] = x[i] * factor * scale[i]
scaleByLoop:
	cbz	x3, .LscaleByLoop_done

.LscaleByLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x2], #32
	fmul	v0.4s, v0.4s, v4.s[0]
	fmul	v1.4s, v1.4s, v4.s[0]
	fmul	v0.4s, v0.4s, v2.4s
	fmul	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LscaleByLoop_loop

.LscaleByLoop_done:
	ret

//go: func sumSquaresLoop(x *float32, n int) float32
//go: x=x1 n=x3 ret=s0
//
//	Σ x[i]², lane by lane in v0–v3, then over the lanes
sumSquaresLoop:
	movi	v0.16b, #0
	movi	v1.16b, #0
	movi	v2.16b, #0
	movi	v3.16b, #0
	subs	x3, x3, #16
	b.lt	.LsumSquaresLoop_rest

.LsumSquaresLoop_loop:
	ld1	{v4.4s - v7.4s}, [x1], #64
	fmla	v0.4s, v4.4s, v4.4s
	fmla	v1.4s, v5.4s, v5.4s
	fmla	v2.4s, v6.4s, v6.4s
	fmla	v3.4s, v7.4s, v7.4s
	subs	x3, x3, #16
	b.ge	.LsumSquaresLoop_loop

.LsumSquaresLoop_rest:
	adds	x3, x3, #16
	b.eq	.LsumSquaresLoop_join
	ldp	q4, q5, [x1]
	fmla	v0.4s, v4.4s, v4.4s
	fmla	v1.4s, v5.4s, v5.4s

.LsumSquaresLoop_join:
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	fadd	v0.4s, v0.4s, v1.4s
	faddp	v0.4s, v0.4s, v0.4s
	faddp	s0, v0.2s
	ret

//go: func maximumLoop(x *float32, n int) float32
//go: x=x1 n=x3 ret=s0
//
//	the largest x[i] that is not NaN, or −Inf: no NaN compares as greater
maximumLoop:
	mvni	v0.4s, #0x7f, msl #16	// 0xff800000: −Inf
	mvni	v1.4s, #0x7f, msl #16
	cbz	x3, .LmaximumLoop_join

.LmaximumLoop_loop:
	ldp	q2, q3, [x1], #32
	fcmgt	v4.4s, v2.4s, v0.4s
	fcmgt	v5.4s, v3.4s, v1.4s
	bit	v0.16b, v2.16b, v4.16b
	bit	v1.16b, v3.16b, v5.16b
	sub	x3, x3, #8
	cbnz	x3, .LmaximumLoop_loop

.LmaximumLoop_join:
	fmax	v0.4s, v0.4s, v1.4s
	fmaxv	s0, v0.4s
	ret
