#include "textflag.h"
#include "tile_14x32_amd64.h"

// func codeColumn14x32VNNI(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//
//	for t := range tiles {
//		for g := range groups {
//			for i := range 14 {
//				for j := range 32 {
//					acc := start[g*32+j]
//					for v := words*g; v < words*(g+1); v++ {
//						for k := range 4 {
//							acc += a[t*stride:][v, i, k] * b[j/16, v, j%16, k]
//						}
//					}
//					c[(14*t+i)*ldc+j] += scales[g*32+j] * float32(acc)
//				}
//			}
//		}
//	}
//
// a is unsigned, the codes of x plus 128, b signed. groups is at least 1, words
// may be 0.
//
// func code14x16VNNI(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//
// The same for one tile and j < 16, with 16 scales and starts a group.
//
//	R13 tiles left       R14 a of the tile
//	R10 groups left      R11 words                CX words left in the group
//	SI a, 14 words       DI b, 16 words           R15 panel
//	DX scales            R8 start                 BX c         R9 ldc·4
//	R12 next             AX apart; then a row of c
//	Z0–Z27 the tile: row i in Z(2i), Z(2i+1); for 16 columns in Z(2i)
//	Z28, Z29 the words of b                       Z30, Z31 words of a, in turn

// ROW adds the word of a at offset a times those of b to one row of the tile.
#define ROW(a, word, low, high) \
	VPBROADCASTD a(SI), word;    \
	VPDPBUSD     Z28, word, low; \
	VPDPBUSD     Z29, word, high

// HALF is ROW for 16 columns.
#define HALF(a, word, low) \
	VPBROADCASTD a(SI), word;   \
	VPDPBUSD     Z28, word, low

// STORE scales a row of the tile and adds it to a row of c.
#define STORE(low, high) \
	VCVTDQ2PS   low, low;          \
	VCVTDQ2PS   high, high;        \
	VFMADD213PS (AX), Z28, low;    \
	VFMADD213PS 64(AX), Z29, high; \
	VMOVUPS     low, (AX);         \
	VMOVUPS     high, 64(AX);      \
	ADDQ        R9, AX

// STOREHALF is STORE for 16 columns.
#define STOREHALF(low) \
	VCVTDQ2PS   low, low;       \
	VFMADD213PS (AX), Z28, low; \
	VMOVUPS     low, (AX);      \
	ADDQ        R9, AX

TEXT ·codeColumn14x32VNNI(SB), NOSPLIT, $0-112
	MOVQ tiles+0(FP), R13
	MOVQ words+24(FP), R11
	MOVQ a+32(FP), R14
	MOVQ panel+48(FP), R15
	MOVQ c+72(FP), BX
	MOVQ ldc+80(FP), R9
	MOVQ next+88(FP), R12
	SHLQ $2, R9

tile:
	MOVQ groups+16(FP), R10
	MOVQ R14, SI
	MOVQ b+40(FP), DI
	MOVQ scales+56(FP), DX
	MOVQ start+64(FP), R8

group:
	VMOVDQU32 (R8), Z0
	VMOVDQU32 64(R8), Z1
	VMOVDQA32 Z0, Z2
	VMOVDQA32 Z1, Z3
	VMOVDQA32 Z0, Z4
	VMOVDQA32 Z1, Z5
	VMOVDQA32 Z0, Z6
	VMOVDQA32 Z1, Z7
	VMOVDQA32 Z0, Z8
	VMOVDQA32 Z1, Z9
	VMOVDQA32 Z0, Z10
	VMOVDQA32 Z1, Z11
	VMOVDQA32 Z0, Z12
	VMOVDQA32 Z1, Z13
	VMOVDQA32 Z0, Z14
	VMOVDQA32 Z1, Z15
	VMOVDQA32 Z0, Z16
	VMOVDQA32 Z1, Z17
	VMOVDQA32 Z0, Z18
	VMOVDQA32 Z1, Z19
	VMOVDQA32 Z0, Z20
	VMOVDQA32 Z1, Z21
	VMOVDQA32 Z0, Z22
	VMOVDQA32 Z1, Z23
	VMOVDQA32 Z0, Z24
	VMOVDQA32 Z1, Z25
	VMOVDQA32 Z0, Z26
	VMOVDQA32 Z1, Z27
	MOVQ      apart+104(FP), AX
	MOVQ      R11, CX
	SUBQ      $2, CX
	JLT       last

	PCALIGN $64

two:
	PREFETCHT1 (R12)
	PREFETCHT1 (R12)(AX*1)
	ADDQ       step+96(FP), R12
	STEP(0, 0)
	STEP(56, 64)
	ADDQ       $112, SI
	ADDQ       $128, DI
	SUBQ       $2, CX
	JGE        two

last:
	ADDQ $2, CX
	JZ   store
	STEP(0, 0)
	ADDQ $56, SI
	ADDQ $64, DI

store:
	VMOVUPS (DX), Z28
	VMOVUPS 64(DX), Z29
	MOVQ    BX, AX
	STORETILE
	ADDQ    $128, DX
	ADDQ    $128, R8
	DECQ    R10
	JNZ     group
	ADDQ    stride+8(FP), R14
	MOVQ    AX, BX
	DECQ    R13
	JNZ     tile
	VZEROUPPER
	RET

TEXT ·code14x16VNNI(SB), NOSPLIT, $0-72
	MOVQ groups+0(FP), R10
	MOVQ words+8(FP), R11
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DI
	MOVQ scales+40(FP), DX
	MOVQ start+48(FP), R8
	MOVQ c+56(FP), BX
	MOVQ ldc+64(FP), R9
	SHLQ $2, R9

group:
	VMOVDQU32 (R8), Z0
	VMOVDQA32 Z0, Z2
	VMOVDQA32 Z0, Z4
	VMOVDQA32 Z0, Z6
	VMOVDQA32 Z0, Z8
	VMOVDQA32 Z0, Z10
	VMOVDQA32 Z0, Z12
	VMOVDQA32 Z0, Z14
	VMOVDQA32 Z0, Z16
	VMOVDQA32 Z0, Z18
	VMOVDQA32 Z0, Z20
	VMOVDQA32 Z0, Z22
	VMOVDQA32 Z0, Z24
	VMOVDQA32 Z0, Z26
	MOVQ      R11, CX
	TESTQ     CX, CX
	JZ        store

	PCALIGN $64

loop:
	STEPHALF(0, 0)
	ADDQ $56, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  loop

store:
	VMOVUPS (DX), Z28
	MOVQ    BX, AX
	STORETILEHALF
	ADDQ    $64, DX
	ADDQ    $64, R8
	DECQ    R10
	JNZ     group
	VZEROUPPER
	RET
