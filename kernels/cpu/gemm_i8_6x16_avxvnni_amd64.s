#include "textflag.h"
#include "dot_amd64.h"

// func code6x16VNNI(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int)
//
//	for g := range groups {
//		for i := range 6 {
//			for j := range 16 {
//				acc := start[g*16+j]
//				for v := words*g; v < words*(g+1); v++ {
//					for k := range 4 {
//						acc += a[v, i, k] * b[v, j, k]
//					}
//				}
//				c[i*ldc+j] += scales[g*16+j] * float32(acc)
//			}
//		}
//	}
//
// a is unsigned, the codes of x plus 128, b signed. groups is at least 1, words
// may be 0.
//
//	R10 groups left      R11 words               CX words left in the group
//	SI a, 6 words        DI b, 16 words          DX scales   R8 start
//	BX c                 R9 ldc·4                AX a row of c
//	Y0–Y11 the tile: row i in Y(2i), Y(2i+1)
//	Y12, Y13 the words of b                      Y14, Y15 words of a, in turn

// ROW adds the word of a at offset a times those of b to one row of the tile.
#define ROW(a, word, low, high) \
	VPBROADCASTD a(SI), word; \
	low;                      \
	high

// STEP adds one word, at byte offsets a and b.
#define STEP(a, b) \
	VMOVDQU b(DI), Y12;                                        \
	VMOVDQU b+32(DI), Y13;                                     \
	ROW(a, Y14, VPDPBUSD_Y12_Y14_Y0, VPDPBUSD_Y13_Y14_Y1);     \
	ROW(a+4, Y15, VPDPBUSD_Y12_Y15_Y2, VPDPBUSD_Y13_Y15_Y3);   \
	ROW(a+8, Y14, VPDPBUSD_Y12_Y14_Y4, VPDPBUSD_Y13_Y14_Y5);   \
	ROW(a+12, Y15, VPDPBUSD_Y12_Y15_Y6, VPDPBUSD_Y13_Y15_Y7);  \
	ROW(a+16, Y14, VPDPBUSD_Y12_Y14_Y8, VPDPBUSD_Y13_Y14_Y9);  \
	ROW(a+20, Y15, VPDPBUSD_Y12_Y15_Y10, VPDPBUSD_Y13_Y15_Y11)

// STORE scales a row of the tile and adds it to a row of c.
#define STORE(low, high) \
	VCVTDQ2PS   low, low;          \
	VCVTDQ2PS   high, high;        \
	VFMADD213PS (AX), Y12, low;    \
	VFMADD213PS 32(AX), Y13, high; \
	VMOVUPS     low, (AX);         \
	VMOVUPS     high, 32(AX);      \
	ADDQ        R9, AX

TEXT ·code6x16VNNI(SB), NOSPLIT, $0-72
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
	VMOVDQU (R8), Y0
	VMOVDQU 32(R8), Y1
	VMOVDQA Y0, Y2
	VMOVDQA Y1, Y3
	VMOVDQA Y0, Y4
	VMOVDQA Y1, Y5
	VMOVDQA Y0, Y6
	VMOVDQA Y1, Y7
	VMOVDQA Y0, Y8
	VMOVDQA Y1, Y9
	VMOVDQA Y0, Y10
	VMOVDQA Y1, Y11
	MOVQ    R11, CX
	SUBQ    $4, CX
	JLT     rest

	PCALIGN $32

four:
	STEP(0, 0)
	STEP(24, 64)
	STEP(48, 128)
	STEP(72, 192)
	ADDQ $96, SI
	ADDQ $256, DI
	SUBQ $4, CX
	JGE  four

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
	VMOVUPS (DX), Y12
	VMOVUPS 32(DX), Y13
	MOVQ    BX, AX
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	ADDQ    $64, DX
	ADDQ    $64, R8
	DECQ    R10
	JNZ     group
	VZEROUPPER
	RET
