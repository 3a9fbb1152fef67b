#include "textflag.h"

// func project12x8AVX2(tiles, K int, x *float32, ldx int, b, y *float32, ldy int, factor float32)
//
//	for i := range 12 * tiles {
//		for j := range 8 {
//			y[i*ldy+j] = factor · Σ_{k<K} x[i*ldx+k] * b[k*16+j]
//		}
//	}
//
//	R13 tiles left       CX k left                R14 ldx·4
//	R8–R11 rows 0, 3, 6 and 9 of the tile's x, at k   R15 its row 0
//	DI b, eight of a row of 16                    BX y   DX ldy·4
//	AX what follows the tile in x, to prefetch: its rows are short, each is another
//	stream, and the processor would foresee none of them
//	Y0–Y11 the tile, Y12 the row of b             Y14, Y15 elements of x, in turn

// ROW adds an element of x times the row of b to one row of the tile.
#define ROW(x, element, sum) \
	VBROADCASTSS x, element;       \
	VFMADD231PS  Y12, element, sum

// STEP adds one k, at byte offsets x and b.
#define STEP(x, b) \
	VMOVUPS b(DI), Y12;           \
	ROW(x(R8), Y14, Y0);          \
	ROW(x(R8)(R14*1), Y15, Y1);   \
	ROW(x(R8)(R14*2), Y14, Y2);   \
	ROW(x(R9), Y15, Y3);          \
	ROW(x(R9)(R14*1), Y14, Y4);   \
	ROW(x(R9)(R14*2), Y15, Y5);   \
	ROW(x(R10), Y14, Y6);         \
	ROW(x(R10)(R14*1), Y15, Y7);  \
	ROW(x(R10)(R14*2), Y14, Y8);  \
	ROW(x(R11), Y15, Y9);         \
	ROW(x(R11)(R14*1), Y14, Y10); \
	ROW(x(R11)(R14*2), Y15, Y11)

// STORE writes a row of y.
#define STORE(sum) \
	VMULPS  Y12, sum, sum; \
	VMOVUPS sum, (BX);     \
	ADDQ    DX, BX

TEXT ·project12x8AVX2(SB), NOSPLIT, $0-60
	MOVQ tiles+0(FP), R13
	MOVQ x+16(FP), R15
	MOVQ ldx+24(FP), R14
	MOVQ y+40(FP), BX
	MOVQ ldy+48(FP), DX
	SHLQ $2, R14
	SHLQ $2, DX

tile:
	LEAQ   (R14)(R14*2), AX
	MOVQ   R15, R8
	LEAQ   (R8)(AX*1), R9
	LEAQ   (R9)(AX*1), R10
	LEAQ   (R10)(AX*1), R11
	LEAQ   (R11)(AX*1), R15
	MOVQ   K+8(FP), CX
	MOVQ   b+32(FP), DI
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

	MOVQ R15, AX

	SUBQ $4, CX
	JLT  rest

	PCALIGN $32

four:
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	ADDQ       $192, AX
	STEP(0, 0)
	STEP(4, 64)
	STEP(8, 128)
	STEP(12, 192)
	ADDQ       $16, R8
	ADDQ       $16, R9
	ADDQ       $16, R10
	ADDQ       $16, R11
	ADDQ       $256, DI
	SUBQ       $4, CX
	JGE        four

rest:
	ADDQ $4, CX
	JZ   store

one:
	STEP(0, 0)
	ADDQ $4, R8
	ADDQ $4, R9
	ADDQ $4, R10
	ADDQ $4, R11
	ADDQ $64, DI
	DECQ CX
	JNZ  one

store:
	VBROADCASTSS factor+56(FP), Y12
	STORE(Y0)
	STORE(Y1)
	STORE(Y2)
	STORE(Y3)
	STORE(Y4)
	STORE(Y5)
	STORE(Y6)
	STORE(Y7)
	STORE(Y8)
	STORE(Y9)
	STORE(Y10)
	STORE(Y11)
	DECQ         R13
	JNZ          tile
	VZEROUPPER
	RET
