// Loops with exp, over eight float32, two vectors of four. n is a multiple of 8;
// pointers need no alignment. In each function: x3 elements left, x1 and x2 the
// sources, x0 what is written.

	.arch	armv8-a

	.section .rodata
// The constants of exp, as in vector_generic.go.
expTable:
	.float	1.44269504088896341, 0.693359375, -2.12194440054690583e-4	// log₂e, ln 2 high and low
	.float	0.5000000013, 0.1666666668, 0.0416664646	// the polynomial, lowest power first
	.float	0.00833331089, 0.001393368586, 0.0001989103066
	.float	1, -104, 89	// 1, the least and the most argument
	.word	127	// the exponent's bias
	.text

// setup loads what exp keeps in registers: v16 log₂e, v17 ln 2 high, v18 ln 2
// low, v19–v24 the polynomial, v25 1, v26 least, v27 most, v28 127. It uses x4.
	.macro	setup
	ldr	x4, =expTable
	.irp	r, v16.4s, v17.4s, v18.4s, v19.4s, v20.4s, v21.4s, v22.4s, v23.4s, v24.4s, v25.4s, v26.4s, v27.4s, v28.4s
	ld1r	{\r}, [x4], #4
	.endr
	.endm

// horner: (x, y) = c + (p, q) · r, r in v0 and v1.
	.macro	horner c, p, q, x, y
	mov	\x\().16b, \c\().16b
	mov	\y\().16b, \c\().16b
	fmla	\x\().4s, \p\().4s, v0.4s
	fmla	\y\().4s, \q\().4s, v1.4s
	.endm

// exp turns v0 and v1 into their exp, by way of n in v2 and v3, r in v0 and v1,
// the polynomial in v4–v7. fmax and fmin keep a NaN.
	.macro	exp
	fmax	v0.4s, v0.4s, v26.4s
	fmax	v1.4s, v1.4s, v26.4s
	fmin	v0.4s, v0.4s, v27.4s
	fmin	v1.4s, v1.4s, v27.4s
	fmul	v2.4s, v0.4s, v16.4s
	fmul	v3.4s, v1.4s, v16.4s
	frintn	v2.4s, v2.4s
	frintn	v3.4s, v3.4s
	fmls	v0.4s, v2.4s, v17.4s
	fmls	v1.4s, v3.4s, v17.4s
	fmls	v0.4s, v2.4s, v18.4s
	fmls	v1.4s, v3.4s, v18.4s
	horner	v23, v24, v24, v4, v5
	horner	v22, v4, v5, v6, v7
	horner	v21, v6, v7, v4, v5
	horner	v20, v4, v5, v6, v7
	horner	v19, v6, v7, v4, v5
	horner	v25, v4, v5, v6, v7
	horner	v25, v6, v7, v4, v5
	fcvtns	v2.4s, v2.4s
	fcvtns	v3.4s, v3.4s
	sshr	v0.4s, v2.4s, #1	// 2ⁿ in two halves, for n from −150 to 128
	sshr	v1.4s, v3.4s, #1
	sub	v2.4s, v2.4s, v0.4s
	sub	v3.4s, v3.4s, v1.4s
	add	v0.4s, v0.4s, v28.4s
	add	v1.4s, v1.4s, v28.4s
	add	v2.4s, v2.4s, v28.4s
	add	v3.4s, v3.4s, v28.4s
	shl	v0.4s, v0.4s, #23
	shl	v1.4s, v1.4s, #23
	shl	v2.4s, v2.4s, #23
	shl	v3.4s, v3.4s, #23
	fmul	v0.4s, v4.4s, v0.4s
	fmul	v1.4s, v5.4s, v1.4s
	fmul	v0.4s, v0.4s, v2.4s
	fmul	v1.4s, v1.4s, v3.4s
	.endm

//go: func expSumLoop(x *float32, n int, shift, scale float32) float32
//go: x=x1 n=x3 shift=s8 scale=s9 ret=s0
//
//	x[i] = exp((x[i] − shift) · scale); their sum, lane by lane in v30 and v31,
//	then over the lanes
expSumLoop:
	dup	v8.4s, v8.s[0]
	movi	v30.16b, #0
	movi	v31.16b, #0
	setup
	cbz	x3, .LexpSumLoop_join

.LexpSumLoop_loop:
	ldp	q0, q1, [x1]
	fsub	v0.4s, v0.4s, v8.4s
	fsub	v1.4s, v1.4s, v8.4s
	fmul	v0.4s, v0.4s, v9.s[0]
	fmul	v1.4s, v1.4s, v9.s[0]
	exp
	stp	q0, q1, [x1], #32
	fadd	v30.4s, v30.4s, v0.4s
	fadd	v31.4s, v31.4s, v1.4s
	sub	x3, x3, #8
	cbnz	x3, .LexpSumLoop_loop

.LexpSumLoop_join:
	fadd	v0.4s, v30.4s, v31.4s
	faddp	v0.4s, v0.4s, v0.4s
	faddp	s0, v0.2s
	ret

//go: func columnExpSumLoop(x *float32, rows int, shift, sum *float32)
//go: x=x1 rows=x3 shift=x2 sum=x0
//
//	x[i*16+j] = exp(x[i*16+j] − shift[j]), added to sum[j], for i < rows, j < 16
//
//	v8–v11 the shifts   v12–v15 the sums
columnExpSumLoop:
	ld1	{v8.4s - v11.4s}, [x2]
	ld1	{v12.4s - v15.4s}, [x0]
	setup
	cbz	x3, .LcolumnExpSumLoop_store

.LcolumnExpSumLoop_loop:
	ldp	q0, q1, [x1]
	fsub	v0.4s, v0.4s, v8.4s
	fsub	v1.4s, v1.4s, v9.4s
	exp
	stp	q0, q1, [x1], #32
	fadd	v12.4s, v12.4s, v0.4s
	fadd	v13.4s, v13.4s, v1.4s
	ldp	q0, q1, [x1]
	fsub	v0.4s, v0.4s, v10.4s
	fsub	v1.4s, v1.4s, v11.4s
	exp
	stp	q0, q1, [x1], #32
	fadd	v14.4s, v14.4s, v0.4s
	fadd	v15.4s, v15.4s, v1.4s
	sub	x3, x3, #1
	cbnz	x3, .LcolumnExpSumLoop_loop

.LcolumnExpSumLoop_store:
	st1	{v12.4s - v15.4s}, [x0]
	ret

//go: func swigluLoop(dst, gate, up *float32, n int)
//go: dst=x0 gate=x1 up=x2 n=x3
//
//	dst[i] = gate[i] / (1 + exp(−gate[i])) · up[i]
swigluLoop:
	setup
	cbz	x3, .LswigluLoop_done

.LswigluLoop_loop:
	ldp	q8, q9, [x1], #32
	fneg	v0.4s, v8.4s
	fneg	v1.4s, v9.4s
	exp
	fadd	v0.4s, v0.4s, v25.4s
	fadd	v1.4s, v1.4s, v25.4s
	fdiv	v0.4s, v8.4s, v0.4s
	fdiv	v1.4s, v9.4s, v1.4s
	ldp	q2, q3, [x2], #32
	fmul	v0.4s, v0.4s, v2.4s
	fmul	v1.4s, v1.4s, v3.4s
	stp	q0, q1, [x0], #32
	sub	x3, x3, #8
	cbnz	x3, .LswigluLoop_loop

.LswigluLoop_done:
	ret
