#include "textflag.h"

// func strided8x16AVX512(K int, rows *[8]*float32, step int, b *float32, y *float32, ldy int, factor float32)
//
//	for i := range 8 {
//		for j := range 16 {
//			y[i*ldy+j] = factor · Σ_{k<K} rows[i][k*step] * b[k*16+j]
//		}
//	}
//
//	CX k left   AX k·step, SI step   R8–R13, BX, DX the rows   DI b, one row of 16
//	Z0–Z7 the tile, Z8 the row of b  R8 y, R9 ldy·4 at the end

// STEP adds one k, at byte offset at of b.
#define STEP(at) \
	VMOVUPS          at(DI), Z8;          \
	VFMADD231PS.BCST (R8)(AX*4), Z8, Z0;  \
	VFMADD231PS.BCST (R9)(AX*4), Z8, Z1;  \
	VFMADD231PS.BCST (R10)(AX*4), Z8, Z2; \
	VFMADD231PS.BCST (R11)(AX*4), Z8, Z3; \
	VFMADD231PS.BCST (R12)(AX*4), Z8, Z4; \
	VFMADD231PS.BCST (R13)(AX*4), Z8, Z5; \
	VFMADD231PS.BCST (BX)(AX*4), Z8, Z6;  \
	VFMADD231PS.BCST (DX)(AX*4), Z8, Z7;  \
	ADDQ             SI, AX

// STORE writes a row of y.
#define STORE(row) \
	VMULPS  Z8, row, row; \
	VMOVUPS row, (R8);    \
	ADDQ    R9, R8

TEXT ·strided8x16AVX512(SB), NOSPLIT, $0-52
	MOVQ   K+0(FP), CX
	MOVQ   rows+8(FP), SI
	MOVQ   b+24(FP), DI
	MOVQ   0(SI), R8
	MOVQ   8(SI), R9
	MOVQ   16(SI), R10
	MOVQ   24(SI), R11
	MOVQ   32(SI), R12
	MOVQ   40(SI), R13
	MOVQ   48(SI), BX
	MOVQ   56(SI), DX
	MOVQ   step+16(FP), SI
	XORQ   AX, AX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7

	SUBQ $4, CX
	JLT  rest

	PCALIGN $64

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
	VBROADCASTSS factor+48(FP), Z8
	MOVQ         y+32(FP), R8
	MOVQ         ldy+40(FP), R9
	SHLQ         $2, R9
	STORE(Z0)
	STORE(Z1)
	STORE(Z2)
	STORE(Z3)
	STORE(Z4)
	STORE(Z5)
	STORE(Z6)
	STORE(Z7)
	VZEROUPPER
	RET
