#include "textflag.h"

// func transpose8Loop(dst *float32, stride int, src *float32, ld int, blocks int)
//
//	for k := range 8 * blocks {
//		for i := range 8 {
//			dst[k*stride+i] = src[i*ld+k]
//		}
//	}
//
// The rows of dst are written in order of k, each over what the one before it
// wrote past stride.
//
//	DI dst   R8 stride·4     CX blocks left
//	SI src   R9 ld·4   R10 3·ld·4   R11 src + 4·ld
//	Y0–Y3 k to k+3 of rows i (low half) and i+4; Y4–Y7 the same for k+4 to k+7

// LOAD reads four k of rows i and i+4, whose offsets from SI and R11 are equal.
#define LOAD(low, high, x, y) \
	VMOVUPS     low, x;        \
	VINSERTF128 $1, high, y, y

// FOUR transposes four k of eight rows and writes them.
#define FOUR(a, b, c, d) \
	VUNPCKLPS b, a, Y8;     \
	VUNPCKHPS b, a, Y9;     \
	VUNPCKLPS d, c, Y10;    \
	VUNPCKHPS d, c, Y11;    \
	VUNPCKLPD Y10, Y8, Y12; \
	VUNPCKHPD Y10, Y8, Y13; \
	VUNPCKLPD Y11, Y9, Y14; \
	VUNPCKHPD Y11, Y9, Y15; \
	VMOVUPS   Y12, (DI);    \
	ADDQ      R8, DI;       \
	VMOVUPS   Y13, (DI);    \
	ADDQ      R8, DI;       \
	VMOVUPS   Y14, (DI);    \
	ADDQ      R8, DI;       \
	VMOVUPS   Y15, (DI);    \
	ADDQ      R8, DI

TEXT ·transpose8Loop(SB), NOSPLIT, $0-40
	MOVQ  dst+0(FP), DI
	MOVQ  stride+8(FP), R8
	MOVQ  src+16(FP), SI
	MOVQ  ld+24(FP), R9
	MOVQ  blocks+32(FP), CX
	SHLQ  $2, R8
	SHLQ  $2, R9
	LEAQ  (R9)(R9*2), R10
	LEAQ  (SI)(R9*4), R11
	TESTQ CX, CX
	JZ    done

loop:
	LOAD((SI), (R11), X0, Y0)
	LOAD((SI)(R9*1), (R11)(R9*1), X1, Y1)
	LOAD((SI)(R9*2), (R11)(R9*2), X2, Y2)
	LOAD((SI)(R10*1), (R11)(R10*1), X3, Y3)
	LOAD(16(SI), 16(R11), X4, Y4)
	LOAD(16(SI)(R9*1), 16(R11)(R9*1), X5, Y5)
	LOAD(16(SI)(R9*2), 16(R11)(R9*2), X6, Y6)
	LOAD(16(SI)(R10*1), 16(R11)(R10*1), X7, Y7)
	FOUR(Y0, Y1, Y2, Y3)
	FOUR(Y4, Y5, Y6, Y7)
	ADDQ $32, SI
	ADDQ $32, R11
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET
