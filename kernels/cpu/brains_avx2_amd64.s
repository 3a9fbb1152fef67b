#include "textflag.h"
#include "philox_avx2_amd64.h"

DATA brains<>+0(SB)/4, $0x7f800000
DATA brains<>+4(SB)/4, $0x00400000
DATA brains<>+8(SB)/4, $0x00007fff
DATA brains<>+12(SB)/4, $1
DATA brains<>+16(SB)/4, $0xffff0000
GLOBL brains<>(SB), RODATA|NOPTR, $20

// ADD makes of eight floats in u those whose upper halves are the result: d is
// added to their bits, but not to those of an infinity or a NaN; a NaN gets bit
// 22 set. Y8 is the exponent's mask, Y9 bit 22.
#define ADD(u, d, t) \
	VPAND    Y8, u, t;    \
	VPCMPEQD Y8, t, t;    \
	VPANDN   d, t, d;     \
	VCMPPS   $3, u, u, t; \
	VPAND    Y9, t, t;    \
	VPADDD   d, u, u;     \
	VPOR     t, u, u

// NEAREST puts into d what rounds u to the nearest, ties to even. Y10 is 0x7fff,
// Y11 1.
#define NEAREST(u, d) \
	VPSRLD $16, u, d; \
	VPAND  Y11, d, d; \
	VPADDD Y10, d, d

// PAIR writes the upper halves of lo and hi as eight words. Y12 is their mask.
#define PAIR(lo, hi, to) \
	VPSRLD  $16, lo, lo; \
	VPAND   Y12, hi, hi; \
	VPOR    lo, hi, hi;  \
	VMOVDQU hi, to

// func narrowBrainsLoop(words *byte, x *float32, n int)
//
//	words[v, i, b] = x[32*v+16*b+i]	// bfloat16 [n, 16, 2], to nearest, ties to even
TEXT ·narrowBrainsLoop(SB), NOSPLIT, $0-24
	MOVQ         words+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	VPBROADCASTD brains<>+0(SB), Y8
	VPBROADCASTD brains<>+4(SB), Y9
	VPBROADCASTD brains<>+8(SB), Y10
	VPBROADCASTD brains<>+12(SB), Y11
	VPBROADCASTD brains<>+16(SB), Y12

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 64(SI), Y1
	VMOVDQU 32(SI), Y2
	VMOVDQU 96(SI), Y3
	NEAREST(Y0, Y4)
	NEAREST(Y1, Y5)
	NEAREST(Y2, Y6)
	NEAREST(Y3, Y7)
	ADD(Y0, Y4, Y13)
	ADD(Y1, Y5, Y14)
	ADD(Y2, Y6, Y13)
	ADD(Y3, Y7, Y14)
	PAIR(Y0, Y1, (DI))
	PAIR(Y2, Y3, 32(DI))
	ADDQ    $128, SI
	ADDQ    $64, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func ditherBrainsLoop(words *byte, x *float32, dither *uint32, n int)
//
//	words[v, i, b] = x[32*v+16*b+i] + dither[32*v+16*b+i]	// by bits, upper halves
TEXT ·ditherBrainsLoop(SB), NOSPLIT, $0-32
	MOVQ         words+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         dither+16(FP), DX
	MOVQ         n+24(FP), CX
	VPBROADCASTD brains<>+0(SB), Y8
	VPBROADCASTD brains<>+4(SB), Y9
	VPBROADCASTD brains<>+16(SB), Y12

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 64(SI), Y1
	VMOVDQU 32(SI), Y2
	VMOVDQU 96(SI), Y3
	VMOVDQU (DX), Y4
	VMOVDQU 64(DX), Y5
	VMOVDQU 32(DX), Y6
	VMOVDQU 96(DX), Y7
	ADD(Y0, Y4, Y13)
	ADD(Y1, Y5, Y14)
	ADD(Y2, Y6, Y13)
	ADD(Y3, Y7, Y14)
	PAIR(Y0, Y1, (DI))
	PAIR(Y2, Y3, 32(DI))
	ADDQ    $128, SI
	ADDQ    $128, DX
	ADDQ    $64, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

DATA counters<>+0(SB)/8, $0x0000000100000000
DATA counters<>+8(SB)/8, $0x0000000300000002
DATA counters<>+16(SB)/8, $0x0000000500000004
DATA counters<>+24(SB)/8, $0x0000000700000006
DATA counters<>+32(SB)/4, $0xD2511F53
DATA counters<>+36(SB)/4, $0xCD9E8D57
DATA counters<>+40(SB)/4, $8
DATA counters<>+44(SB)/4, $4
DATA counters<>+48(SB)/4, $0xffff
GLOBL counters<>(SB), RODATA|NOPTR, $52

// OUT writes the lower 16 bits of blocks b and b+4, whose words lie in the low and
// the high half.
#define OUT(at, y, x) \
	VPAND        Y13, y, y;       \
	VMOVDQU      x, at(DI);       \
	VEXTRACTI128 $1, y, at+64(DI)

// func ditherLoop(d *uint32, blocks int, first, site uint32, keys *[20]uint32)
//
//	for b := range 8 * blocks {
//		w := noise.Philox([4]uint32{first + b, site, 0, 4}, seed)
//		for j := range 4 {
//			d[4*b+j] = w[j] & 0xffff
//		}
//	}
//
//	DI d   CX blocks left   R8 keys
//	Y0–Y3 counter words of eight Philox blocks, later their random words
//	Y4–Y9 scratch   Y10, Y11 the multipliers   Y12 first + 0 … 7   Y13 0xffff   Y14 8
TEXT ·ditherLoop(SB), NOSPLIT, $0-32
	MOVQ         d+0(FP), DI
	MOVQ         blocks+8(FP), CX
	VBROADCASTSS first+16(FP), Y12
	MOVQ         keys+24(FP), R8
	VPADDD       counters<>+0(SB), Y12, Y12
	VPBROADCASTD counters<>+32(SB), Y10
	VPBROADCASTD counters<>+36(SB), Y11
	VPBROADCASTD counters<>+40(SB), Y14
	VPBROADCASTD counters<>+48(SB), Y13

loop:
	VMOVDQA      Y12, Y0
	VBROADCASTSS site+20(FP), Y1
	VPXOR        Y2, Y2, Y2
	VPBROADCASTD counters<>+44(SB), Y3
	VPADDD       Y14, Y12, Y12
	ROUND(0)
	ROUND(8)
	ROUND(16)
	ROUND(24)
	ROUND(32)
	ROUND(40)
	ROUND(48)
	ROUND(56)
	ROUND(64)
	ROUND(72)
	VPUNPCKLDQ   Y1, Y0, Y4
	VPUNPCKHDQ   Y1, Y0, Y5
	VPUNPCKLDQ   Y3, Y2, Y6
	VPUNPCKHDQ   Y3, Y2, Y7
	VPUNPCKLQDQ  Y6, Y4, Y0
	VPUNPCKHQDQ  Y6, Y4, Y1
	VPUNPCKLQDQ  Y7, Y5, Y2
	VPUNPCKHQDQ  Y7, Y5, Y3
	OUT(0, Y0, X0)
	OUT(16, Y1, X1)
	OUT(32, Y2, X2)
	OUT(48, Y3, X3)
	ADDQ         $128, DI
	DECQ         CX
	JNZ          loop
	VZEROUPPER
	RET
