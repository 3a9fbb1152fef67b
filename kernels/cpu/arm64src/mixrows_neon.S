	.arch	armv8-a

//go: func mixRows32Loop(dst, p *float32, rows int, v *float32, ld int, factor float32)
//go: dst=x0 p=x1 rows=x3 v=x2 ld=x4 factor=s25
//
//	for c := range 32 {
//		dst[c] = factor · Σ_{j<rows} p[j] · v[j*ld+c]
//	}
//
//	x0 dst   x1 p   x2 v, a row   x5 the row's second half   x4 ld·4   x3 rows left
//	v0–v7 the sums   v16–v23 a row of v   v24 p[j]   v25 factor
mixRows32Loop:
	lsl	x4, x4, #2
	.irp	r, 0, 1, 2, 3, 4, 5, 6, 7
	movi	v\r\().16b, #0
	.endr
	cbz	x3, .LmixRows32Loop_store

.LmixRows32Loop_loop:
	add	x5, x2, #64
	ld1	{v16.4s - v19.4s}, [x2], x4
	ld1	{v20.4s - v23.4s}, [x5]
	ldr	s24, [x1], #4
	fmla	v0.4s, v16.4s, v24.s[0]
	fmla	v1.4s, v17.4s, v24.s[0]
	fmla	v2.4s, v18.4s, v24.s[0]
	fmla	v3.4s, v19.4s, v24.s[0]
	fmla	v4.4s, v20.4s, v24.s[0]
	fmla	v5.4s, v21.4s, v24.s[0]
	fmla	v6.4s, v22.4s, v24.s[0]
	fmla	v7.4s, v23.4s, v24.s[0]
	sub	x3, x3, #1
	cbnz	x3, .LmixRows32Loop_loop

.LmixRows32Loop_store:
	fmul	v0.4s, v0.4s, v25.s[0]
	fmul	v1.4s, v1.4s, v25.s[0]
	fmul	v2.4s, v2.4s, v25.s[0]
	fmul	v3.4s, v3.4s, v25.s[0]
	fmul	v4.4s, v4.4s, v25.s[0]
	fmul	v5.4s, v5.4s, v25.s[0]
	fmul	v6.4s, v6.4s, v25.s[0]
	fmul	v7.4s, v7.4s, v25.s[0]
	st1	{v0.4s - v3.4s}, [x0], #64
	st1	{v4.4s - v7.4s}, [x0]
	ret

//go: func mixRows8Loop(dst, p *float32, rows int, v *float32, ld int, factor float32)
//go: dst=x0 p=x1 rows=x3 v=x2 ld=x4 factor=s25
//
//	mixRows32Loop for 8 columns: j mod 4 in v0–v1, v2–v3, v4–v5, v6–v7
mixRows8Loop:
	lsl	x4, x4, #2
	.irp	r, 0, 1, 2, 3, 4, 5, 6, 7
	movi	v\r\().16b, #0
	.endr
	subs	x3, x3, #4
	b.lt	.LmixRows8Loop_rest

.LmixRows8Loop_loop:
	ldr	q24, [x1], #16
	ld1	{v16.4s, v17.4s}, [x2], x4
	ld1	{v18.4s, v19.4s}, [x2], x4
	ld1	{v20.4s, v21.4s}, [x2], x4
	ld1	{v22.4s, v23.4s}, [x2], x4
	fmla	v0.4s, v16.4s, v24.s[0]
	fmla	v1.4s, v17.4s, v24.s[0]
	fmla	v2.4s, v18.4s, v24.s[1]
	fmla	v3.4s, v19.4s, v24.s[1]
	fmla	v4.4s, v20.4s, v24.s[2]
	fmla	v5.4s, v21.4s, v24.s[2]
	fmla	v6.4s, v22.4s, v24.s[3]
	fmla	v7.4s, v23.4s, v24.s[3]
	subs	x3, x3, #4
	b.ge	.LmixRows8Loop_loop

.LmixRows8Loop_rest:
	adds	x3, x3, #4
	b.eq	.LmixRows8Loop_store

.LmixRows8Loop_one:
	ldr	s24, [x1], #4
	ld1	{v16.4s, v17.4s}, [x2], x4
	fmla	v0.4s, v16.4s, v24.s[0]
	fmla	v1.4s, v17.4s, v24.s[0]
	sub	x3, x3, #1
	cbnz	x3, .LmixRows8Loop_one

.LmixRows8Loop_store:
	fadd	v0.4s, v0.4s, v2.4s
	fadd	v1.4s, v1.4s, v3.4s
	fadd	v4.4s, v4.4s, v6.4s
	fadd	v5.4s, v5.4s, v7.4s
	fadd	v0.4s, v0.4s, v4.4s
	fadd	v1.4s, v1.4s, v5.4s
	fmul	v0.4s, v0.4s, v25.s[0]
	fmul	v1.4s, v1.4s, v25.s[0]
	stp	q0, q1, [x0]
	ret
