// Each loop runs n rounds of 12 independent chains, one for each of the
// accumulators v0 to v11; v12 and v13 are the operands.

	.arch	armv8.6-a+i8mm+bf16+dotprod
	.text

// Clears the accumulators and the operands.
	.macro	zero
	movi	v0.4s, #0
	movi	v1.4s, #0
	movi	v2.4s, #0
	movi	v3.4s, #0
	movi	v4.4s, #0
	movi	v5.4s, #0
	movi	v6.4s, #0
	movi	v7.4s, #0
	movi	v8.4s, #0
	movi	v9.4s, #0
	movi	v10.4s, #0
	movi	v11.4s, #0
	movi	v12.4s, #0
	movi	v13.4s, #0
	.endm

//go: func fmaNEON(n int)
//go: n=x0
fmaNEON:
	zero
	cbz	x0, .LfmaNEON_done
.LfmaNEON_loop:
	.irp	i, 0,1,2,3,4,5,6,7,8,9,10,11
	fmla	v\i\().4s, v12.4s, v13.4s
	.endr
	sub	x0, x0, #1
	cbnz	x0, .LfmaNEON_loop
.LfmaNEON_done:
	ret

//go: func sdotNEON(n int)
//go: n=x0
//
// The sums of four products of i8.
sdotNEON:
	zero
	cbz	x0, .LsdotNEON_done
.LsdotNEON_loop:
	.irp	i, 0,1,2,3,4,5,6,7,8,9,10,11
	sdot	v\i\().4s, v12.16b, v13.16b
	.endr
	sub	x0, x0, #1
	cbnz	x0, .LsdotNEON_loop
.LsdotNEON_done:
	ret

//go: func smmlaNEON(n int)
//go: n=x0
//
// Products of i8 matrices, 2×8 by 8×2.
smmlaNEON:
	zero
	cbz	x0, .LsmmlaNEON_done
.LsmmlaNEON_loop:
	.irp	i, 0,1,2,3,4,5,6,7,8,9,10,11
	smmla	v\i\().4s, v12.16b, v13.16b
	.endr
	sub	x0, x0, #1
	cbnz	x0, .LsmmlaNEON_loop
.LsmmlaNEON_done:
	ret

//go: func bfmmlaNEON(n int)
//go: n=x0
//
// Products of bf16 matrices, 2×4 by 4×2.
bfmmlaNEON:
	zero
	cbz	x0, .LbfmmlaNEON_done
.LbfmmlaNEON_loop:
	.irp	i, 0,1,2,3,4,5,6,7,8,9,10,11
	bfmmla	v\i\().4s, v12.8h, v13.8h
	.endr
	sub	x0, x0, #1
	cbnz	x0, .LbfmmlaNEON_loop
.LbfmmlaNEON_done:
	ret

//go: func smullNEON(n int)
//go: n=x0
//
// i8 without dot products: 16 bytes multiplied to i16, added in pairs to i32.
smullNEON:
	zero
	cbz	x0, .LsmullNEON_done
.LsmullNEON_loop:
	.irp	i, 0,1,2,3,4,5,6,7,8,9,10,11
	smull	v14.8h, v12.8b, v13.8b
	smlal2	v14.8h, v12.16b, v13.16b
	sadalp	v\i\().4s, v14.8h
	.endr
	sub	x0, x0, #1
	cbnz	x0, .LsmullNEON_loop
.LsmullNEON_done:
	ret

//go: func readNEON(p *byte, blocks int)
//go: p=x0 blocks=x1
//
// Reads blocks of 256 bytes.
readNEON:
	cbz	x1, .LreadNEON_done
.LreadNEON_loop:
	ld1	{v0.16b, v1.16b, v2.16b, v3.16b}, [x0], #64
	ld1	{v4.16b, v5.16b, v6.16b, v7.16b}, [x0], #64
	ld1	{v16.16b, v17.16b, v18.16b, v19.16b}, [x0], #64
	ld1	{v20.16b, v21.16b, v22.16b, v23.16b}, [x0], #64
	sub	x1, x1, #1
	cbnz	x1, .LreadNEON_loop
.LreadNEON_done:
	ret
