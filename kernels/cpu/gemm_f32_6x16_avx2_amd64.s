#include "textflag.h"

// func column6x16AVX2(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)
//
//	for t := range tiles {
//		for i := 6 * t; i < 6*(t+1); i++ {
//			for j := range 16 {
//				c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[(t*kc+k)*6+i%6] * b[k*16+j]
//			}
//		}
//	}
//
//	R13 tiles left       R14 kc                   CX k left
//	SI a, one column of 6    R15 b                DI one row of 16 of it
//	DX d   R8 ldd·4      BX c   R9 ldc·4          R10 rows of c, to prefetch
//	R11 next             R12 step
//	Y0–Y11 the tile: row i in Y(2i), Y(2i+1)
//	Y12, Y13 the row of b                         Y14, Y15 elements of a, in turn

// ROW adds element a of the column times the row of b to one row of the tile.
#define ROW(a, element, low, high) \
	VBROADCASTSS a(SI), element;    \
	VFMADD231PS  Y12, element, low; \
	VFMADD231PS  Y13, element, high

// STEP adds one k, at byte offsets a and b.
#define STEP(a, b) \
	VMOVUPS b(DI), Y12;      \
	VMOVUPS b+32(DI), Y13;   \
	ROW(a, Y14, Y0, Y1);     \
	ROW(a+4, Y15, Y2, Y3);   \
	ROW(a+8, Y14, Y4, Y5);   \
	ROW(a+12, Y15, Y6, Y7);  \
	ROW(a+16, Y14, Y8, Y9);  \
	ROW(a+20, Y15, Y10, Y11)

// STORE adds a row of d and writes a row of c.
#define STORE(low, high) \
	VADDPS  (DX), low, low;     \
	VADDPS  32(DX), high, high; \
	VMOVUPS low, (BX);          \
	VMOVUPS high, 32(BX);       \
	ADDQ    R8, DX;             \
	ADDQ    R9, BX

TEXT ·column6x16AVX2(SB), NOSPLIT, $0-96
	MOVQ tiles+0(FP), R13
	MOVQ kc+8(FP), R14
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), R15
	MOVQ d+40(FP), DX
	MOVQ ldd+48(FP), R8
	MOVQ c+56(FP), BX
	MOVQ ldc+64(FP), R9
	MOVQ next+72(FP), R11
	MOVQ step+80(FP), R12
	SHLQ $2, R8
	SHLQ $2, R9

tile:
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	MOVQ   R14, CX
	MOVQ   R15, DI

	// The tile's place in c is wanted at the end, all at once. What a and b are
	// read for comes in order, and the processor foresees it; the next slice of W
	// lies elsewhere.
	MOVQ       BX, R10
	PREFETCHT0 (R10)
	ADDQ       R9, R10
	PREFETCHT0 (R10)
	ADDQ       R9, R10
	PREFETCHT0 (R10)
	ADDQ       R9, R10
	PREFETCHT0 (R10)
	ADDQ       R9, R10
	PREFETCHT0 (R10)
	ADDQ       R9, R10
	PREFETCHT0 (R10)

	SUBQ $4, CX
	JLT  rest

	PCALIGN $32

four:
	PREFETCHT1 (R11)
	ADDQ       R12, R11
	STEP(0, 0)
	STEP(24, 64)
	STEP(48, 128)
	STEP(72, 192)
	ADDQ       $96, SI
	ADDQ       $256, DI
	SUBQ       $4, CX
	JGE        four

rest:
	ADDQ $4, CX
	JZ   store

one:
	STEP(0, 0)
	ADDQ $24, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  one

store:
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	DECQ R13
	JNZ  tile
	VZEROUPPER
	RET
