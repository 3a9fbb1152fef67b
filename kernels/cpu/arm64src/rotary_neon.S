// Rotations of the heads of one token by its angles. In each function: x0 y,
// x1 x, x2 cos, x3 sin, x4 half, x5 heads left; x6 cos, x7 sin and x8 pairs left
// in a head.

	.arch	armv8-a

// turn turns four pairs (a, b): v4 = a·cos − b·sin, v5 = b·cos + a·sin, the
// products with the sine rounded first.
	.macro	turn
	fmul	v4.4s, v1.4s, v3.4s
	fmul	v5.4s, v0.4s, v3.4s
	fneg	v4.4s, v4.4s
	fmla	v5.4s, v1.4s, v2.4s
	fmla	v4.4s, v0.4s, v2.4s
	.endm

//go: func turnHalvesLoop(y, x, cos, sin *float32, half, heads int)
//go: y=x0 x=x1 cos=x2 sin=x3 half=x4 heads=x5
//
//	for h := range heads {
//		for i := range half {
//			a, b := x[h*2*half+i], x[h*2*half+half+i]
//			y[h*2*half+i] = a*cos[i] − b*sin[i]
//			y[h*2*half+half+i] = b*cos[i] + a*sin[i]
//		}
//	}
//
// half is a multiple of 8. x9 and x10 are the second halves of x and y.
turnHalvesLoop:
	cbz	x5, .LturnHalvesLoop_done

.LturnHalvesLoop_head:
	add	x9, x1, x4, lsl #2
	add	x10, x0, x4, lsl #2
	mov	x6, x2
	mov	x7, x3
	mov	x8, x4

.LturnHalvesLoop_pair:
	ldr	q0, [x1], #16
	ldr	q1, [x9], #16
	ldr	q2, [x6], #16
	ldr	q3, [x7], #16
	turn
	str	q4, [x0], #16
	str	q5, [x10], #16
	sub	x8, x8, #4
	cbnz	x8, .LturnHalvesLoop_pair
	mov	x1, x9
	mov	x0, x10
	sub	x5, x5, #1
	cbnz	x5, .LturnHalvesLoop_head

.LturnHalvesLoop_done:
	ret

//go: func turnPairsLoop(y, x, cos, sin *float32, half, heads int)
//go: y=x0 x=x1 cos=x2 sin=x3 half=x4 heads=x5
//
//	for h := range heads {
//		for i := range half {
//			a, b := x[h*2*half+2*i], x[h*2*half+2*i+1]
//			y[h*2*half+2*i] = a*cos[i] − b*sin[i]
//			y[h*2*half+2*i+1] = b*cos[i] + a*sin[i]
//		}
//	}
//
// half is a multiple of 4.
turnPairsLoop:
	cbz	x5, .LturnPairsLoop_done

.LturnPairsLoop_head:
	mov	x6, x2
	mov	x7, x3
	mov	x8, x4

.LturnPairsLoop_pair:
	ld2	{v0.4s, v1.4s}, [x1], #32
	ldr	q2, [x6], #16
	ldr	q3, [x7], #16
	turn
	st2	{v4.4s, v5.4s}, [x0], #32
	sub	x8, x8, #4
	cbnz	x8, .LturnPairsLoop_pair
	sub	x5, x5, #1
	cbnz	x5, .LturnPairsLoop_head

.LturnPairsLoop_done:
	ret
