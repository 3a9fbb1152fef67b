// Decoding of slices of panels. In each function x3 counts what is left.

	.arch	armv8-a

//go: func halfScalesLoop(dst *float32, stride int, src *byte, n int)
//go: dst=x0 stride=x2 src=x1 n=x3
//
//	dst[g*stride+i] = float16 16·g + i of src for g < n, i < 16
halfScalesLoop:
	lsl	x2, x2, #2
	cbz	x3, .LhalfScalesLoop_done

.LhalfScalesLoop_loop:
	ldp	q0, q1, [x1], #32
	fcvtl	v4.4s, v0.4h
	fcvtl2	v5.4s, v0.8h
	fcvtl	v6.4s, v1.4h
	fcvtl2	v7.4s, v1.8h
	st1	{v4.4s - v7.4s}, [x0], x2
	sub	x3, x3, #1
	cbnz	x3, .LhalfScalesLoop_loop

.LhalfScalesLoop_done:
	ret

//go: func byteScalesLoop(dst *float32, stride int, src *byte, n int, rows *[16]float32)
//go: dst=x0 stride=x2 src=x1 n=x3 rows=x4
//
//	dst[g*stride+i] = float32(src[16·g+i]) · rows[i] for g < n, i < 16
byteScalesLoop:
	lsl	x2, x2, #2
	ld1	{v16.4s - v19.4s}, [x4]
	cbz	x3, .LbyteScalesLoop_done

.LbyteScalesLoop_loop:
	ldr	q0, [x1], #16
	uxtl	v1.8h, v0.8b
	uxtl2	v2.8h, v0.16b
	uxtl	v4.4s, v1.4h
	uxtl2	v5.4s, v1.8h
	uxtl	v6.4s, v2.4h
	uxtl2	v7.4s, v2.8h
	ucvtf	v4.4s, v4.4s
	ucvtf	v5.4s, v5.4s
	ucvtf	v6.4s, v6.4s
	ucvtf	v7.4s, v7.4s
	fmul	v4.4s, v4.4s, v16.4s
	fmul	v5.4s, v5.4s, v17.4s
	fmul	v6.4s, v6.4s, v18.4s
	fmul	v7.4s, v7.4s, v19.4s
	st1	{v4.4s - v7.4s}, [x0], x2
	sub	x3, x3, #1
	cbnz	x3, .LbyteScalesLoop_loop

.LbyteScalesLoop_done:
	ret

//go: func widenBrainsLoop(dst *float32, words *byte, n int)
//go: dst=x0 words=x1 n=x3
//
//	dst[32·v + 16·b + i] = bfloat16 b of word 16·v + i for v < n, b < 2, i < 16
//
// A bfloat16 is the upper half of a float32.
widenBrainsLoop:
	movi	v16.4s, #0xff, lsl #24
	orr	v16.4s, #0xff, lsl #16
	cbz	x3, .LwidenBrainsLoop_done

.LwidenBrainsLoop_loop:
	ld1	{v0.4s - v3.4s}, [x1], #64
	shl	v4.4s, v0.4s, #16
	shl	v5.4s, v1.4s, #16
	shl	v6.4s, v2.4s, #16
	shl	v7.4s, v3.4s, #16
	and	v0.16b, v0.16b, v16.16b
	and	v1.16b, v1.16b, v16.16b
	and	v2.16b, v2.16b, v16.16b
	and	v3.16b, v3.16b, v16.16b
	st1	{v4.4s - v7.4s}, [x0], #64
	st1	{v0.4s - v3.4s}, [x0], #64
	sub	x3, x3, #1
	cbnz	x3, .LwidenBrainsLoop_loop

.LwidenBrainsLoop_done:
	ret
