// Loops over rows of 16 float32, four vectors.

	.arch	armv8-a

//go: func columnMaximumLoop(most, x *float32, rows int)
//go: most=x0 x=x1 rows=x3
//
//	most[j] = max(most[j], x[i*16+j] for i < rows), without NaN
columnMaximumLoop:
	ld1	{v0.4s - v3.4s}, [x0]
	cbz	x3, .LcolumnMaximumLoop_store

.LcolumnMaximumLoop_loop:
	ld1	{v4.4s - v7.4s}, [x1], #64
	fcmgt	v16.4s, v4.4s, v0.4s	// no NaN compares as greater
	fcmgt	v17.4s, v5.4s, v1.4s
	fcmgt	v18.4s, v6.4s, v2.4s
	fcmgt	v19.4s, v7.4s, v3.4s
	bit	v0.16b, v4.16b, v16.16b
	bit	v1.16b, v5.16b, v17.16b
	bit	v2.16b, v6.16b, v18.16b
	bit	v3.16b, v7.16b, v19.16b
	sub	x3, x3, #1
	cbnz	x3, .LcolumnMaximumLoop_loop

.LcolumnMaximumLoop_store:
	st1	{v0.4s - v3.4s}, [x0]
	ret

//go: func columnScaleAddLoop(y, x *float32, rows int, factor *float32)
//go: y=x0 x=x1 rows=x3 factor=x2
//
//	y[i*16+j] = y[i*16+j] * factor[j] + x[i*16+j] for i < rows, both rounded
columnScaleAddLoop:
	cbz	x3, .LcolumnScaleAddLoop_done
	ld1	{v16.4s - v19.4s}, [x2]

.LcolumnScaleAddLoop_loop:
	ld1	{v0.4s - v3.4s}, [x0]
	ld1	{v4.4s - v7.4s}, [x1], #64
	fmul	v0.4s, v0.4s, v16.4s
	fmul	v1.4s, v1.4s, v17.4s
	fmul	v2.4s, v2.4s, v18.4s
	fmul	v3.4s, v3.4s, v19.4s
	fadd	v0.4s, v0.4s, v4.4s
	fadd	v1.4s, v1.4s, v5.4s
	fadd	v2.4s, v2.4s, v6.4s
	fadd	v3.4s, v3.4s, v7.4s
	st1	{v0.4s - v3.4s}, [x0], #64
	sub	x3, x3, #1
	cbnz	x3, .LcolumnScaleAddLoop_loop

.LcolumnScaleAddLoop_done:
	ret
