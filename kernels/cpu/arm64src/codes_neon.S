// The loops around a product of codes. n is a multiple of 8; pointers need no
// alignment. In each function x3 counts what is left.

	.arch	armv8-a

//go: func largestLoop(x *float32, n int) float32
//go: x=x1 n=x3 ret=s0
//
//	the greatest |x[i]|, by the order of bits: NaN is above +Inf
largestLoop:
	movi	v0.16b, #0
	movi	v1.16b, #0
	cbz	x3, .LlargestLoop_join

.LlargestLoop_loop:
	ldp	q2, q3, [x1], #32
	bic	v2.4s, #0x80, lsl #24
	bic	v3.4s, #0x80, lsl #24
	umax	v0.4s, v0.4s, v2.4s
	umax	v1.4s, v1.4s, v3.4s
	sub	x3, x3, #8
	cbnz	x3, .LlargestLoop_loop

.LlargestLoop_join:
	umax	v0.4s, v0.4s, v1.4s
	umaxv	s0, v0.4s
	ret

//go: func halvesLoop(dst, a, b *float32, n int, factor float32)
//go: dst=x0 a=x1 b=x2 n=x3 factor=s5
//
//	dst[i] = a[i] · ½ + b[i] · factor, each product and sum rounded
halvesLoop:
	movi	v4.4s, #0x3f, lsl #24	// 0x3f000000: ½
	cbz	x3, .LhalvesLoop_done

.LhalvesLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x2], #32
	fmul	v0.4s, v0.4s, v4.4s
	fmul	v1.4s, v1.4s, v4.4s
	fmul	v2.4s, v2.4s, v5.s[0]
	fmul	v3.4s, v3.4s, v5.s[0]
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LhalvesLoop_loop

.LhalvesLoop_done:
	ret

//go: func roundCodesLoop(dst *int8, x *float32, n int, factor float32)
//go: dst=x0 x=x1 n=x3 factor=s4
//
//	dst[i] = x[i] · factor, rounded to the nearest integer, ties to even
roundCodesLoop:
	cbz	x3, .LroundCodesLoop_done

.LroundCodesLoop_loop:
	ldp	q0, q1, [x1], #32
	fmul	v0.4s, v0.4s, v4.s[0]
	fmul	v1.4s, v1.4s, v4.s[0]
	fcvtns	v0.4s, v0.4s
	fcvtns	v1.4s, v1.4s
	xtn	v0.4h, v0.4s
	xtn2	v0.8h, v1.4s
	xtn	v0.8b, v0.8h
	str	d0, [x0], #8
	sub	x3, x3, #8
	cbnz	x3, .LroundCodesLoop_loop

.LroundCodesLoop_done:
	ret

//go: func scaleCodesLoop(y, c, bias *float32, n int, factor float32)
//go: y=x0 c=x1 bias=x2 n=x3 factor=s4
//
//	y[i] = c[i] · factor + bias[i], the product and the sum rounded
scaleCodesLoop:
	cbz	x3, .LscaleCodesLoop_done

.LscaleCodesLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x2], #32
	fmul	v0.4s, v0.4s, v4.s[0]
	fmul	v1.4s, v1.4s, v4.s[0]
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LscaleCodesLoop_loop

.LscaleCodesLoop_done:
	ret

//go: func splitCodesLoop(y0, y1, mean, half, bias *float32, n int, meanScale, halfScale float32)
//go: y0=x0 y1=x4 mean=x1 half=x5 bias=x2 n=x3 meanScale=s6 halfScale=s7
//
//	y0[i], y1[i] = m ± d, m = mean[i] · meanScale + bias[i],
//	d = half[i] · halfScale, each product and sum rounded
splitCodesLoop:
	cbz	x3, .LsplitCodesLoop_done

.LsplitCodesLoop_loop:
	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x5], #32
	ldp	q4, q5, [x2], #32
	fmul	v0.4s, v0.4s, v6.s[0]
	fmul	v1.4s, v1.4s, v6.s[0]
	fmul	v2.4s, v2.4s, v7.s[0]
	fmul	v3.4s, v3.4s, v7.s[0]
	fadd	v0.4s, v0.4s, v4.4s
	fadd	v1.4s, v1.4s, v5.4s
	fadd	v4.4s, v0.4s, v2.4s
	fadd	v5.4s, v1.4s, v3.4s
	fsub	v0.4s, v0.4s, v2.4s
	fsub	v1.4s, v1.4s, v3.4s
	stp	q4, q5, [x0], #32
	stp	q0, q1, [x4], #32
	sub	x3, x3, #8
	cbnz	x3, .LsplitCodesLoop_loop

.LsplitCodesLoop_done:
	ret

// part turns 16 bytes of codes into the levels of their low and high halves.
	.macro	part codes, low, high
	and	\low\().16b, \codes\().16b, v17.16b
	ushr	\high\().16b, \codes\().16b, #4
	tbl	\low\().16b, {v16.16b}, \low\().16b
	tbl	\high\().16b, {v16.16b}, \high\().16b
	.endm

//go: func unpackCodesLoop(dst, src *byte, n int, levels *[16]int8)
//go: dst=x0 src=x1 n=x3 levels=x4
//
//	for v := range n {
//		for i := range 64 {
//			dst[128*v+i] = levels[src[64*v+i]&15]
//			dst[128*v+64+i] = levels[src[64*v+i]>>4]
//		}
//	}
unpackCodesLoop:
	ldr	q16, [x4]
	movi	v17.16b, #15
	cbz	x3, .LunpackCodesLoop_done

.LunpackCodesLoop_loop:
	ld1	{v0.16b - v3.16b}, [x1], #64
	part	v0, v4, v20
	part	v1, v5, v21
	part	v2, v6, v22
	part	v3, v7, v23
	st1	{v4.16b - v7.16b}, [x0], #64
	st1	{v20.16b - v23.16b}, [x0], #64
	sub	x3, x3, #1
	cbnz	x3, .LunpackCodesLoop_loop

.LunpackCodesLoop_done:
	ret
