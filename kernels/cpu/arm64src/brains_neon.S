// Panels of bfloat16 written: a word is number i of 16, and number i of the next
// 16 above it. In each function x3 counts what is left, and
//
//	v0–v3 16 numbers, v4–v7 the next ones   v16–v23 what is added to their bits
//	v24 scratch   v28 the exponent's bits   v29 bit 22   v30 0x7fff   v31 1

	.arch	armv8-a

// constants fills v28 to v31.
	.macro	constants
	movi	v28.4s, #0x7f, lsl #24
	orr	v28.4s, #0x80, lsl #16
	movi	v29.4s, #0x40, lsl #16
	movi	v30.4s, #0x7f, msl #8
	movi	v31.4s, #1
	.endm

// nearest puts into d what rounds u to the nearest, ties to even, where the upper
// half of the sum is taken.
	.macro	nearest u, d
	ushr	\d\().4s, \u\().4s, #16
	and	\d\().16b, \d\().16b, v31.16b
	add	\d\().4s, \d\().4s, v30.4s
	.endm

// carry adds d to the bits of u, but not to those of an infinity or a NaN; a NaN
// gets bit 22 set, and so has an upper half that is one too.
	.macro	carry u, d
	and	v24.16b, \u\().16b, v28.16b
	cmeq	v24.4s, v24.4s, v28.4s
	bic	\d\().16b, \d\().16b, v24.16b
	fcmeq	v24.4s, \u\().4s, \u\().4s
	bic	v24.16b, v29.16b, v24.16b
	add	\u\().4s, \u\().4s, \d\().4s
	orr	\u\().16b, \u\().16b, v24.16b
	.endm

// words writes the upper halves of v0–v7 as 16 words.
	.macro	words
	carry	v0, v16
	carry	v1, v17
	carry	v2, v18
	carry	v3, v19
	carry	v4, v20
	carry	v5, v21
	carry	v6, v22
	carry	v7, v23
	sri	v4.4s, v0.4s, #16
	sri	v5.4s, v1.4s, #16
	sri	v6.4s, v2.4s, #16
	sri	v7.4s, v3.4s, #16
	st1	{v4.4s - v7.4s}, [x0], #64
	.endm

//go: func narrowBrainsLoop(words *byte, x *float32, n int)
//go: words=x0 x=x1 n=x3
//
//	words[v, i, b] = x[32*v+16*b+i]	// bfloat16 [n, 16, 2], to nearest, ties to even
narrowBrainsLoop:
	constants
	cbz	x3, .LnarrowBrainsLoop_done

.LnarrowBrainsLoop_loop:
	ld1	{v0.4s - v3.4s}, [x1], #64
	ld1	{v4.4s - v7.4s}, [x1], #64
	nearest	v0, v16
	nearest	v1, v17
	nearest	v2, v18
	nearest	v3, v19
	nearest	v4, v20
	nearest	v5, v21
	nearest	v6, v22
	nearest	v7, v23
	words
	sub	x3, x3, #1
	cbnz	x3, .LnarrowBrainsLoop_loop

.LnarrowBrainsLoop_done:
	ret

//go: func ditherBrainsLoop(words *byte, x *float32, dither *uint32, n int)
//go: words=x0 x=x1 dither=x2 n=x3
//
//	words[v, i, b] = x[32*v+16*b+i] + dither[32*v+16*b+i]	// by bits, upper halves
ditherBrainsLoop:
	constants
	cbz	x3, .LditherBrainsLoop_done

.LditherBrainsLoop_loop:
	ld1	{v0.4s - v3.4s}, [x1], #64
	ld1	{v4.4s - v7.4s}, [x1], #64
	ld1	{v16.4s - v19.4s}, [x2], #64
	ld1	{v20.4s - v23.4s}, [x2], #64
	words
	sub	x3, x3, #1
	cbnz	x3, .LditherBrainsLoop_loop

.LditherBrainsLoop_done:
	ret
