#include "textflag.h"
#include "neon_arm64.h"

// Loops over eight float32, two vectors of four. n is a multiple of 8; pointers
// need no alignment. In each function: R3 elements left, R1 and R2 the sources,
// R0 what is written.

// func addLoop(dst, a, b *float32, n int)
//
//	dst[i] = a[i] + b[i]
TEXT ·addLoop(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD n+24(FP), R3
	CBZ  R3, done

loop:
	VLD1.P 32(R1), [V0.S4, V1.S4]
	VLD1.P 32(R2), [V2.S4, V3.S4]
	FADD_4S(0, 0, 2)
	FADD_4S(1, 1, 3)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUB    $8, R3
	CBNZ   R3, loop

done:
	RET

// func scaleByLoop(dst, x, scale *float32, n int, factor float32)
//
//	dst[i] = x[i] * factor * scale[i]
TEXT ·scaleByLoop(SB), NOSPLIT, $0-36
	MOVD  dst+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  scale+16(FP), R2
	MOVD  n+24(FP), R3
	FMOVS factor+32(FP), F4
	VDUP  V4.S[0], V4.S4
	CBZ   R3, done

loop:
	VLD1.P 32(R1), [V0.S4, V1.S4]
	VLD1.P 32(R2), [V2.S4, V3.S4]
	FMUL_4S(0, 0, 4)
	FMUL_4S(1, 1, 4)
	FMUL_4S(0, 0, 2)
	FMUL_4S(1, 1, 3)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUB    $8, R3
	CBNZ   R3, loop

done:
	RET

// func sumSquaresLoop(x *float32, n int) float32
//
//	Σ x[i]², lane by lane in V0–V3, then over the lanes
TEXT ·sumSquaresLoop(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R1
	MOVD n+8(FP), R3
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	SUBS $16, R3
	BLT  rest

loop:
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VFMLA  V4.S4, V4.S4, V0.S4
	VFMLA  V5.S4, V5.S4, V1.S4
	VFMLA  V6.S4, V6.S4, V2.S4
	VFMLA  V7.S4, V7.S4, V3.S4
	SUBS   $16, R3
	BGE    loop

rest:
	ADDS  $16, R3
	BEQ   join
	VLD1  (R1), [V4.S4, V5.S4]
	VFMLA V4.S4, V4.S4, V0.S4
	VFMLA V5.S4, V5.S4, V1.S4

join:
	FADD_4S(0, 0, 1)
	FADD_4S(2, 2, 3)
	FADD_4S(0, 0, 2)
	FADDP_4S(0, 0, 0)
	FADDP_4S(0, 0, 0)
	FMOVS F0, ret+16(FP)
	RET

// func maximumLoop(x *float32, n int) float32
//
//	the largest x[i] that is not NaN, or −Inf: no NaN compares as greater
TEXT ·maximumLoop(SB), NOSPLIT, $0-20
	MOVD  x+0(FP), R1
	MOVD  n+8(FP), R3
	MOVD  $expTable<>+52(SB), R4
	VLD1R (R4), [V0.S4]
	VMOV  V0.B16, V1.B16
	CBZ   R3, join

loop:
	VLD1.P 32(R1), [V2.S4, V3.S4]
	FCMGT_4S(4, 2, 0)
	FCMGT_4S(5, 3, 1)
	VBIT   V4.B16, V2.B16, V0.B16
	VBIT   V5.B16, V3.B16, V1.B16
	SUB    $8, R3
	CBNZ   R3, loop

join:
	FMAX_4S(0, 0, 1)
	FMAXV_4S(0, 0)
	FMOVS F0, ret+16(FP)
	RET

// The constants of exp, as in vector_generic.go: log₂e, ln 2 high and low, the
// polynomial from the lowest power (below), 1, the least and the most argument,
// 127, −Inf.
DATA expTable<>+0(SB)/4, $1.44269504088896341
DATA expTable<>+4(SB)/4, $0.693359375
DATA expTable<>+8(SB)/4, $-2.12194440054690583e-4
DATA expTable<>+12(SB)/4, $0.5000000013
DATA expTable<>+16(SB)/4, $0.1666666668
DATA expTable<>+20(SB)/4, $0.0416664646
DATA expTable<>+24(SB)/4, $0.00833331089
DATA expTable<>+28(SB)/4, $0.001393368586
DATA expTable<>+32(SB)/4, $0.0001989103066
DATA expTable<>+36(SB)/4, $1.0
DATA expTable<>+40(SB)/4, $-104.0
DATA expTable<>+44(SB)/4, $89.0
DATA expTable<>+48(SB)/4, $127
DATA expTable<>+52(SB)/4, $0xff800000
GLOBL expTable<>(SB), RODATA|NOPTR, $56

// EXPSETUP loads what EXP keeps in registers: V16 log₂e, V17 ln 2 high, V18 ln 2
// low, V19–V24 the polynomial, V25 1, V26 least, V27 most, V28 127. It uses R4.
#define EXPSETUP \
	MOVD    $expTable<>(SB), R4; \
	VLD1R.P 4(R4), [V16.S4];     \
	VLD1R.P 4(R4), [V17.S4];     \
	VLD1R.P 4(R4), [V18.S4];     \
	VLD1R.P 4(R4), [V19.S4];     \
	VLD1R.P 4(R4), [V20.S4];     \
	VLD1R.P 4(R4), [V21.S4];     \
	VLD1R.P 4(R4), [V22.S4];     \
	VLD1R.P 4(R4), [V23.S4];     \
	VLD1R.P 4(R4), [V24.S4];     \
	VLD1R.P 4(R4), [V25.S4];     \
	VLD1R.P 4(R4), [V26.S4];     \
	VLD1R.P 4(R4), [V27.S4];     \
	VLD1R   (R4), [V28.S4]

// HORNER: (x, y) = c + (p, q) · r, r in V0 and V1.
#define HORNER(c, p, q, x, y) \
	VMOV  c.B16, x.B16;      \
	VMOV  c.B16, y.B16;      \
	VFMLA V0.S4, p.S4, x.S4; \
	VFMLA V1.S4, q.S4, y.S4

// EXP turns V0 and V1 into their exp, by way of n in V2 and V3, r in V0 and V1,
// the polynomial in V4–V7. FMAX and FMIN keep a NaN.
#define EXP \
	FMAX_4S(0, 0, 26);             \
	FMAX_4S(1, 1, 26);             \
	FMIN_4S(0, 0, 27);             \
	FMIN_4S(1, 1, 27);             \
	FMUL_4S(2, 0, 16);             \
	FMUL_4S(3, 1, 16);             \
	FRINTN_4S(2, 2);               \
	FRINTN_4S(3, 3);               \
	VFMLS V17.S4, V2.S4, V0.S4;    \
	VFMLS V17.S4, V3.S4, V1.S4;    \
	VFMLS V18.S4, V2.S4, V0.S4;    \
	VFMLS V18.S4, V3.S4, V1.S4;    \
	HORNER(V23, V24, V24, V4, V5); \
	HORNER(V22, V4, V5, V6, V7);   \
	HORNER(V21, V6, V7, V4, V5);   \
	HORNER(V20, V4, V5, V6, V7);   \
	HORNER(V19, V6, V7, V4, V5);   \
	HORNER(V25, V4, V5, V6, V7);   \
	HORNER(V25, V6, V7, V4, V5);   \
	FCVTNS_4S(2, 2);               \
	FCVTNS_4S(3, 3);               \
	SSHR_4S(0, 2, 1);              \
	SSHR_4S(1, 3, 1);              \
	VSUB  V0.S4, V2.S4, V2.S4;     \
	VSUB  V1.S4, V3.S4, V3.S4;     \
	VADD  V28.S4, V0.S4, V0.S4;    \
	VADD  V28.S4, V1.S4, V1.S4;    \
	VADD  V28.S4, V2.S4, V2.S4;    \
	VADD  V28.S4, V3.S4, V3.S4;    \
	VSHL  $23, V0.S4, V0.S4;       \
	VSHL  $23, V1.S4, V1.S4;       \
	VSHL  $23, V2.S4, V2.S4;       \
	VSHL  $23, V3.S4, V3.S4;       \
	FMUL_4S(0, 4, 0);              \
	FMUL_4S(1, 5, 1);              \
	FMUL_4S(0, 0, 2);              \
	FMUL_4S(1, 1, 3)

// func expSumLoop(x *float32, n int, shift, scale float32) float32
//
//	x[i] = exp((x[i] − shift) · scale); their sum, lane by lane in V30 and V31,
//	then over the lanes
TEXT ·expSumLoop(SB), NOSPLIT, $0-28
	MOVD  x+0(FP), R1
	MOVD  n+8(FP), R3
	FMOVS shift+16(FP), F8
	FMOVS scale+20(FP), F9
	VDUP  V8.S[0], V8.S4
	VDUP  V9.S[0], V9.S4
	VEOR  V30.B16, V30.B16, V30.B16
	VEOR  V31.B16, V31.B16, V31.B16
	EXPSETUP
	CBZ   R3, join

loop:
	VLD1   (R1), [V0.S4, V1.S4]
	FSUB_4S(0, 0, 8)
	FSUB_4S(1, 1, 8)
	FMUL_4S(0, 0, 9)
	FMUL_4S(1, 1, 9)
	EXP
	VST1.P [V0.S4, V1.S4], 32(R1)
	FADD_4S(30, 30, 0)
	FADD_4S(31, 31, 1)
	SUB    $8, R3
	CBNZ   R3, loop

join:
	FADD_4S(0, 30, 31)
	FADDP_4S(0, 0, 0)
	FADDP_4S(0, 0, 0)
	FMOVS F0, ret+24(FP)
	RET

// func swigluLoop(dst, gate, up *float32, n int)
//
//	dst[i] = gate[i] / (1 + exp(−gate[i])) · up[i]
TEXT ·swigluLoop(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD gate+8(FP), R1
	MOVD up+16(FP), R2
	MOVD n+24(FP), R3
	EXPSETUP
	VEOR V29.B16, V29.B16, V29.B16
	CBZ  R3, done

loop:
	VLD1.P 32(R1), [V8.S4, V9.S4]
	FSUB_4S(0, 29, 8)
	FSUB_4S(1, 29, 9)
	EXP
	FADD_4S(0, 0, 25)
	FADD_4S(1, 1, 25)
	FDIV_4S(0, 8, 0)
	FDIV_4S(1, 9, 1)
	VLD1.P 32(R2), [V2.S4, V3.S4]
	FMUL_4S(0, 0, 2)
	FMUL_4S(1, 1, 3)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUB    $8, R3
	CBNZ   R3, loop

done:
	RET
