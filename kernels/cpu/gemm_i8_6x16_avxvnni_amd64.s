#include "textflag.h"
#include "dot_amd64.h"

// func codeColumn6x16VNNI(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int)
//
//	for t := range tiles {
//		for g := range groups {
//			for i := range 6 {
//				for j := range 16 {
//					acc := start[g*16+j]
//					for v := words*g; v < words*(g+1); v++ {
//						for k := range 4 {
//							acc += a[t*stride:][v, i, k] * b[v, j, k]
//						}
//					}
//					c[(6*t+i)*ldc+j] += scales[g*16+j] * float32(acc)
//				}
//			}
//		}
//	}
//
// a is unsigned, the codes of x plus 128, b signed. groups is at least 1, words
// may be 0.
//
//	R13 tiles left       R14 a of the tile        R15 stride
//	R10 groups left      R11 words                CX words left in the group
//	SI a, 6 words        DI b, 16 words           DX scales   R8 start
//	BX c                 R9 ldc·4                 AX a row of c             R12 next
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

TEXT ·codeColumn6x16VNNI(SB), NOSPLIT, $0-112
	MOVQ tiles+0(FP), R13
	MOVQ stride+8(FP), R15
	MOVQ words+24(FP), R11
	MOVQ a+32(FP), R14
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
	SUBQ    $2, CX
	JLT     last

	PCALIGN $32

two:
	PREFETCHT1 (R12)
	ADDQ       step+96(FP), R12
	STEP(0, 0)
	STEP(24, 64)
	ADDQ       $48, SI
	ADDQ       $128, DI
	SUBQ       $2, CX
	JGE        two

last:
	ADDQ $2, CX
	JZ   store
	STEP(0, 0)
	ADDQ $24, SI
	ADDQ $64, DI

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
	ADDQ    R15, R14
	MOVQ    AX, BX
	DECQ    R13
	JNZ     tile
	VZEROUPPER
	RET
