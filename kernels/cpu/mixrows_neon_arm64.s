#include "textflag.h"
#include "neon_arm64.h"

// func mixRows32Loop(dst, p *float32, rows int, v *float32, ld int, factor float32)
//
//	for c := range 32 {
//		dst[c] = factor · Σ_{j<rows} p[j] · v[j*ld+c]
//	}
//
//	R0 dst   R1 p   R2 v, a row   R5 the row's second half   R4 ld·4   R3 rows left
//	V0–V7 the sums   V16–V23 a row of v   V24 p[j]   V25 factor
TEXT ·mixRows32Loop(SB), NOSPLIT, $0-44
	MOVD  dst+0(FP), R0
	MOVD  p+8(FP), R1
	MOVD  rows+16(FP), R3
	MOVD  v+24(FP), R2
	MOVD  ld+32(FP), R4
	FMOVS factor+40(FP), F25
	VDUP  V25.S[0], V25.S4
	LSL   $2, R4
	VEOR  V0.B16, V0.B16, V0.B16
	VEOR  V1.B16, V1.B16, V1.B16
	VEOR  V2.B16, V2.B16, V2.B16
	VEOR  V3.B16, V3.B16, V3.B16
	VEOR  V4.B16, V4.B16, V4.B16
	VEOR  V5.B16, V5.B16, V5.B16
	VEOR  V6.B16, V6.B16, V6.B16
	VEOR  V7.B16, V7.B16, V7.B16
	CBZ   R3, store

loop:
	ADD     $64, R2, R5
	VLD1    (R2), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1    (R5), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1R.P 4(R1), [V24.S4]
	ADD     R4, R2
	VFMLA   V16.S4, V24.S4, V0.S4
	VFMLA   V17.S4, V24.S4, V1.S4
	VFMLA   V18.S4, V24.S4, V2.S4
	VFMLA   V19.S4, V24.S4, V3.S4
	VFMLA   V20.S4, V24.S4, V4.S4
	VFMLA   V21.S4, V24.S4, V5.S4
	VFMLA   V22.S4, V24.S4, V6.S4
	VFMLA   V23.S4, V24.S4, V7.S4
	SUB     $1, R3
	CBNZ    R3, loop

store:
	FMUL_4S(0, 0, 25)
	FMUL_4S(1, 1, 25)
	FMUL_4S(2, 2, 25)
	FMUL_4S(3, 3, 25)
	FMUL_4S(4, 4, 25)
	FMUL_4S(5, 5, 25)
	FMUL_4S(6, 6, 25)
	FMUL_4S(7, 7, 25)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	VST1   [V4.S4, V5.S4, V6.S4, V7.S4], (R0)
	RET

// func mixRows8Loop(dst, p *float32, rows int, v *float32, ld int, factor float32)
//
//	mixRows32Loop for 8 columns: j mod 4 in V0–V1, V2–V3, V4–V5, V6–V7
TEXT ·mixRows8Loop(SB), NOSPLIT, $0-44
	MOVD  dst+0(FP), R0
	MOVD  p+8(FP), R1
	MOVD  rows+16(FP), R3
	MOVD  v+24(FP), R2
	MOVD  ld+32(FP), R4
	FMOVS factor+40(FP), F25
	VDUP  V25.S[0], V25.S4
	LSL   $2, R4
	VEOR  V0.B16, V0.B16, V0.B16
	VEOR  V1.B16, V1.B16, V1.B16
	VEOR  V2.B16, V2.B16, V2.B16
	VEOR  V3.B16, V3.B16, V3.B16
	VEOR  V4.B16, V4.B16, V4.B16
	VEOR  V5.B16, V5.B16, V5.B16
	VEOR  V6.B16, V6.B16, V6.B16
	VEOR  V7.B16, V7.B16, V7.B16
	SUBS  $4, R3
	BLT   rest

loop:
	VLD1.P 16(R1), [V24.S4]
	VLD1   (R2), [V16.S4, V17.S4]
	ADD    R4, R2
	VLD1   (R2), [V18.S4, V19.S4]
	ADD    R4, R2
	VLD1   (R2), [V20.S4, V21.S4]
	ADD    R4, R2
	VLD1   (R2), [V22.S4, V23.S4]
	ADD    R4, R2
	FMLA_LANE_4S(0, 16, 24, 0)
	FMLA_LANE_4S(1, 17, 24, 0)
	FMLA_LANE_4S(2, 18, 24, 1)
	FMLA_LANE_4S(3, 19, 24, 1)
	FMLA_LANE_4S(4, 20, 24, 2)
	FMLA_LANE_4S(5, 21, 24, 2)
	FMLA_LANE_4S(6, 22, 24, 3)
	FMLA_LANE_4S(7, 23, 24, 3)
	SUBS   $4, R3
	BGE    loop

rest:
	ADDS $4, R3
	BEQ  store

one:
	VLD1R.P 4(R1), [V24.S4]
	VLD1    (R2), [V16.S4, V17.S4]
	ADD     R4, R2
	VFMLA   V16.S4, V24.S4, V0.S4
	VFMLA   V17.S4, V24.S4, V1.S4
	SUB     $1, R3
	CBNZ    R3, one

store:
	FADD_4S(0, 0, 2)
	FADD_4S(1, 1, 3)
	FADD_4S(4, 4, 6)
	FADD_4S(5, 5, 7)
	FADD_4S(0, 0, 4)
	FADD_4S(1, 1, 5)
	FMUL_4S(0, 0, 25)
	FMUL_4S(1, 1, 25)
	VST1 [V0.S4, V1.S4], (R0)
	RET
