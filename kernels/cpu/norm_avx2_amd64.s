#include "textflag.h"

// Loops over vectors of eight float32. n is a multiple of 8; pointers need no
// alignment. In each function: CX elements left, SI, DX and R8 the sources, DI
// what is written.

// func sumLoop(x *float32, n int) float64
//
//	Σ x[i] in float64: lane by lane in Y0 and Y1, then over the lanes
TEXT ·sumLoop(SB), NOSPLIT, $0-24
	MOVQ   x+0(FP), SI
	MOVQ   n+8(FP), CX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	SUBQ   $8, CX
	JLT    join

loop:
	VCVTPS2PD (SI), Y2
	VCVTPS2PD 16(SI), Y3
	VADDPD    Y2, Y0, Y0
	VADDPD    Y3, Y1, Y1
	ADDQ      $32, SI
	SUBQ      $8, CX
	JGE       loop

join:
	VADDPD       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPD       X1, X0, X0
	VHADDPD      X0, X0, X0
	VMOVSD       X0, ret+16(FP)
	VZEROUPPER
	RET

// func centredSquaresLoop(x *float32, n int, high, low float32) float32
//
//	Σ ((x[i] − high) − low)², lane by lane in Y0, then over the lanes
TEXT ·centredSquaresLoop(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS high+16(FP), Y4
	VBROADCASTSS low+20(FP), Y5
	VXORPS       Y0, Y0, Y0
	VXORPS       Y1, Y1, Y1
	SUBQ         $16, CX
	JLT          rest

loop:
	VMOVUPS     (SI), Y2
	VMOVUPS     32(SI), Y3
	VSUBPS      Y4, Y2, Y2
	VSUBPS      Y4, Y3, Y3
	VSUBPS      Y5, Y2, Y2
	VSUBPS      Y5, Y3, Y3
	VFMADD231PS Y2, Y2, Y0
	VFMADD231PS Y3, Y3, Y1
	ADDQ        $64, SI
	SUBQ        $16, CX
	JGE         loop

rest:
	ADDQ        $16, CX
	JZ          join
	VMOVUPS     (SI), Y2
	VSUBPS      Y4, Y2, Y2
	VSUBPS      Y5, Y2, Y2
	VFMADD231PS Y2, Y2, Y0

join:
	VADDPS       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET

// func standardiseLoop(dst, x, scale, bias *float32, n int, high, low, factor float32)
//
//	dst[i] = ((x[i] − high) − low) * factor * scale[i] + bias[i]
TEXT ·standardiseLoop(SB), NOSPLIT, $0-52
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         scale+16(FP), DX
	MOVQ         bias+24(FP), R8
	MOVQ         n+32(FP), CX
	VBROADCASTSS high+40(FP), Y4
	VBROADCASTSS low+44(FP), Y5
	VBROADCASTSS factor+48(FP), Y6
	SUBQ         $8, CX
	JLT          done

loop:
	VMOVUPS (SI), Y0
	VSUBPS  Y4, Y0, Y0
	VSUBPS  Y5, Y0, Y0
	VMULPS  Y6, Y0, Y0
	VMULPS  (DX), Y0, Y0
	VADDPS  (R8), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, R8
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET
