	.arch	armv8-a

// horner: (x, y) = c + (p, q) · s, s in v4 and v5.
	.macro	horner c, p, q, x, y
	mov	\x\().16b, \c\().16b
	mov	\y\().16b, \c\().16b
	fmla	\x\().4s, \p\().4s, v4.4s
	fmla	\y\().4s, \q\().4s, v5.4s
	.endm

//go: func geluLoop(dst, x *float32, n int, curve *geluCurve)
//go: dst=x0 x=x1 n=x3 curve=x4
//
//	dst[i] = x[i] · (½ + h(x[i])) for i < n, a multiple of 8, with
//	h(x) = x · P(x²) / Q(x²) for |x| < most, ±½ from there on
//
//	v0, v1 x   v4, v5 x²   v16–v21 P, lowest power first   v22–v27 Q   v28 most
//	v29 ½   v30 the sign bit   v2, v3, v6–v8 scratch
geluLoop:
	.irp	r, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
	ld1r	{v\r\().4s}, [x4], #4
	.endr
	movi	v29.4s, #0x3f, lsl #24	// 0x3f000000: ½
	movi	v30.4s, #0x80, lsl #24
	cbz	x3, .LgeluLoop_done

.LgeluLoop_loop:
	ldp	q0, q1, [x1], #32
	fmul	v4.4s, v0.4s, v0.4s
	fmul	v5.4s, v1.4s, v1.4s
	horner	v20, v21, v21, v2, v3
	horner	v19, v2, v3, v6, v7
	horner	v18, v6, v7, v2, v3
	horner	v17, v2, v3, v6, v7
	horner	v16, v6, v7, v2, v3
	fmul	v31.4s, v0.4s, v2.4s	// x · P
	fmul	v8.4s, v1.4s, v3.4s
	horner	v26, v27, v27, v2, v3
	horner	v25, v2, v3, v6, v7
	horner	v24, v6, v7, v2, v3
	horner	v23, v2, v3, v6, v7
	horner	v22, v6, v7, v2, v3
	fdiv	v2.4s, v31.4s, v2.4s
	fdiv	v3.4s, v8.4s, v3.4s
	mov	v4.16b, v29.16b	// ½ with the sign of x
	mov	v5.16b, v29.16b
	bit	v4.16b, v0.16b, v30.16b
	bit	v5.16b, v1.16b, v30.16b
	facge	v6.4s, v0.4s, v28.4s
	facge	v7.4s, v1.4s, v28.4s
	bit	v2.16b, v4.16b, v6.16b
	bit	v3.16b, v5.16b, v7.16b
	fadd	v2.4s, v2.4s, v29.4s
	fadd	v3.4s, v3.4s, v29.4s
	fmul	v0.4s, v0.4s, v2.4s
	fmul	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LgeluLoop_loop

.LgeluLoop_done:
	ret

//go: func reluLoop(dst, x *float32, n int)
//go: dst=x0 x=x1 n=x3
//
//	dst[i] = max(x[i], 0) for i < n, a multiple of 8; NaN stays NaN
reluLoop:
	movi	v2.16b, #0
	cbz	x3, .LreluLoop_done

.LreluLoop_loop:
	ldp	q0, q1, [x1], #32
	fmax	v0.4s, v0.4s, v2.4s
	fmax	v1.4s, v1.4s, v2.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LreluLoop_loop

.LreluLoop_done:
	ret
