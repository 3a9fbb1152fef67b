#include "textflag.h"

// func project6x16AVX2(tiles, K int, x *float32, ldx int, b, y *float32, ldy int, factor float32)
//
//	for i := range 6 * tiles {
//		for j := range 16 {
//			y[i*ldy+j] = factor · Σ_{k<K} x[i*ldx+k] * b[k*16+j]
//		}
//	}
//
//	R13 tiles left       CX k left                R14 ldx·4
//	R8, R9 rows 0 and 3 of the tile's x, at k     R15 its row 0
//	DI b, a row of 16                             BX y   DX ldy·4
//	AX what follows the tile in x, to prefetch: its rows are short, each is another
//	stream, and the processor would foresee none of them
//	Y0–Y11 the tile: row i in Y(2i), Y(2i+1)
//	Y12, Y13 the row of b                         Y14, Y15 elements of x, in turn

// ROW adds an element of x times the row of b to one row of the tile.
#define ROW(x, element, low, high) \
	VBROADCASTSS x, element;        \
	VFMADD231PS  Y12, element, low; \
	VFMADD231PS  Y13, element, high

// STEP adds one k, at byte offsets x and b.
#define STEP(x, b) \
	VMOVUPS b(DI), Y12;              \
	VMOVUPS b+32(DI), Y13;           \
	ROW(x(R8), Y14, Y0, Y1);         \
	ROW(x(R8)(R14*1), Y15, Y2, Y3);  \
	ROW(x(R8)(R14*2), Y14, Y4, Y5);  \
	ROW(x(R9), Y15, Y6, Y7);         \
	ROW(x(R9)(R14*1), Y14, Y8, Y9);  \
	ROW(x(R9)(R14*2), Y15, Y10, Y11)

// STORE writes a row of y.
#define STORE(low, high) \
	VMULPS  Y12, low, low;   \
	VMULPS  Y12, high, high; \
	VMOVUPS low, (BX);       \
	VMOVUPS high, 32(BX);    \
	ADDQ    DX, BX

TEXT ·project6x16AVX2(SB), NOSPLIT, $0-60
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
	LEAQ   (R9)(AX*1), R15
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
	MOVQ   R15, AX

	SUBQ $4, CX
	JLT  rest

	PCALIGN $32

four:
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	ADDQ       $96, AX
	PREFETCHT0 1024(DI)
	PREFETCHT0 1088(DI)
	STEP(0, 0)
	STEP(4, 64)
	PREFETCHT0 1152(DI)
	PREFETCHT0 1216(DI)
	STEP(8, 128)
	STEP(12, 192)
	ADDQ       $16, R8
	ADDQ       $16, R9
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
	ADDQ $64, DI
	DECQ CX
	JNZ  one

store:
	VBROADCASTSS factor+56(FP), Y12
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	DECQ         R13
	JNZ          tile
	VZEROUPPER
	RET
