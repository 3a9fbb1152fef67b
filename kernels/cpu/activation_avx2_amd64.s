#include "textflag.h"

// Loops over vectors of eight float32. n is a multiple of 8; pointers need no
// alignment. DI what is written, SI the source, CX elements left.

DATA activationTable<>+0(SB)/4, $0.5
DATA activationTable<>+4(SB)/4, $0x80000000
GLOBL activationTable<>(SB), RODATA|NOPTR, $8

// func geluLoop(dst, x *float32, n int, curve *geluCurve)
//
//	s := x[i]²
//	p, q := P(s), Q(s)        by Horner's rule from the highest power
//	h := x[i] · p / q, or ½ with the sign of x[i] where |x[i]| ≥ most
//	dst[i] = x[i] · (½ + h)
//
// DX the curve: P at 0, Q at 24, most at 48. Y0 x, Y1 s, Y2 p then h, Y3 q, Y4
// and Y5 work; Y8 most, Y9 ½, Y10 the sign bit. A NaN compares as not ≥ and
// goes through the quotient.
TEXT ·geluLoop(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	MOVQ         curve+24(FP), DX
	VBROADCASTSS 48(DX), Y8
	VBROADCASTSS activationTable<>+0(SB), Y9
	VBROADCASTSS activationTable<>+4(SB), Y10
	VBROADCASTSS 20(DX), Y11
	VBROADCASTSS 16(DX), Y12
	VBROADCASTSS 44(DX), Y13
	VBROADCASTSS 40(DX), Y14
	SUBQ         $8, CX
	JLT          done

loop:
	VMOVUPS      (SI), Y0
	VMULPS       Y0, Y0, Y1
	VMOVAPS      Y11, Y2
	VMOVAPS      Y13, Y3
	VFMADD213PS  Y12, Y1, Y2
	VFMADD213PS  Y14, Y1, Y3
	VBROADCASTSS 12(DX), Y4
	VBROADCASTSS 36(DX), Y5
	VFMADD213PS  Y4, Y1, Y2
	VFMADD213PS  Y5, Y1, Y3
	VBROADCASTSS 8(DX), Y4
	VBROADCASTSS 32(DX), Y5
	VFMADD213PS  Y4, Y1, Y2
	VFMADD213PS  Y5, Y1, Y3
	VBROADCASTSS 4(DX), Y4
	VBROADCASTSS 28(DX), Y5
	VFMADD213PS  Y4, Y1, Y2
	VFMADD213PS  Y5, Y1, Y3
	VBROADCASTSS 0(DX), Y4
	VBROADCASTSS 24(DX), Y5
	VFMADD213PS  Y4, Y1, Y2
	VFMADD213PS  Y5, Y1, Y3
	VMULPS       Y0, Y2, Y2
	VDIVPS       Y3, Y2, Y2
	VANDPS       Y10, Y0, Y4       // the sign of x
	VANDNPS      Y0, Y10, Y5       // |x|
	VCMPPS       $0x1d, Y8, Y5, Y5 // |x| ≥ most
	VORPS        Y9, Y4, Y4
	VBLENDVPS    Y5, Y4, Y2, Y2
	VADDPS       Y9, Y2, Y2
	VMULPS       Y0, Y2, Y2
	VMOVUPS      Y2, (DI)
	ADDQ         $32, SI
	ADDQ         $32, DI
	SUBQ         $8, CX
	JGE          loop

done:
	VZEROUPPER
	RET

// func reluLoop(dst, x *float32, n int)
//
//	dst[i] = max(x[i], 0)
//
// VMAXPS gives its second source (the first operand here) where one is NaN, and
// of zeros too: adding 0 makes −0 of it +0.
TEXT ·reluLoop(SB), NOSPLIT, $0-24
	MOVQ   dst+0(FP), DI
	MOVQ   x+8(FP), SI
	MOVQ   n+16(FP), CX
	VXORPS Y1, Y1, Y1
	SUBQ   $8, CX
	JLT    done

loop:
	VMOVUPS (SI), Y0
	VMAXPS  Y0, Y1, Y0
	VADDPS  Y1, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET
