	.arch	armv8.6-a+bf16

//go: func roundBF16Loop(dst *uint16, x *float32, n int)
//go: dst=x0 x=x1 n=x3
//
//	dst[i] = x[i] to the nearest bfloat16, ties to even, for i < n, a multiple of 8
roundBF16Loop:
	cbz	x3, .LroundBF16Loop_done

.LroundBF16Loop_loop:
	ldp	q0, q1, [x1], #32
	bfcvtn	v0.4h, v0.4s
	bfcvtn2	v0.8h, v1.4s
	str	q0, [x0], #16
	sub	x3, x3, #8
	cbnz	x3, .LroundBF16Loop_loop

.LroundBF16Loop_done:
	ret
