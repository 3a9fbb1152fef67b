	.arch	armv8-a

// transpose turns four k of four rows r into four rows of k.
	.macro	transpose r0, r1, r2, r3, k0, k1, k2, k3
	trn1	v16.4s, \r0\().4s, \r1\().4s	// k0 and k2 of rows 0 and 1
	trn2	v17.4s, \r0\().4s, \r1\().4s	// k1 and k3
	trn1	v18.4s, \r2\().4s, \r3\().4s	// the same of rows 2 and 3
	trn2	v19.4s, \r2\().4s, \r3\().4s
	trn1	\k0\().2d, v16.2d, v18.2d
	trn1	\k1\().2d, v17.2d, v19.2d
	trn2	\k2\().2d, v16.2d, v18.2d
	trn2	\k3\().2d, v17.2d, v19.2d
	.endm

//go: func transpose8Loop(dst *float32, stride int, src *float32, ld int, blocks int)
//go: dst=x0 stride=x1 src=x5 ld=x3 blocks=x4
//
//	for k := range 8 * blocks {
//		for i := range 8 {
//			dst[k*stride+i] = src[i*ld+k]
//		}
//	}
//
// The rows of dst are written in order of k, each over what the one before it
// wrote past stride.
//
//	x0 dst   x1 stride·4   x5–x12 rows 0 to 7   x4 steps of four k left
//	v0–v7 four k of rows 0 to 7   v20–v23 rows 0 to 3 of k, k+1, k+2, k+3
//	v24–v27 rows 4 to 7 of them
transpose8Loop:
	cbz	x4, .Ltranspose8Loop_done
	lsl	x1, x1, #2
	lsl	x4, x4, #1
	add	x6, x5, x3, lsl #2
	add	x7, x6, x3, lsl #2
	add	x8, x7, x3, lsl #2
	add	x9, x8, x3, lsl #2
	add	x10, x9, x3, lsl #2
	add	x11, x10, x3, lsl #2
	add	x12, x11, x3, lsl #2

.Ltranspose8Loop_loop:
	ldr	q0, [x5], #16
	ldr	q1, [x6], #16
	ldr	q2, [x7], #16
	ldr	q3, [x8], #16
	ldr	q4, [x9], #16
	ldr	q5, [x10], #16
	ldr	q6, [x11], #16
	ldr	q7, [x12], #16
	transpose	v0, v1, v2, v3, v20, v21, v22, v23
	transpose	v4, v5, v6, v7, v24, v25, v26, v27
	stp	q20, q24, [x0]
	add	x0, x0, x1
	stp	q21, q25, [x0]
	add	x0, x0, x1
	stp	q22, q26, [x0]
	add	x0, x0, x1
	stp	q23, q27, [x0]
	add	x0, x0, x1
	sub	x4, x4, #1
	cbnz	x4, .Ltranspose8Loop_loop

.Ltranspose8Loop_done:
	ret
