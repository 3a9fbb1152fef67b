#include "textflag.h"
#include "dot_amd64.h"
#include "tile_14x32_amd64.h"

// func codeColumn14x32BF16(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//
//	for t := range tiles {
//		for i := range 14 {
//			for j := range 32 {
//				c[(14*t+i)*ldc+j] += Σ_{v<groups·words} Σ_{k<2} a[t*stride:][v, i, k] * b[j/16, v, j%16, k]
//			}
//		}
//	}
//
// a and b are bfloat16; pairs are added to float32 sums as VDPBF16PS does.
// scales and start are not read.
//
// func code14x16BF16(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//
// The same for one tile and j < 16.
//
//	R13 tiles left       R14 a of the tile        R11 groups·words
//	CX words left        R8 stride                R10 b
//	SI a, 14 words       DI b, 16 words           R15 panel
//	BX c                 R9 ldc·4
//	R12 next             DX step                  AX apart
//	Z0–Z27 the tile: row i in Z(2i), Z(2i+1); for 16 columns in Z(2i)
//	Z28, Z29 the words of b                       Z30, Z31 words of a, in turn

// ROW adds the word of a at offset a times those of b to one row of the tile.
#define ROW(a, word, low, high) \
	VPBROADCASTD a(SI), word; \
	low;                      \
	high

// HALF is ROW for 16 columns.
#define HALF(a, word, low) \
	VPBROADCASTD a(SI), word; \
	low

// DOTS is the STEP of tile_14x32_amd64.h.
#define DOTS(a, b) \
	LOAD(b);                                                        \
	ROW((a+0), Z30, VDPBF16PS_Z30_Z28_Z0, VDPBF16PS_Z30_Z29_Z1);    \
	ROW((a+4), Z31, VDPBF16PS_Z31_Z28_Z2, VDPBF16PS_Z31_Z29_Z3);    \
	ROW((a+8), Z30, VDPBF16PS_Z30_Z28_Z4, VDPBF16PS_Z30_Z29_Z5);    \
	ROW((a+12), Z31, VDPBF16PS_Z31_Z28_Z6, VDPBF16PS_Z31_Z29_Z7);   \
	ROW((a+16), Z30, VDPBF16PS_Z30_Z28_Z8, VDPBF16PS_Z30_Z29_Z9);   \
	ROW((a+20), Z31, VDPBF16PS_Z31_Z28_Z10, VDPBF16PS_Z31_Z29_Z11); \
	ROW((a+24), Z30, VDPBF16PS_Z30_Z28_Z12, VDPBF16PS_Z30_Z29_Z13); \
	ROW((a+28), Z31, VDPBF16PS_Z31_Z28_Z14, VDPBF16PS_Z31_Z29_Z15); \
	ROW((a+32), Z30, VDPBF16PS_Z30_Z28_Z16, VDPBF16PS_Z30_Z29_Z17); \
	ROW((a+36), Z31, VDPBF16PS_Z31_Z28_Z18, VDPBF16PS_Z31_Z29_Z19); \
	ROW((a+40), Z30, VDPBF16PS_Z30_Z28_Z20, VDPBF16PS_Z30_Z29_Z21); \
	ROW((a+44), Z31, VDPBF16PS_Z31_Z28_Z22, VDPBF16PS_Z31_Z29_Z23); \
	ROW((a+48), Z30, VDPBF16PS_Z30_Z28_Z24, VDPBF16PS_Z30_Z29_Z25); \
	ROW((a+52), Z31, VDPBF16PS_Z31_Z28_Z26, VDPBF16PS_Z31_Z29_Z27)

// STORE adds a row of the tile to a row of c.
#define STORE(low, high) \
	VADDPS  (BX), low, low;     \
	VADDPS  64(BX), high, high; \
	VMOVUPS low, (BX);          \
	VMOVUPS high, 64(BX);       \
	ADDQ    R9, BX

// STOREHALF is STORE for 16 columns.
#define STOREHALF(low) \
	VADDPS  (BX), low, low; \
	VMOVUPS low, (BX);      \
	ADDQ    R9, BX

TEXT ·codeColumn14x32BF16(SB), NOSPLIT, $0-112
	MOVQ  tiles+0(FP), R13
	MOVQ  stride+8(FP), R8
	MOVQ  groups+16(FP), R11
	IMULQ words+24(FP), R11
	MOVQ  a+32(FP), R14
	MOVQ  b+40(FP), R10
	MOVQ  panel+48(FP), R15
	MOVQ  c+72(FP), BX
	MOVQ  ldc+80(FP), R9
	MOVQ  next+88(FP), R12
	MOVQ  step+96(FP), DX
	MOVQ  apart+104(FP), AX
	SHLQ  $2, R9

tile:
	ZERO
	MOVQ R14, SI
	MOVQ R10, DI
	MOVQ R11, CX
	SUBQ $2, CX
	JLT  last

	PCALIGN $64

two:
	PREFETCHT1 (R12)
	PREFETCHT1 (R12)(AX*1)
	ADDQ       DX, R12
	DOTS(0, 0)
	DOTS(56, 64)
	ADDQ       $112, SI
	ADDQ       $128, DI
	SUBQ       $2, CX
	JGE        two

last:
	ADDQ $2, CX
	JZ   store
	DOTS(0, 0)

store:
	STORETILE
	ADDQ R8, R14
	DECQ R13
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·code14x16BF16(SB), NOSPLIT, $0-72
	MOVQ  groups+0(FP), CX
	IMULQ words+8(FP), CX
	MOVQ  a+16(FP), SI
	MOVQ  b+24(FP), DI
	MOVQ  c+56(FP), BX
	MOVQ  ldc+64(FP), R9
	SHLQ  $2, R9
	ZEROHALF
	TESTQ CX, CX
	JZ    store

	PCALIGN $64

loop:
	VMOVDQU32  (DI), Z28
	PREFETCHT0 512(DI)
	HALF(0, Z30, VDPBF16PS_Z30_Z28_Z0)
	HALF(4, Z31, VDPBF16PS_Z31_Z28_Z2)
	HALF(8, Z30, VDPBF16PS_Z30_Z28_Z4)
	HALF(12, Z31, VDPBF16PS_Z31_Z28_Z6)
	HALF(16, Z30, VDPBF16PS_Z30_Z28_Z8)
	HALF(20, Z31, VDPBF16PS_Z31_Z28_Z10)
	HALF(24, Z30, VDPBF16PS_Z30_Z28_Z12)
	HALF(28, Z31, VDPBF16PS_Z31_Z28_Z14)
	HALF(32, Z30, VDPBF16PS_Z30_Z28_Z16)
	HALF(36, Z31, VDPBF16PS_Z31_Z28_Z18)
	HALF(40, Z30, VDPBF16PS_Z30_Z28_Z20)
	HALF(44, Z31, VDPBF16PS_Z31_Z28_Z22)
	HALF(48, Z30, VDPBF16PS_Z30_Z28_Z24)
	HALF(52, Z31, VDPBF16PS_Z31_Z28_Z26)
	ADDQ       $56, SI
	ADDQ       $64, DI
	DECQ       CX
	JNZ        loop

store:
	STORETILEHALF
	VZEROUPPER
	RET
