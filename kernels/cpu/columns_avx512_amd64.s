#include "textflag.h"

// Loops over rows of 16 float32, a vector each. CX rows left.

// func columnMaximumAVX512(most, x *float32, rows int)
//
//	most[j] = max(most[j], x[i*16+j] for i < rows), without NaN. VMAXPS gives
//	its second source (the first operand here) where one is NaN.
TEXT ·columnMaximumAVX512(SB), NOSPLIT, $0-24
	MOVQ    most+0(FP), DI
	MOVQ    x+8(FP), SI
	MOVQ    rows+16(FP), CX
	VMOVUPS (DI), Z0
	TESTQ   CX, CX
	JZ      done

loop:
	VMOVUPS (SI), Z1
	VMAXPS  Z0, Z1, Z0
	ADDQ    $64, SI
	DECQ    CX
	JNZ     loop

done:
	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// The constants of exp, as in vector_generic.go: log₂e, ln 2 high and low, the
// polynomial from the lowest power (below), 1, least and most argument.
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
GLOBL expTable<>(SB), RODATA|NOPTR, $48

// func columnExpSumAVX512(x *float32, rows int, shift, sum *float32)
//
//	x[i*16+j] = exp(x[i*16+j] − shift[j]), added to sum[j], for i < rows
//
// Z3 the sums, Z4 the shift; Z5–Z16 the table in its order. Z0 goes from x to
// r, Z1 is n, Z2 the polynomial; 2ⁿ is multiplied by VSCALEFPS. VMAXPS and
// VMINPS have the argument as their second source to keep its NaN.
TEXT ·columnExpSumAVX512(SB), NOSPLIT, $0-32
	MOVQ         x+0(FP), SI
	MOVQ         rows+8(FP), CX
	MOVQ         shift+16(FP), DX
	MOVQ         sum+24(FP), DI
	VMOVUPS      (DX), Z4
	VMOVUPS      (DI), Z3
	VBROADCASTSS expTable<>+0(SB), Z5
	VBROADCASTSS expTable<>+4(SB), Z6
	VBROADCASTSS expTable<>+8(SB), Z7
	VBROADCASTSS expTable<>+12(SB), Z8
	VBROADCASTSS expTable<>+16(SB), Z9
	VBROADCASTSS expTable<>+20(SB), Z10
	VBROADCASTSS expTable<>+24(SB), Z11
	VBROADCASTSS expTable<>+28(SB), Z12
	VBROADCASTSS expTable<>+32(SB), Z13
	VBROADCASTSS expTable<>+36(SB), Z14
	VBROADCASTSS expTable<>+40(SB), Z15
	VBROADCASTSS expTable<>+44(SB), Z16
	TESTQ        CX, CX
	JZ           done

loop:
	VMOVUPS      (SI), Z0
	VSUBPS       Z4, Z0, Z0
	VMAXPS       Z0, Z15, Z0
	VMINPS       Z0, Z16, Z0
	VMULPS       Z0, Z5, Z1
	VRNDSCALEPS  $0, Z1, Z1
	VFNMADD231PS Z6, Z1, Z0
	VFNMADD231PS Z7, Z1, Z0
	VMOVAPS      Z13, Z2
	VFMADD213PS  Z12, Z0, Z2
	VFMADD213PS  Z11, Z0, Z2
	VFMADD213PS  Z10, Z0, Z2
	VFMADD213PS  Z9, Z0, Z2
	VFMADD213PS  Z8, Z0, Z2
	VFMADD213PS  Z14, Z0, Z2
	VFMADD213PS  Z14, Z0, Z2
	VSCALEFPS    Z1, Z2, Z0
	VMOVUPS      Z0, (SI)
	VADDPS       Z0, Z3, Z3
	ADDQ         $64, SI
	DECQ         CX
	JNZ          loop

done:
	VMOVUPS Z3, (DI)
	VZEROUPPER
	RET
