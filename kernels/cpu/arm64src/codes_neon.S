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

// pair makes eight elements of a mean, v0 and v1, and of half a difference, v2 and
// v3, with v16 ½.
	.macro	pair
	ldp	q4, q5, [x1], #32
	ldp	q6, q7, [x2], #32
	fmul	v4.4s, v4.4s, v16.4s
	fmul	v5.4s, v5.4s, v16.4s
	fmul	v6.4s, v6.4s, v16.4s
	fmul	v7.4s, v7.4s, v16.4s
	fadd	v0.4s, v4.4s, v6.4s
	fadd	v1.4s, v5.4s, v7.4s
	fsub	v2.4s, v4.4s, v6.4s
	fsub	v3.4s, v5.4s, v7.4s
	.endm

// greatest stores them and keeps their largest magnitudes in v20 to v23.
	.macro	greatest
	stp	q0, q1, [x0], #32
	stp	q2, q3, [x4], #32
	bic	v0.4s, #0x80, lsl #24
	bic	v1.4s, #0x80, lsl #24
	bic	v2.4s, #0x80, lsl #24
	bic	v3.4s, #0x80, lsl #24
	umax	v20.4s, v20.4s, v0.4s
	umax	v21.4s, v21.4s, v1.4s
	umax	v22.4s, v22.4s, v2.4s
	umax	v23.4s, v23.4s, v3.4s
	.endm

//go: func pairRowsLoop(mean, half, a, b, first *float32, n int, most *[2]float32)
//go: mean=x0 half=x4 a=x1 b=x2 first=x5 n=x3 most=x6
//
//	for i := range n {	// at least 8
//		mean[i] = a[i]/2 + b[i]/2 − first[i]	// without first where it is nil
//		half[i] = a[i]/2 − b[i]/2
//	}
//	most[0], most[1] = max |mean[i]|, max |half[i]|, by the order of bits
pairRowsLoop:
	movi	v16.4s, #0x3f, lsl #24	// 0x3f000000: ½
	movi	v20.16b, #0
	movi	v21.16b, #0
	movi	v22.16b, #0
	movi	v23.16b, #0
	cbz	x5, .LpairRowsLoop_loop

.LpairRowsLoop_less:
	pair
	ldp	q4, q5, [x5], #32
	fsub	v0.4s, v0.4s, v4.4s
	fsub	v1.4s, v1.4s, v5.4s
	greatest
	sub	x3, x3, #8
	cbnz	x3, .LpairRowsLoop_less
	b	.LpairRowsLoop_join

.LpairRowsLoop_loop:
	pair
	greatest
	sub	x3, x3, #8
	cbnz	x3, .LpairRowsLoop_loop

.LpairRowsLoop_join:
	umax	v20.4s, v20.4s, v21.4s
	umax	v22.4s, v22.4s, v23.4s
	umaxv	s20, v20.4s
	umaxv	s22, v22.4s
	stp	s20, s22, [x6]
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

//go: func splitCodesLoop(y0 *float32, ld0 int, y1 *float32, ld1 int, c, scales, bias *float32, ldBias int, base *float32, rows, columns int)
//go: y0=x0 ld0=x1 y1=x2 ld1=x3 c=x4 scales=x5 bias=x6 ldBias=x7 base=x8 rows=x9 columns=x10
//
//	for r := range rows {
//		for j := range columns {	// a multiple of 16
//			m, d := c[2*r, j]·scales[2*r] + bias[r*ldBias+j], c[2*r+1, j]·scales[2*r+1]
//			if base != nil {
//				base[r, j] = m
//			}
//			y0[r*ld0+j], y1[r*ld1+j] = m + d, m − d
//		}
//	}
//
// Each product and sum is rounded.
//
//	x1, x3, x7 from the end of a row to the next, in bytes   x11 c's odd rows
//	x12 columns left   v6, v7 the scales   v0, v1 m   v2, v3 d
splitCodesLoop:
	lsl	x10, x10, #2
	lsl	x1, x1, #2
	lsl	x3, x3, #2
	lsl	x7, x7, #2
	sub	x1, x1, x10
	sub	x3, x3, x10
	sub	x7, x7, x10

.LsplitCodesLoop_row:
	ldp	s6, s7, [x5], #8
	add	x11, x4, x10
	mov	x12, x10

.LsplitCodesLoop_loop:
	ldp	q0, q1, [x4], #32
	ldp	q2, q3, [x11], #32
	ldp	q4, q5, [x6], #32
	fmul	v0.4s, v0.4s, v6.s[0]
	fmul	v1.4s, v1.4s, v6.s[0]
	fmul	v2.4s, v2.4s, v7.s[0]
	fmul	v3.4s, v3.4s, v7.s[0]
	fadd	v0.4s, v0.4s, v4.4s
	fadd	v1.4s, v1.4s, v5.4s
	cbz	x8, .LsplitCodesLoop_split
	stp	q0, q1, [x8], #32

.LsplitCodesLoop_split:
	fadd	v4.4s, v0.4s, v2.4s
	fadd	v5.4s, v1.4s, v3.4s
	fsub	v0.4s, v0.4s, v2.4s
	fsub	v1.4s, v1.4s, v3.4s
	stp	q4, q5, [x0], #32
	stp	q0, q1, [x2], #32
	subs	x12, x12, #32
	b.ne	.LsplitCodesLoop_loop
	mov	x4, x11
	add	x0, x0, x1
	add	x2, x2, x3
	add	x6, x6, x7
	sub	x9, x9, #1
	cbnz	x9, .LsplitCodesLoop_row
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
