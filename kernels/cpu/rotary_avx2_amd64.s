#include "textflag.h"

// Rotations of the heads of one token by its angles. In each function: DI y,
// SI x, DX cos, R8 sin, R9 half, CX heads left, AX the pair.

// func turnHalvesLoop(y, x, cos, sin *float32, half, heads int)
//
//	for h := range heads {
//		for i := range half {
//			a, b := x[h*2*half+i], x[h*2*half+half+i]
//			y[h*2*half+i] = a*cos[i] − b*sin[i]
//			y[h*2*half+half+i] = b*cos[i] + a*sin[i]
//		}
//	}
//
// half is a multiple of 8. R10 and R11 are the second halves of x and y.
TEXT ·turnHalvesLoop(SB), NOSPLIT, $0-48
	MOVQ  y+0(FP), DI
	MOVQ  x+8(FP), SI
	MOVQ  cos+16(FP), DX
	MOVQ  sin+24(FP), R8
	MOVQ  half+32(FP), R9
	MOVQ  heads+40(FP), CX
	TESTQ CX, CX
	JZ    done

head:
	LEAQ (SI)(R9*4), R10
	LEAQ (DI)(R9*4), R11
	XORQ AX, AX

pair:
	VMOVUPS     (SI)(AX*4), Y0
	VMOVUPS     (R10)(AX*4), Y1
	VMOVUPS     (DX)(AX*4), Y2
	VMOVUPS     (R8)(AX*4), Y3
	VMULPS      Y3, Y1, Y4
	VMULPS      Y3, Y0, Y5
	VFMSUB231PS Y2, Y0, Y4
	VFMADD231PS Y2, Y1, Y5
	VMOVUPS     Y4, (DI)(AX*4)
	VMOVUPS     Y5, (R11)(AX*4)
	ADDQ        $8, AX
	CMPQ        AX, R9
	JLT         pair
	LEAQ        (R10)(R9*4), SI
	LEAQ        (R11)(R9*4), DI
	DECQ        CX
	JNZ         head

done:
	VZEROUPPER
	RET

// func turnPairsLoop(y, x, cos, sin *float32, half, heads int)
//
//	for h := range heads {
//		for i := range half {
//			a, b := x[h*2*half+2*i], x[h*2*half+2*i+1]
//			y[h*2*half+2*i] = a*cos[i] − b*sin[i]
//			y[h*2*half+2*i+1] = b*cos[i] + a*sin[i]
//		}
//	}
//
// half is a multiple of 4. Each of four cosines and sines fills two lanes.
TEXT ·turnPairsLoop(SB), NOSPLIT, $0-48
	MOVQ  y+0(FP), DI
	MOVQ  x+8(FP), SI
	MOVQ  cos+16(FP), DX
	MOVQ  sin+24(FP), R8
	MOVQ  half+32(FP), R9
	MOVQ  heads+40(FP), CX
	TESTQ CX, CX
	JZ    done

head:
	XORQ AX, AX

pair:
	VPMOVZXDQ      (DX)(AX*4), Y2
	VPMOVZXDQ      (R8)(AX*4), Y3
	VMOVUPS        (SI)(AX*8), Y0
	VMOVSLDUP      Y2, Y2
	VMOVSLDUP      Y3, Y3
	VPERMILPS      $0xb1, Y0, Y1
	VMULPS         Y3, Y1, Y1
	VFMADDSUB213PS Y1, Y2, Y0
	VMOVUPS        Y0, (DI)(AX*8)
	ADDQ           $4, AX
	CMPQ           AX, R9
	JLT            pair
	LEAQ           (SI)(R9*8), SI
	LEAQ           (DI)(R9*8), DI
	DECQ           CX
	JNZ            head

done:
	VZEROUPPER
	RET
