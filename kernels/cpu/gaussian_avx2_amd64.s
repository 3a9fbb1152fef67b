#include "textflag.h"
#include "philox_avx2_amd64.h"

// func gaussianLoop(z *float32, blocks int, first uint32, site, query uint32, keys *[20]uint32, table *int32)
//
//	for b := range 8 * blocks {
//		w := noise.Philox([4]uint32{first + b, site, query, 0}, seed)
//		for j := range 4 {
//			z[4*b+j] = noise.Quantile(w[j])
//		}
//	}
//
// keys holds the ten rounds' keys, table is noise.QuantileTable.
//
//	DI z   CX blocks left   R8 keys   R9 table
//	Y0–Y3 counter words of eight Philox blocks, later their random words
//	Y4–Y9 scratch   Y10, Y11 the multipliers   Y12 first + 0 … 7   Y13 1   Y14 8

// QUANTILE turns eight words w into deviates. u is w without its sign and with
// bit 0 set; the exponent of u & ^(u>>1) as a float is that of its highest bit,
// since no rounding can carry. mantissa = u << (157 − exponent) has bit 30 set;
// the cell is 32·(exponent − 127) + mantissa>>25 − 32. A gather of 64 bits
// brings both its ends; lanes 0, 1, 4 and 5 go first, so that a shuffle within
// halves parts them.
#define QUANTILE(w) \
	VPBROADCASTD quantile<>+0(SB), Y4;  \
	VPAND        Y4, w, Y4;             \
	VPOR         Y13, Y4, Y4;           \
	VPSRLD       $1, Y4, Y5;            \
	VPANDN       Y4, Y5, Y5;            \
	VCVTDQ2PS    Y5, Y5;                \
	VPSRLD       $23, Y5, Y5;           \
	VPBROADCASTD quantile<>+4(SB), Y6;  \
	VPSUBD       Y5, Y6, Y6;            \
	VPSLLVD      Y6, Y4, Y4;            \
	VPSLLD       $5, Y5, Y5;            \
	VPSRLD       $25, Y4, Y6;           \
	VPADDD       Y6, Y5, Y5;            \
	VPBROADCASTD quantile<>+8(SB), Y6;  \
	VPSUBD       Y6, Y5, Y5;            \
	VPERMQ       $0xd8, Y5, Y5;         \
	VPCMPEQD     Y8, Y8, Y8;            \
	VPGATHERDQ   Y8, (R9)(X5*4), Y9;    \
	VEXTRACTI128 $1, Y5, X5;            \
	VPCMPEQD     Y8, Y8, Y8;            \
	VPGATHERDQ   Y8, (R9)(X5*4), Y7;    \
	VSHUFPS      $0x88, Y7, Y9, Y6;     \
	VSHUFPS      $0xdd, Y7, Y9, Y7;     \
	VPSRLD       $11, Y4, Y4;           \
	VPBROADCASTD quantile<>+12(SB), Y8; \
	VPAND        Y8, Y4, Y4;            \
	VPSUBD       Y6, Y7, Y7;            \
	VPMULLD      Y4, Y7, Y7;            \
	VPSRAD       $14, Y7, Y7;           \
	VPADDD       Y7, Y6, Y6;            \
	VPSRAD       $31, w, Y7;            \
	VPXOR        Y7, Y6, Y6;            \
	VPSUBD       Y7, Y6, Y6;            \
	VCVTDQ2PS    Y6, Y6;                \
	VBROADCASTSS quantile<>+16(SB), Y7; \
	VMULPS       Y7, Y6, w

DATA quantile<>+0(SB)/4, $0x7fffffff
DATA quantile<>+4(SB)/4, $157
DATA quantile<>+8(SB)/4, $4096
DATA quantile<>+12(SB)/4, $0x3fff
DATA quantile<>+16(SB)/4, $4.76837158203125e-07
GLOBL quantile<>(SB), RODATA|NOPTR, $20

DATA lane<>+0(SB)/8, $0x0000000100000000
DATA lane<>+8(SB)/8, $0x0000000300000002
DATA lane<>+16(SB)/8, $0x0000000500000004
DATA lane<>+24(SB)/8, $0x0000000700000006
DATA lane<>+32(SB)/4, $0xD2511F53
DATA lane<>+36(SB)/4, $0xCD9E8D57
DATA lane<>+40(SB)/4, $1
DATA lane<>+44(SB)/4, $8
GLOBL lane<>(SB), RODATA|NOPTR, $48

// OUT writes blocks b and b+4, whose words lie in the low and the high half.
#define OUT(at, y, x) \
	VMOVUPS      x, at(DI);       \
	VEXTRACTF128 $1, y, at+64(DI)

TEXT ·gaussianLoop(SB), NOSPLIT, $0-48
	MOVQ         z+0(FP), DI
	MOVQ         blocks+8(FP), CX
	VBROADCASTSS first+16(FP), Y12
	MOVQ         keys+32(FP), R8
	MOVQ         table+40(FP), R9
	VPADDD       lane<>+0(SB), Y12, Y12
	VPBROADCASTD lane<>+32(SB), Y10
	VPBROADCASTD lane<>+36(SB), Y11
	VPBROADCASTD lane<>+40(SB), Y13
	VPBROADCASTD lane<>+44(SB), Y14
	TESTQ        CX, CX
	JZ           done

loop:
	VMOVDQA      Y12, Y0
	VBROADCASTSS site+20(FP), Y1
	VBROADCASTSS query+24(FP), Y2
	VPXOR        Y3, Y3, Y3
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
	QUANTILE(Y0)
	QUANTILE(Y1)
	QUANTILE(Y2)
	QUANTILE(Y3)
	VUNPCKLPS    Y1, Y0, Y4
	VUNPCKHPS    Y1, Y0, Y5
	VUNPCKLPS    Y3, Y2, Y6
	VUNPCKHPS    Y3, Y2, Y7
	VUNPCKLPD    Y6, Y4, Y0
	VUNPCKHPD    Y6, Y4, Y1
	VUNPCKLPD    Y7, Y5, Y2
	VUNPCKHPD    Y7, Y5, Y3
	OUT(0, Y0, X0)
	OUT(16, Y1, X1)
	OUT(32, Y2, X2)
	OUT(48, Y3, X3)
	ADDQ         $128, DI
	DECQ         CX
	JNZ          loop

done:
	VZEROUPPER
	RET
