	.arch	armv8-a

	.section .rodata
// The shifts that bring bits 0 to 3 of a word to the sign.
signShifts:
	.word	31, 30, 29, 28
	.text

// four makes the signs of four bits.
	.macro	four shifts, z
	ushl	\z\().4s, v0.4s, \shifts\().4s
	bic	\z\().16b, v1.16b, \z\().16b
	orr	\z\().16b, \z\().16b, v2.16b
	.endm

//go: func signsLoop(z *float32, words *uint32, n int)
//go: z=x0 words=x1 n=x3
//
//	for w := range n {
//		for b := range 32 {
//			z[32*w+b] = +1 if words[w]>>b&1 == 1 else −1
//		}
//	}
//
//	x0 z   x1 words   x3 words left
//	v0 a word in every lane   v1 the sign bit   v2 1   v3 4
//	v16–v23 shifts that bring bits 0–3, 4–7, … to the sign   v4–v7, v24–v27 signs
signsLoop:
	cbz	x3, .LsignsLoop_done
	ldr	x4, =signShifts
	ldr	q16, [x4]
	movi	v1.4s, #0x80, lsl #24
	movi	v2.4s, #0x3f, lsl #24
	orr	v2.4s, #0x80, lsl #16	// 0x3f800000: 1
	movi	v3.4s, #4
	sub	v17.4s, v16.4s, v3.4s
	sub	v18.4s, v17.4s, v3.4s
	sub	v19.4s, v18.4s, v3.4s
	sub	v20.4s, v19.4s, v3.4s
	sub	v21.4s, v20.4s, v3.4s
	sub	v22.4s, v21.4s, v3.4s
	sub	v23.4s, v22.4s, v3.4s

.LsignsLoop_loop:
	ld1r	{v0.4s}, [x1], #4
	four	v16, v4
	four	v17, v5
	four	v18, v6
	four	v19, v7
	four	v20, v24
	four	v21, v25
	four	v22, v26
	four	v23, v27
	st1	{v4.4s - v7.4s}, [x0], #64
	st1	{v24.4s - v27.4s}, [x0], #64
	sub	x3, x3, #1
	cbnz	x3, .LsignsLoop_loop

.LsignsLoop_done:
	ret
