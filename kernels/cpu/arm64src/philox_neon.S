	.arch	armv8-a

	.section .rodata
philoxTable:
	.word	0xD2511F53, 0xCD9E8D57	// the multipliers of Philox4x32
	.word	0, 1, 2, 3	// lanes
	.text

// products gives the 64-bit products a · M0 (p, q) and c · M1 (r, s), two lanes
// in each.
	.macro	products a, c, p, q, r, s
	umull	\p\().2d, \a\().2s, v26.2s
	umull2	\q\().2d, \a\().4s, v26.4s
	umull	\r\().2d, \c\().2s, v27.2s
	umull2	\s\().2d, \c\().4s, v27.4s
	.endm

// mix makes the next counter (a, b, c, d) of the products and the round's keys:
// a = high(c·M1) ⊕ b ⊕ key0, b = low(c·M1), c = high(a·M0) ⊕ d ⊕ key1, d = low(a·M0).
	.macro	mix a, b, c, d, p, q, r, s
	uzp2	\a\().4s, \r\().4s, \s\().4s
	uzp2	\c\().4s, \p\().4s, \q\().4s
	eor	\a\().16b, \a\().16b, \b\().16b
	eor	\c\().16b, \c\().16b, \d\().16b
	eor	\a\().16b, \a\().16b, v24.16b
	eor	\c\().16b, \c\().16b, v25.16b
	uzp1	\b\().4s, \r\().4s, \s\().4s
	uzp1	\d\().4s, \p\().4s, \q\().4s
	.endm

// quantile turns four words w into deviates (noise.Quantile). With u = w without
// its sign and bit 0 set, and n its leading zeros, mantissa = u << (n − 1) has bit
// 30 set, and the cell of the table is 32·(30 − n) + mantissa>>25. It uses v16–v21
// and x8–x11.
	.macro	quantile w
	mov	v16.16b, \w\().16b
	bic	v16.4s, #0x80, lsl #24
	orr	v16.4s, #1
	clz	v17.4s, v16.4s
	sub	v18.4s, v17.4s, v31.4s
	ushl	v16.4s, v16.4s, v18.4s	// mantissa
	shl	v17.4s, v17.4s, #7
	ushr	v18.4s, v16.4s, #25
	shl	v18.4s, v18.4s, #2
	sub	v18.4s, v18.4s, v17.4s	// 4·(cell − 960)
	mov	x9, v18.d[0]
	mov	x11, v18.d[1]
	sxtw	x8, w9
	asr	x9, x9, #32
	sxtw	x10, w11
	asr	x11, x11, #32
	ldr	d18, [x6, x8]	// both ends of the cell
	ldr	d19, [x6, x9]
	ldr	d20, [x6, x10]
	ldr	d21, [x6, x11]
	zip1	v18.4s, v18.4s, v19.4s
	zip1	v20.4s, v20.4s, v21.4s
	zip1	v19.2d, v18.2d, v20.2d	// z[cell]
	zip2	v20.2d, v18.2d, v20.2d	// z[cell+1]
	sub	v20.4s, v20.4s, v19.4s
	shl	v16.4s, v16.4s, #7	// the fraction is bits 11 to 24 of the mantissa
	ushr	v16.4s, v16.4s, #18
	mul	v20.4s, v20.4s, v16.4s
	ssra	v19.4s, v20.4s, #14
	sshr	v17.4s, \w\().4s, #31
	eor	v19.16b, v19.16b, v17.16b
	sub	v19.4s, v19.4s, v17.4s
	scvtf	\w\().4s, v19.4s, #21
	.endm

//go: func gaussianLoop(z *float32, blocks int, first uint32, site, query uint32, keys *[20]uint32, table *int32)
//go: z=x0 blocks=x1 first=w2 site=w3 query=w4 keys=x5 table=x6
//
//	for b := range 8 * blocks {
//		w := noise.Philox([4]uint32{first + b, site, query, 0}, seed)
//		for j := range 4 {
//			z[4*b+j] = noise.Quantile(w[j])
//		}
//	}
//
// keys holds the ten rounds' keys, table is noise.QuantileTable.
//
//	x6 table + 960 cells   x7 the round's keys   x12 rounds left
//	v0–v3 and v4–v7 counter words of four Philox blocks each, later their random
//	words   v16–v23 scratch   v24, v25 the round's keys   v26, v27 the multipliers
//	v28 first + 0 … 3   v30 4   v31 1
gaussianLoop:
	cbz	x1, .LgaussianLoop_done
	add	x6, x6, #3840
	ldr	x7, =philoxTable
	ld1r	{v26.4s}, [x7], #4
	ld1r	{v27.4s}, [x7], #4
	ldr	q28, [x7]
	dup	v16.4s, w2
	add	v28.4s, v28.4s, v16.4s
	movi	v30.4s, #4
	movi	v31.4s, #1

.LgaussianLoop_loop:
	mov	v0.16b, v28.16b
	dup	v1.4s, w3
	dup	v2.4s, w4
	movi	v3.16b, #0
	add	v4.4s, v28.4s, v30.4s
	dup	v5.4s, w3
	dup	v6.4s, w4
	movi	v7.16b, #0
	add	v28.4s, v4.4s, v30.4s
	mov	x7, x5
	mov	x12, #10

.LgaussianLoop_round:
	ld2r	{v24.4s, v25.4s}, [x7], #8
	products	v0, v2, v16, v17, v18, v19
	products	v4, v6, v20, v21, v22, v23
	mix	v0, v1, v2, v3, v16, v17, v18, v19
	mix	v4, v5, v6, v7, v20, v21, v22, v23
	sub	x12, x12, #1
	cbnz	x12, .LgaussianLoop_round

	quantile	v0
	quantile	v1
	quantile	v2
	quantile	v3
	quantile	v4
	quantile	v5
	quantile	v6
	quantile	v7
	st4	{v0.4s - v3.4s}, [x0], #64
	st4	{v4.4s - v7.4s}, [x0], #64
	sub	x1, x1, #1
	cbnz	x1, .LgaussianLoop_loop

.LgaussianLoop_done:
	ret

//go: func ditherLoop(d *uint32, blocks int, first, site uint32, keys *[20]uint32)
//go: d=x0 blocks=x1 first=w2 site=w3 keys=x5
//
//	for b := range 8 * blocks {
//		w := noise.Philox([4]uint32{first + b, site, 0, 4}, seed)
//		for j := range 4 {
//			d[4*b+j] = w[j] & 0xffff
//		}
//	}
//
// The registers are those of gaussianLoop, but v29 0xffff.
ditherLoop:
	cbz	x1, .LditherLoop_done
	ldr	x7, =philoxTable
	ld1r	{v26.4s}, [x7], #4
	ld1r	{v27.4s}, [x7], #4
	ldr	q28, [x7]
	dup	v16.4s, w2
	add	v28.4s, v28.4s, v16.4s
	movi	v30.4s, #4
	movi	v29.16b, #0xff
	ushr	v29.4s, v29.4s, #16

.LditherLoop_loop:
	mov	v0.16b, v28.16b
	dup	v1.4s, w3
	movi	v2.16b, #0
	mov	v3.16b, v30.16b
	add	v4.4s, v28.4s, v30.4s
	dup	v5.4s, w3
	movi	v6.16b, #0
	mov	v7.16b, v30.16b
	add	v28.4s, v4.4s, v30.4s
	mov	x7, x5
	mov	x12, #10

.LditherLoop_round:
	ld2r	{v24.4s, v25.4s}, [x7], #8
	products	v0, v2, v16, v17, v18, v19
	products	v4, v6, v20, v21, v22, v23
	mix	v0, v1, v2, v3, v16, v17, v18, v19
	mix	v4, v5, v6, v7, v20, v21, v22, v23
	sub	x12, x12, #1
	cbnz	x12, .LditherLoop_round

	.irp	r, 0, 1, 2, 3, 4, 5, 6, 7
	and	v\r\().16b, v\r\().16b, v29.16b
	.endr
	st4	{v0.4s - v3.4s}, [x0], #64
	st4	{v4.4s - v7.4s}, [x0], #64
	sub	x1, x1, #1
	cbnz	x1, .LditherLoop_loop

.LditherLoop_done:
	ret
