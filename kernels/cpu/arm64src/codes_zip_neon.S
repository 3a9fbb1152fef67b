	.arch	armv8-a

//go: func zipOctetsLoop(dst, words *byte, n int)
//go: dst=x0 words=x1 n=x3
//
//	for v := range n {
//		for j := range 16 {
//			word v%2 of (v/2, j) of dst = word j of v of words
//		}
//	}
//
// for n a multiple of 2, at least 2.
zipOctetsLoop:
.LzipOctetsLoop_loop:
	ld1	{v0.4s - v3.4s}, [x1], #64
	ld1	{v4.4s - v7.4s}, [x1], #64
	zip1	v16.4s, v0.4s, v4.4s
	zip2	v17.4s, v0.4s, v4.4s
	zip1	v18.4s, v1.4s, v5.4s
	zip2	v19.4s, v1.4s, v5.4s
	zip1	v20.4s, v2.4s, v6.4s
	zip2	v21.4s, v2.4s, v6.4s
	zip1	v22.4s, v3.4s, v7.4s
	zip2	v23.4s, v3.4s, v7.4s
	st1	{v16.4s - v19.4s}, [x0], #64
	st1	{v20.4s - v23.4s}, [x0], #64
	subs	x3, x3, #2
	b.ne	.LzipOctetsLoop_loop
	ret
