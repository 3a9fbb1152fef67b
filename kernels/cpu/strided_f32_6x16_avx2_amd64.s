#include "textflag.h"

// func strided6x16AVX2(rows, K int, x *float32, ldx, step int, b, y *float32, ldy int, factor float32)
//
//	for i := range rows {
//		for j := range 16 {
//			y[i*ldy+j] = factor · Σ_{k<K} x[i*ldx+k*step] * b[k*16+j]
//		}
//	}
//
// by tiles of six rows, the last one's being joined by repetitions of the last row.
//
//	R15 rows left        R14 ldx·4
//	CX k left   AX k·step, SI step   R8–R13 the rows   DI b, one row of 16
//	BX y        DX ldy·4
//	Y0–Y11 the tile: row i in Y(2i), Y(2i+1)
//	Y12, Y13 the row of b                  Y14, Y15 elements of rows, in turn

// ROW adds an element of a row times the row of b to one row of the tile.
#define ROW(row, element, low, high) \
	VBROADCASTSS (row)(AX*4), element; \
	VFMADD231PS  Y12, element, low;    \
	VFMADD231PS  Y13, element, high

// STEP adds one k, at byte offset at of b.
#define STEP(at) \
	VMOVUPS at(DI), Y12;     \
	VMOVUPS at+32(DI), Y13;  \
	ROW(R8, Y14, Y0, Y1);    \
	ROW(R9, Y15, Y2, Y3);    \
	ROW(R10, Y14, Y4, Y5);   \
	ROW(R11, Y15, Y6, Y7);   \
	ROW(R12, Y14, Y8, Y9);   \
	ROW(R13, Y15, Y10, Y11); \
	ADDQ    SI, AX

// STORE writes a row of y.
#define STORE(low, high) \
	VMULPS  Y12, low, low;   \
	VMULPS  Y12, high, high; \
	VMOVUPS low, (BX);       \
	VMOVUPS high, 32(BX);    \
	ADDQ    DX, BX

// NEXT finds the row behind row, or finds it again where that is the last: row number of
// the tile.
#define NEXT(number, row, behind) \
	MOVQ    row, behind;      \
	LEAQ    (row)(R14*1), AX; \
	CMPQ    R15, $(number);   \
	CMOVQGT AX, behind

TEXT ·strided6x16AVX2(SB), NOSPLIT, $0-68
	MOVQ rows+0(FP), R15
	MOVQ x+16(FP), R8
	MOVQ ldx+24(FP), R14
	MOVQ step+32(FP), SI
	MOVQ y+48(FP), BX
	MOVQ ldy+56(FP), DX
	SHLQ $2, R14
	SHLQ $2, DX

tile:
	NEXT(1, R8, R9)
	NEXT(2, R9, R10)
	NEXT(3, R10, R11)
	NEXT(4, R11, R12)
	NEXT(5, R12, R13)
	MOVQ   K+8(FP), CX
	MOVQ   b+40(FP), DI
	XORQ   AX, AX
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

	SUBQ $4, CX
	JLT  rest

	PCALIGN $32

four:
	PREFETCHT0 1024(DI)
	PREFETCHT0 1088(DI)
	STEP(0)
	STEP(64)
	PREFETCHT0 1152(DI)
	PREFETCHT0 1216(DI)
	STEP(128)
	STEP(192)
	ADDQ       $256, DI
	SUBQ       $4, CX
	JGE        four

rest:
	ADDQ $4, CX
	JZ   store

one:
	STEP(0)
	ADDQ $64, DI
	DECQ CX
	JNZ  one

store:
	VBROADCASTSS factor+64(FP), Y12
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	LEAQ         (R14)(R14*2), AX
	LEAQ         (R8)(AX*2), R8
	SUBQ         $6, R15
	JGT          tile
	VZEROUPPER
	RET
