#include "textflag.h"
#include "tile_14x32_amd64.h"

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
//	SI a, one column of 14   R10 b                DI one row of 16 of it   R15 panel·4
//	DX d   R8 ldd·4      BX c   R9 ldc·4
//	R11 next             R12 step                 AX apart
//	Z0–Z27 the tile: row i in Z(2i), Z(2i+1); for 16 columns in Z(2i)
//	Z28, Z29 the row of b                         Z30, Z31 elements of a, in turn

// ROW adds element a of the column times the row of b to one row of the tile.
#define ROW(a, element, low, high) \
	VBROADCASTSS a(SI), element;    \
	VFMADD231PS  Z28, element, low; \
	VFMADD231PS  Z29, element, high

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
	MOVQ b+24(FP), R10
	MOVQ panel+32(FP), R15
	MOVQ d+40(FP), DX
	MOVQ ldd+48(FP), R8
	MOVQ c+56(FP), BX
	MOVQ ldc+64(FP), R9
	MOVQ next+72(FP), R11
	MOVQ step+80(FP), R12
	MOVQ apart+88(FP), AX
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R15

tile:
	ZERO
	MOVQ R14, CX
	MOVQ R10, DI
	SUBQ $4, CX
	JLT  rest

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
	STORETILE
	DECQ R13
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·gemm14x16AVX512(SB), NOSPLIT, $0-64
	MOVQ  kc+0(FP), CX
	MOVQ  a+8(FP), SI
	MOVQ  b+16(FP), DI
	MOVQ  d+32(FP), DX
	MOVQ  ldd+40(FP), R8
	MOVQ  c+48(FP), BX
	MOVQ  ldc+56(FP), R9
	SHLQ  $2, R8
	SHLQ  $2, R9
	ZEROHALF
	TESTQ CX, CX
	JZ    store

	PCALIGN $64

loop:
	STEPHALF(0, 0)
	ADDQ $56, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

store:
	STORETILEHALF
	VZEROUPPER
	RET
