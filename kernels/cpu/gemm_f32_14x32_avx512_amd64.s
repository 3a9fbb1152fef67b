#include "textflag.h"

// func column14x32AVX512(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)
//
//	for t := range tiles {
//		for i := 14 * t; i < 14*(t+1); i++ {
//			for j := range 32 {
//				c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[(t*kc+k)*14+i%14] * b[j/16*panel+k*16+j%16]
//			}
//		}
//	}
//
// func gemm14x16AVX512(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)
//
//	for i := range 14 {
//		for j := range 16 {
//			c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[k*14+i] * b[k*16+j]
//		}
//	}
//
//	R13 tiles left       R14 kc                   CX k left
//	SI a, one column of 14   R15 b                DI one row of 16 of it   R10 panel·4
//	DX d   R8 ldd·4      BX c   R9 ldc·4
//	R11 next             R12 step                 AX apart
//	Z0–Z27 the tile: row i in Z(2i), Z(2i+1); for 16 columns in Z(2i)
//	Z28, Z29 the row of b                         Z30, Z31 elements of a, in turn

// ROW adds element a of the column times the row of b to one row of the tile.
#define ROW(a, element, low, high) \
	VBROADCASTSS a(SI), element;    \
	VFMADD231PS  Z28, element, low; \
	VFMADD231PS  Z29, element, high

// STEP is a column of a times a row of b, a and b bytes further. What follows in
// b is wanted from the second cache: the two panels' slices fill the first.
#define STEP(a, b) \
	VMOVUPS    b(DI), Z28;         \
	VMOVUPS    b(DI)(R10*1), Z29;  \
	PREFETCHT0 (b+512)(DI);        \
	PREFETCHT0 (b+512)(DI)(R10*1); \
	ROW((a+0), Z30, Z0, Z1);       \
	ROW((a+4), Z31, Z2, Z3);       \
	ROW((a+8), Z30, Z4, Z5);       \
	ROW((a+12), Z31, Z6, Z7);      \
	ROW((a+16), Z30, Z8, Z9);      \
	ROW((a+20), Z31, Z10, Z11);    \
	ROW((a+24), Z30, Z12, Z13);    \
	ROW((a+28), Z31, Z14, Z15);    \
	ROW((a+32), Z30, Z16, Z17);    \
	ROW((a+36), Z31, Z18, Z19);    \
	ROW((a+40), Z30, Z20, Z21);    \
	ROW((a+44), Z31, Z22, Z23);    \
	ROW((a+48), Z30, Z24, Z25);    \
	ROW((a+52), Z31, Z26, Z27)

// HALF is ROW for 16 columns.
#define HALF(a, element, low) \
	VBROADCASTSS a(SI), element;   \
	VFMADD231PS  Z28, element, low

// STORE adds a row of d and writes a row of c.
#define STORE(low, high) \
	VADDPS  (DX), low, low;     \
	VADDPS  64(DX), high, high; \
	VMOVUPS low, (BX);          \
	VMOVUPS high, 64(BX);       \
	ADDQ    R8, DX;             \
	ADDQ    R9, BX

// STOREHALF is STORE for 16 columns.
#define STOREHALF(low) \
	VADDPS  (DX), low, low; \
	VMOVUPS low, (BX);      \
	ADDQ    R8, DX;         \
	ADDQ    R9, BX

TEXT ·column14x32AVX512(SB), NOSPLIT, $0-96
	MOVQ tiles+0(FP), R13
	MOVQ kc+8(FP), R14
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), R15
	MOVQ panel+32(FP), R10
	MOVQ d+40(FP), DX
	MOVQ ldd+48(FP), R8
	MOVQ c+56(FP), BX
	MOVQ ldc+64(FP), R9
	MOVQ next+72(FP), R11
	MOVQ step+80(FP), R12
	MOVQ apart+88(FP), AX
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10

tile:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	VPXORD Z12, Z12, Z12
	VPXORD Z13, Z13, Z13
	VPXORD Z14, Z14, Z14
	VPXORD Z15, Z15, Z15
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	VPXORD Z20, Z20, Z20
	VPXORD Z21, Z21, Z21
	VPXORD Z22, Z22, Z22
	VPXORD Z23, Z23, Z23
	VPXORD Z24, Z24, Z24
	VPXORD Z25, Z25, Z25
	VPXORD Z26, Z26, Z26
	VPXORD Z27, Z27, Z27
	MOVQ   R14, CX
	MOVQ   R15, DI
	SUBQ   $4, CX
	JLT    rest

	PCALIGN $64

four:
	PREFETCHT1 (R11)
	PREFETCHT1 (R11)(AX*1)
	ADDQ       R12, R11
	STEP(0, 0)
	STEP(56, 64)
	STEP(112, 128)
	STEP(168, 192)
	ADDQ       $224, SI
	ADDQ       $256, DI
	SUBQ       $4, CX
	JGE        four

rest:
	ADDQ $4, CX
	JZ   store

one:
	STEP(0, 0)
	ADDQ $56, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  one

store:
	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	STORE(Z16, Z17)
	STORE(Z18, Z19)
	STORE(Z20, Z21)
	STORE(Z22, Z23)
	STORE(Z24, Z25)
	STORE(Z26, Z27)
	DECQ R13
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·gemm14x16AVX512(SB), NOSPLIT, $0-64
	MOVQ   kc+0(FP), CX
	MOVQ   a+8(FP), SI
	MOVQ   b+16(FP), DI
	MOVQ   d+32(FP), DX
	MOVQ   ldd+40(FP), R8
	MOVQ   c+48(FP), BX
	MOVQ   ldc+56(FP), R9
	SHLQ   $2, R8
	SHLQ   $2, R9
	VPXORD Z0, Z0, Z0
	VPXORD Z2, Z2, Z2
	VPXORD Z4, Z4, Z4
	VPXORD Z6, Z6, Z6
	VPXORD Z8, Z8, Z8
	VPXORD Z10, Z10, Z10
	VPXORD Z12, Z12, Z12
	VPXORD Z14, Z14, Z14
	VPXORD Z16, Z16, Z16
	VPXORD Z18, Z18, Z18
	VPXORD Z20, Z20, Z20
	VPXORD Z22, Z22, Z22
	VPXORD Z24, Z24, Z24
	VPXORD Z26, Z26, Z26
	TESTQ  CX, CX
	JZ     store

	PCALIGN $64

loop:
	VMOVUPS    (DI), Z28
	PREFETCHT0 512(DI)
	HALF(0, Z30, Z0)
	HALF(4, Z31, Z2)
	HALF(8, Z30, Z4)
	HALF(12, Z31, Z6)
	HALF(16, Z30, Z8)
	HALF(20, Z31, Z10)
	HALF(24, Z30, Z12)
	HALF(28, Z31, Z14)
	HALF(32, Z30, Z16)
	HALF(36, Z31, Z18)
	HALF(40, Z30, Z20)
	HALF(44, Z31, Z22)
	HALF(48, Z30, Z24)
	HALF(52, Z31, Z26)
	ADDQ       $56, SI
	ADDQ       $64, DI
	DECQ       CX
	JNZ        loop

store:
	STOREHALF(Z0)
	STOREHALF(Z2)
	STOREHALF(Z4)
	STOREHALF(Z6)
	STOREHALF(Z8)
	STOREHALF(Z10)
	STOREHALF(Z12)
	STOREHALF(Z14)
	STOREHALF(Z16)
	STOREHALF(Z18)
	STOREHALF(Z20)
	STOREHALF(Z22)
	STOREHALF(Z24)
	STOREHALF(Z26)
	VZEROUPPER
	RET
