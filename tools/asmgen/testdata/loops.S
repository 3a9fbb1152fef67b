// What asmgen carries over, and how.

	.arch	armv8.6-a+i8mm

	.section .rodata
// Two tables.
halves:
	.float	0.5, 1.5	// as they come
	.word	0x7fffffff
ends:
	.word	1
	.text

// add2 adds v(n) to v(d).
	.macro	add2 d, n
	fadd	v\d\().4s, v\d\().4s, v\n\().4s	// gone
	.endm

// load2 loads v(d) and v(e) from offset on.
	.macro	load2 d, e, offset
	ldr	q\d, [x1, #\offset]
	ldr	q\e, [x1, #\offset + 16]
	.endm

//go: func sumLoop(unused int32, x *float32, n int, few uint32, factor float32) float32
//go: x=x1 n=x3 few=w5 factor=s9 ret=s0
//
//	factor · Σ x[i]
//
//	x1 x   x3 elements left
sumLoop:
	.irp	r, 0, 1
	movi	v\r\().16b, #0
	.endr
	ldr	x4, =halves
	cbz	x3, .LsumLoop_done
.LsumLoop_next:
	// four and four
	ld1	{v2.4s,v3.4s}, [x1], #32
	add2	0, 2	// even
	add2	1, 3
	load2	2, 3, 0
	subs	x3, x3, #8	// to go
	b.ne	.LsumLoop_next
	cbnz	w5, .LsumLoop_next
	tbnz	x5, #3, .LsumLoop_done
	b	.LsumLoop_done
.LsumLoop_done:
	fmul	s0, s0, s9
	ret

//go: func ours(t *table)
//go: t=x0
ours:
	smmla	v0.4s, v1.16b, v2.16b
	ret
