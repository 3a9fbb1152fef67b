#include "textflag.h"

// func signsLoop(z *float32, words *uint32, n int)
//
//	for w := range n {
//		for b := range 32 {
//			z[32*w+b] = +1 if words[w]>>b&1 == 1 else −1
//		}
//	}
//
//	DI z   SI words   CX words left
//	Y0 a word in every lane   Y1–Y4 shifts that bring bits 0–7, 8–15, 16–23 and
//	24–31 to the sign        Y5 the sign bit   Y6 1   Y7–Y10 the signs

DATA signs<>+0(SB)/4, $31
DATA signs<>+4(SB)/4, $30
DATA signs<>+8(SB)/4, $29
DATA signs<>+12(SB)/4, $28
DATA signs<>+16(SB)/4, $27
DATA signs<>+20(SB)/4, $26
DATA signs<>+24(SB)/4, $25
DATA signs<>+28(SB)/4, $24
DATA signs<>+32(SB)/4, $8
DATA signs<>+36(SB)/4, $0x80000000
DATA signs<>+40(SB)/4, $1.0
GLOBL signs<>(SB), RODATA|NOPTR, $44

// EIGHT writes the signs of eight bits.
#define EIGHT(shifts, y, at) \
	VPSLLVD shifts, Y0, y; \
	VPANDN  Y5, y, y;      \
	VPOR    Y6, y, y;      \
	VMOVDQU y, at(DI)

TEXT ·signsLoop(SB), NOSPLIT, $0-24
	MOVQ         z+0(FP), DI
	MOVQ         words+8(FP), SI
	MOVQ         n+16(FP), CX
	VMOVDQU      signs<>+0(SB), Y1
	VPBROADCASTD signs<>+32(SB), Y5
	VPSUBD       Y5, Y1, Y2
	VPSUBD       Y5, Y2, Y3
	VPSUBD       Y5, Y3, Y4
	VPBROADCASTD signs<>+36(SB), Y5
	VPBROADCASTD signs<>+40(SB), Y6
	TESTQ        CX, CX
	JZ           done

loop:
	VPBROADCASTD (SI), Y0
	EIGHT(Y1, Y7, 0)
	EIGHT(Y2, Y8, 32)
	EIGHT(Y3, Y9, 64)
	EIGHT(Y4, Y10, 96)
	ADDQ         $4, SI
	ADDQ         $128, DI
	DECQ         CX
	JNZ          loop

done:
	VZEROUPPER
	RET
