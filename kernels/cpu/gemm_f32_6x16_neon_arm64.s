#include "textflag.h"
#include "neon_arm64.h"

// func gemm6x16NEON(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)
//
//	for i := range 6 {
//		for j := range 16 {
//			c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[k*6+i] * b[k*16+j]
//		}
//	}
//
//	R0 k left            R1 a, one column of 6    R2 b, one row of 16
//	R4 d   R5 ldd·4      R6 c   R7 ldc·4
//	V8–V31 the tile: row i in V(8+4i) … V(11+4i)
//	V4–V7 the row of b   V0, V1 the column of a; in the end a row of d in V0–V3

// ROW adds lane i of V(m) times the row of b to the row of the tile from V(d) on.
#define ROW(d, m, i) \
	FMLA_LANE_4S(d, 4, m, i);   \
	FMLA_LANE_4S(d+1, 5, m, i); \
	FMLA_LANE_4S(d+2, 6, m, i); \
	FMLA_LANE_4S(d+3, 7, m, i)

// STORE adds a row of d to the row of the tile from V(t) on and writes c.
#define STORE(t) \
	VLD1 (R4), [V0.S4, V1.S4, V2.S4, V3.S4]; \
	ADD  R5, R4;                             \
	FADD_4S(0, 0, t);                        \
	FADD_4S(1, 1, t+1);                      \
	FADD_4S(2, 2, t+2);                      \
	FADD_4S(3, 3, t+3);                      \
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R6); \
	ADD  R7, R6

TEXT ·gemm6x16NEON(SB), NOSPLIT, $0-64
	MOVD kc+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD d+32(FP), R4
	MOVD ldd+40(FP), R5
	MOVD c+48(FP), R6
	MOVD ldc+56(FP), R7
	LSL  $2, R5
	LSL  $2, R7
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16
	VEOR V28.B16, V28.B16, V28.B16
	VEOR V29.B16, V29.B16, V29.B16
	VEOR V30.B16, V30.B16, V30.B16
	VEOR V31.B16, V31.B16, V31.B16
	CBZ  R0, store

loop:
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 8(R1), [V1.S2]
	PRFM   512(R2), PLDL1KEEP
	ROW(8, 0, 0)
	ROW(12, 0, 1)
	ROW(16, 0, 2)
	ROW(20, 0, 3)
	ROW(24, 1, 0)
	ROW(28, 1, 1)
	SUB    $1, R0
	CBNZ   R0, loop

store:
	STORE(8)
	STORE(12)
	STORE(16)
	STORE(20)
	STORE(24)
	STORE(28)
	RET
