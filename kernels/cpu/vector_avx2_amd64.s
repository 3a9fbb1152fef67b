#include "textflag.h"

// Loops over vectors of eight float32. n is a multiple of 8; pointers need no
// alignment. In each function: CX elements left, SI and DX the sources, DI what
// is written.

// func addLoop(dst, a, b *float32, n int)
//
//	dst[i] = a[i] + b[i]
TEXT ·addLoop(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	SUBQ $8, CX
	JLT  done

loop:
	VMOVUPS (SI), Y0
	VADDPS  (DX), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET

// func addScaledLoop(dst, x, y *float32, n int, factor float32)
//
//	dst[i] = x[i] + factor * y[i], both rounded
TEXT ·addScaledLoop(SB), NOSPLIT, $0-36
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         y+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS factor+32(FP), Y1
	SUBQ         $8, CX
	JLT          done

loop:
	VMULPS  (DX), Y1, Y0
	VADDPS  (SI), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET

// func scaleByLoop(dst, x, scale *float32, n int, factor float32)
//
//	dst[i] = x[i] * factor * scale[i]
TEXT ·scaleByLoop(SB), NOSPLIT, $0-36
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         scale+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS factor+32(FP), Y1
	SUBQ         $8, CX
	JLT          done

loop:
	VMULPS  (SI), Y1, Y0
	VMULPS  (DX), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET

// func sumSquaresLoop(x *float32, n int) float32
//
//	Σ x[i]², lane by lane in Y0 and Y1, then over the lanes
TEXT ·sumSquaresLoop(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), SI
	MOVQ   n+8(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	SUBQ   $16, CX
	JLT    rest

loop:
	VMOVUPS     (SI), Y2
	VMOVUPS     32(SI), Y3
	VFMADD231PS Y2, Y2, Y0
	VFMADD231PS Y3, Y3, Y1
	ADDQ        $64, SI
	SUBQ        $16, CX
	JGE         loop

rest:
	ADDQ        $16, CX
	JZ          join
	VMOVUPS     (SI), Y2
	VFMADD231PS Y2, Y2, Y0

join:
	VADDPS       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func maximumLoop(x *float32, n int) float32
//
//	the largest x[i] that is not NaN, or −Inf. VMAXPS gives its second source
//	(the first operand here) where one is NaN.
TEXT ·maximumLoop(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS expTable<>+40(SB), Y0
	SUBQ         $8, CX
	JLT          join

loop:
	VMOVUPS (SI), Y1
	VMAXPS  Y0, Y1, Y0
	ADDQ    $32, SI
	SUBQ    $8, CX
	JGE     loop

join:
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// The constants of exp, as in vector_generic.go: log₂e, ln 2 high and low, the
// polynomial from the lowest power (below), 1, least and most argument, −Inf.
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
DATA expTable<>+40(SB)/4, $0xff800000
DATA expTable<>+44(SB)/4, $-104.0
DATA expTable<>+48(SB)/4, $89.0
DATA expTable<>+52(SB)/4, $127
DATA expTable<>+56(SB)/4, $0x80000000
GLOBL expTable<>(SB), RODATA|NOPTR, $60

// EXPSETUP loads what EXP keeps in registers: Y5 log₂e, Y6 ln 2 high, Y7 ln 2
// low, Y8–Y13 the polynomial, Y14 1, Y15 127.
#define EXPSETUP \
	VBROADCASTSS expTable<>+0(SB), Y5;   \
	VBROADCASTSS expTable<>+4(SB), Y6;   \
	VBROADCASTSS expTable<>+8(SB), Y7;   \
	VBROADCASTSS expTable<>+12(SB), Y8;  \
	VBROADCASTSS expTable<>+16(SB), Y9;  \
	VBROADCASTSS expTable<>+20(SB), Y10; \
	VBROADCASTSS expTable<>+24(SB), Y11; \
	VBROADCASTSS expTable<>+28(SB), Y12; \
	VBROADCASTSS expTable<>+32(SB), Y13; \
	VBROADCASTSS expTable<>+36(SB), Y14; \
	VBROADCASTSS expTable<>+52(SB), Y15

// EXP turns Y0 into exp(Y0), by way of Y1 = n, Y0 = r, Y2 the polynomial.
// VMINPS and VMAXPS have the argument as their second source to keep its NaN.
#define EXP \
	VBROADCASTSS expTable<>+44(SB), Y1; \
	VBROADCASTSS expTable<>+48(SB), Y2; \
	VMAXPS       Y0, Y1, Y0;            \
	VMINPS       Y0, Y2, Y0;            \
	VMULPS       Y0, Y5, Y1;            \
	VROUNDPS     $0, Y1, Y1;            \
	VFNMADD231PS Y6, Y1, Y0;            \
	VFNMADD231PS Y7, Y1, Y0;            \
	VMOVAPS      Y13, Y2;               \
	VFMADD213PS  Y12, Y0, Y2;           \
	VFMADD213PS  Y11, Y0, Y2;           \
	VFMADD213PS  Y10, Y0, Y2;           \
	VFMADD213PS  Y9, Y0, Y2;            \
	VFMADD213PS  Y8, Y0, Y2;            \
	VFMADD213PS  Y14, Y0, Y2;           \
	VFMADD213PS  Y14, Y0, Y2;           \
	VCVTPS2DQ    Y1, Y1;                \
	VPSRAD       $1, Y1, Y0;            \
	VPSUBD       Y0, Y1, Y1;            \
	VPADDD       Y15, Y0, Y0;           \
	VPADDD       Y15, Y1, Y1;           \
	VPSLLD       $23, Y0, Y0;           \
	VPSLLD       $23, Y1, Y1;           \
	VMULPS       Y0, Y2, Y0;            \
	VMULPS       Y1, Y0, Y0

// func expSumLoop(x *float32, n int, shift, scale float32) float32
//
//	x[i] = exp((x[i] − shift) · scale); their sum, lane by lane in Y3, then
//	over the lanes
TEXT ·expSumLoop(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS shift+16(FP), Y4
	VXORPS       Y3, Y3, Y3
	EXPSETUP
	SUBQ         $8, CX
	JLT          join

loop:
	VMOVUPS      (SI), Y0
	VSUBPS       Y4, Y0, Y0
	VBROADCASTSS scale+20(FP), Y1
	VMULPS       Y1, Y0, Y0
	EXP
	VMOVUPS      Y0, (SI)
	VADDPS       Y0, Y3, Y3
	ADDQ         $32, SI
	SUBQ         $8, CX
	JGE          loop

join:
	VEXTRACTF128 $1, Y3, X1
	VADDPS       X1, X3, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET

// func swigluLoop(dst, gate, up *float32, n int)
//
//	dst[i] = gate[i] / (1 + exp(−gate[i])) · up[i]
TEXT ·swigluLoop(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         gate+8(FP), SI
	MOVQ         up+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS expTable<>+56(SB), Y4
	EXPSETUP
	SUBQ         $8, CX
	JLT          done

loop:
	VMOVUPS (SI), Y3
	VXORPS  Y3, Y4, Y0
	EXP
	VADDPS  Y0, Y14, Y0
	VDIVPS  Y0, Y3, Y0
	VMULPS  (DX), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET

// func columnMaximumLoop(most, x *float32, rows int)
//
//	most[j] = max(most[j], x[i*16+j] for i < rows), without NaN
TEXT ·columnMaximumLoop(SB), NOSPLIT, $0-24
	MOVQ    most+0(FP), DI
	MOVQ    x+8(FP), SI
	MOVQ    rows+16(FP), CX
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	TESTQ   CX, CX
	JZ      done

loop:
	VMOVUPS (SI), Y2
	VMOVUPS 32(SI), Y3
	VMAXPS  Y0, Y2, Y0
	VMAXPS  Y1, Y3, Y1
	ADDQ    $64, SI
	DECQ    CX
	JNZ     loop

done:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// func columnExpSumLoop(x *float32, rows int, shift, sum *float32)
//
//	x[i*16+j] = exp(x[i*16+j] − shift[j]), added to sum[j], for i < rows
//
// First for j < 8, then for the others. DX shift, DI sum, R8 and R9 x and rows
// of the next half, BX halves left; Y3 the sums, Y4 the shift.
TEXT ·columnExpSumLoop(SB), NOSPLIT, $0-32
	MOVQ  x+0(FP), R8
	MOVQ  rows+8(FP), R9
	MOVQ  shift+16(FP), DX
	MOVQ  sum+24(FP), DI
	MOVQ  $2, BX
	EXPSETUP
	TESTQ R9, R9
	JZ    done

half:
	VMOVUPS (DX), Y4
	VMOVUPS (DI), Y3
	MOVQ    R8, SI
	MOVQ    R9, CX

loop:
	VMOVUPS (SI), Y0
	VSUBPS  Y4, Y0, Y0
	EXP
	VMOVUPS Y0, (SI)
	VADDPS  Y0, Y3, Y3
	ADDQ    $64, SI
	DECQ    CX
	JNZ     loop
	VMOVUPS Y3, (DI)
	ADDQ    $32, R8
	ADDQ    $32, DX
	ADDQ    $32, DI
	DECQ    BX
	JNZ     half

done:
	VZEROUPPER
	RET

// func columnScaleAddLoop(y, x *float32, rows int, factor *float32)
//
//	y[i*16+j] = y[i*16+j] * factor[j] + x[i*16+j] for i < rows, both rounded
TEXT ·columnScaleAddLoop(SB), NOSPLIT, $0-32
	MOVQ    y+0(FP), DI
	MOVQ    x+8(FP), SI
	MOVQ    rows+16(FP), CX
	MOVQ    factor+24(FP), DX
	VMOVUPS (DX), Y2
	VMOVUPS 32(DX), Y3
	TESTQ   CX, CX
	JZ      done

loop:
	VMULPS  (DI), Y2, Y0
	VMULPS  32(DI), Y3, Y1
	VADDPS  (SI), Y0, Y0
	VADDPS  32(SI), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    $64, SI
	ADDQ    $64, DI
	DECQ    CX
	JNZ     loop

done:
	VZEROUPPER
	RET
