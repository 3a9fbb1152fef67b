#include "textflag.h"

// The loops around a product of codes. Pointers need no alignment. In each
// function: CX elements or vectors left, SI, DX, R8 and R9 the sources, DI and R10
// what is written.

// The bits of float32 without the sign; ½; the low halves of bytes; ones as bytes
// and as int16; 128 as bytes; the upper halves of words.
DATA codeMasks<>+0(SB)/4, $0x7fffffff
DATA codeMasks<>+4(SB)/4, $0.5
DATA codeMasks<>+8(SB)/4, $0x0f0f0f0f
DATA codeMasks<>+12(SB)/4, $0x01010101
DATA codeMasks<>+16(SB)/4, $0x00010001
DATA codeMasks<>+20(SB)/4, $0x80808080
DATA codeMasks<>+24(SB)/4, $0xffff0000
GLOBL codeMasks<>(SB), RODATA|NOPTR, $28

// func largestLoop(x *float32, n int) float32
//
//	max over i of |x[i]| by the order of bits, lane by lane in Y0, then over the lanes
TEXT ·largestLoop(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VPXOR        Y0, Y0, Y0
	VPBROADCASTD codeMasks<>+0(SB), Y1
	SUBQ         $8, CX
	JLT          join

loop:
	VPAND   (SI), Y1, Y2
	VPMAXUD Y2, Y0, Y0
	ADDQ    $32, SI
	SUBQ    $8, CX
	JGE     loop

join:
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD      X1, X0, X0
	VPSHUFD      $0x4e, X0, X1
	VPMAXUD      X1, X0, X0
	VPSHUFD      $0xb1, X0, X1
	VPMAXUD      X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func halvesLoop(dst, a, b *float32, n int, factor float32)
//
//	dst[i] = a[i]/2 + factor · b[i]
TEXT ·halvesLoop(SB), NOSPLIT, $0-36
	MOVQ         dst+0(FP), DI
	MOVQ         a+8(FP), SI
	MOVQ         b+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS codeMasks<>+4(SB), Y2
	VBROADCASTSS factor+32(FP), Y3
	SUBQ         $8, CX
	JLT          done

loop:
	VMULPS  (SI), Y2, Y0
	VMULPS  (DX), Y3, Y1
	VADDPS  Y1, Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DX
	ADDQ    $32, DI
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET

// The order in which packing two vectors of four quads twice leaves the quads.
DATA codeOrder<>+0(SB)/4, $0
DATA codeOrder<>+4(SB)/4, $4
DATA codeOrder<>+8(SB)/4, $1
DATA codeOrder<>+12(SB)/4, $5
DATA codeOrder<>+16(SB)/4, $2
DATA codeOrder<>+20(SB)/4, $6
DATA codeOrder<>+24(SB)/4, $3
DATA codeOrder<>+28(SB)/4, $7
GLOBL codeOrder<>(SB), RODATA|NOPTR, $32

// func roundCodesLoop(dst *int8, x *float32, n int, factor float32)
//
//	dst[i] = x[i] · factor, rounded to the nearest integer, ties to even
TEXT ·roundCodesLoop(SB), NOSPLIT, $0-28
	MOVQ         dst+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         n+16(FP), CX
	VBROADCASTSS factor+24(FP), Y4
	VMOVDQU      codeOrder<>(SB), Y5
	SUBQ         $32, CX
	JLT          rest

loop:
	VMULPS    (SI), Y4, Y0
	VMULPS    32(SI), Y4, Y1
	VMULPS    64(SI), Y4, Y2
	VMULPS    96(SI), Y4, Y3
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	VCVTPS2DQ Y2, Y2
	VCVTPS2DQ Y3, Y3
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPACKSSWB Y2, Y0, Y0
	VPERMD    Y0, Y5, Y0
	VMOVDQU   Y0, (DI)
	ADDQ      $128, SI
	ADDQ      $32, DI
	SUBQ      $32, CX
	JGE       loop

rest:
	ADDQ $32, CX
	JZ   done

eight:
	VMULPS       (SI), Y4, Y0
	VCVTPS2DQ    Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKSSDW    X1, X0, X0
	VPACKSSWB    X0, X0, X0
	VMOVQ        X0, (DI)
	ADDQ         $32, SI
	ADDQ         $8, DI
	SUBQ         $8, CX
	JNZ          eight

done:
	VZEROUPPER
	RET

// func scaleCodesLoop(y, c, bias *float32, n int, factor float32)
//
//	y[i] = c[i] · factor + bias[i]
TEXT ·scaleCodesLoop(SB), NOSPLIT, $0-36
	MOVQ         y+0(FP), DI
	MOVQ         c+8(FP), SI
	MOVQ         bias+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS factor+32(FP), Y1
	SUBQ         $8, CX
	JLT          done

loop:
	VMULPS  (SI), Y1, Y0
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

// func splitCodesLoop(y0, y1, mean, half, bias *float32, n int, meanScale, halfScale float32)
//
//	m, d := mean[i]·meanScale + bias[i], half[i]·halfScale
//	y0[i], y1[i] = m + d, m − d
TEXT ·splitCodesLoop(SB), NOSPLIT, $0-56
	MOVQ         y0+0(FP), DI
	MOVQ         y1+8(FP), R10
	MOVQ         mean+16(FP), SI
	MOVQ         half+24(FP), DX
	MOVQ         bias+32(FP), R8
	MOVQ         n+40(FP), CX
	VBROADCASTSS meanScale+48(FP), Y4
	VBROADCASTSS halfScale+52(FP), Y5
	XORQ         AX, AX
	SUBQ         $8, CX
	JLT          done

loop:
	VMULPS  (SI)(AX*1), Y4, Y0
	VADDPS  (R8)(AX*1), Y0, Y0
	VMULPS  (DX)(AX*1), Y5, Y1
	VADDPS  Y1, Y0, Y2
	VSUBPS  Y1, Y0, Y3
	VMOVUPS Y2, (DI)(AX*1)
	VMOVUPS Y3, (R10)(AX*1)
	ADDQ    $32, AX
	SUBQ    $8, CX
	JGE     loop

done:
	VZEROUPPER
	RET

// func unpackCodesLoop(dst, src *byte, n int, levels *[16]int8)
//
//	for v := range n {
//		for i := range 64 {
//			dst[128*v+i] = levels[src[64*v+i]&15]
//			dst[128*v+64+i] = levels[src[64*v+i]>>4]
//		}
//	}
TEXT ·unpackCodesLoop(SB), NOSPLIT, $0-32
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), SI
	MOVQ           levels+24(FP), DX
	MOVQ           n+16(FP), CX
	VBROADCASTI128 (DX), Y5
	VPBROADCASTD   codeMasks<>+8(SB), Y4

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VPSRLW  $4, Y0, Y2
	VPSRLW  $4, Y1, Y3
	VPAND   Y4, Y0, Y0
	VPAND   Y4, Y1, Y1
	VPAND   Y4, Y2, Y2
	VPAND   Y4, Y3, Y3
	VPSHUFB Y0, Y5, Y0
	VPSHUFB Y1, Y5, Y1
	VPSHUFB Y2, Y5, Y2
	VPSHUFB Y3, Y5, Y3
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	ADDQ    $64, SI
	ADDQ    $128, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func sumCodesLoop(dst *int32, stride int, words *byte, groups, n int, factor int32)
//
//	for g := range groups {
//		dst[g*stride+j] = factor · Σ_{v<n} Σ_{b<4} words[64*(g*n+v)+4*j+b]
//	}
TEXT ·sumCodesLoop(SB), NOSPLIT, $0-44
	MOVQ         dst+0(FP), DI
	MOVQ         stride+8(FP), R8
	MOVQ         words+16(FP), SI
	MOVQ         groups+24(FP), DX
	MOVQ         n+32(FP), R9
	VBROADCASTSS factor+40(FP), Y6
	VPBROADCASTD codeMasks<>+12(SB), Y4
	VPBROADCASTD codeMasks<>+16(SB), Y5
	SHLQ         $2, R8

group:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	MOVQ  R9, CX

loop:
	VPMADDUBSW (SI), Y4, Y2
	VPMADDUBSW 32(SI), Y4, Y3
	VPMADDWD   Y5, Y2, Y2
	VPMADDWD   Y5, Y3, Y3
	VPADDD     Y2, Y0, Y0
	VPADDD     Y3, Y1, Y1
	ADDQ       $64, SI
	DECQ       CX
	JNZ        loop
	VPMULLD    Y6, Y0, Y0
	VPMULLD    Y6, Y1, Y1
	VMOVDQU    Y0, (DI)
	VMOVDQU    Y1, 32(DI)
	ADDQ       R8, DI
	DECQ       DX
	JNZ        group
	VZEROUPPER
	RET

// Shuffles that put the first or second two bytes of each word into the upper
// bytes of two int16, zeros below.
DATA codePairs<>+0(SB)/8, $0x0580048001800080
DATA codePairs<>+8(SB)/8, $0x0d800c8009800880
DATA codePairs<>+16(SB)/8, $0x0780068003800280
DATA codePairs<>+24(SB)/8, $0x0f800e800b800a80
GLOBL codePairs<>(SB), RODATA|NOPTR, $32

// SPLIT makes the pairs first and second of eight words, with Y6 and Y7 the
// shuffles.
#define SPLIT(words, first, second) \
	VMOVDQU words, second;      \
	VPSHUFB Y6, second, first;  \
	VPSHUFB Y7, second, second; \
	VPSRAW  $8, first, first;   \
	VPSRAW  $8, second, second

// func widenPairsLoop(dst, words *byte, n int)
//
//	for v := range n {
//		for j := range 16 {
//			for b := range 4 {
//				dst[v, b/2, j, b%2] = words[v, j, b]	// int16 [n, 2, 16, 2], int8 [n, 16, 4]
//			}
//		}
//	}
TEXT ·widenPairsLoop(SB), NOSPLIT, $0-24
	MOVQ           dst+0(FP), DI
	MOVQ           words+8(FP), SI
	MOVQ           n+16(FP), CX
	VBROADCASTI128 codePairs<>+0(SB), Y6
	VBROADCASTI128 codePairs<>+16(SB), Y7

loop:
	SPLIT((SI), Y0, Y1)
	SPLIT(32(SI), Y2, Y3)
	VMOVDQU Y0, (DI)
	VMOVDQU Y2, 32(DI)
	VMOVDQU Y1, 64(DI)
	VMOVDQU Y3, 96(DI)
	ADDQ    $64, SI
	ADDQ    $128, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func spreadPairsLoop(dst, src *byte, n int)
//
//	for v := range n {
//		for i := range 6 {
//			for b := range 4 {
//				dst[v, b/2, i, b%2] = src[v, i, b]	// int16 [n, 2, 6, 2], int8 [n, 6, 4]
//			}
//		}
//	}
//
// Rows of eight words are read and written, each over what the one before it
// wrote past its six.
TEXT ·spreadPairsLoop(SB), NOSPLIT, $0-24
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), SI
	MOVQ           n+16(FP), CX
	VBROADCASTI128 codePairs<>+0(SB), Y6
	VBROADCASTI128 codePairs<>+16(SB), Y7

loop:
	SPLIT((SI), Y0, Y1)
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 24(DI)
	ADDQ    $24, SI
	ADDQ    $48, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func add128Loop(b *byte, n int)
//
//	for i := range 32 * n {
//		b[i] += 128
//	}
TEXT ·add128Loop(SB), NOSPLIT, $0-16
	MOVQ         b+0(FP), DI
	MOVQ         n+8(FP), CX
	VPBROADCASTD codeMasks<>+20(SB), Y1

loop:
	VPXOR   (DI), Y1, Y0
	VMOVDQU Y0, (DI)
	ADDQ    $32, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET

// func halfScalesLoop(dst *float32, stride int, src *byte, n int)
//
//	dst[g*stride+i] = src[16*g+i]	// float16 [n, 16]
TEXT ·halfScalesLoop(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ n+24(FP), CX
	SHLQ $2, R8

loop:
	VCVTPH2PS (SI), Y0
	VCVTPH2PS 16(SI), Y1
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	ADDQ      $32, SI
	ADDQ      R8, DI
	DECQ      CX
	JNZ       loop
	VZEROUPPER
	RET

// func byteScalesLoop(dst *float32, stride int, src *byte, n int, rows *[16]float32)
//
//	dst[g*stride+i] = float32(src[16*g+i]) · rows[i]
TEXT ·byteScalesLoop(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    stride+8(FP), R8
	MOVQ    src+16(FP), SI
	MOVQ    n+24(FP), CX
	MOVQ    rows+32(FP), DX
	VMOVUPS (DX), Y2
	VMOVUPS 32(DX), Y3
	SHLQ    $2, R8

loop:
	VPMOVZXBD (SI), Y0
	VPMOVZXBD 8(SI), Y1
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VMULPS    Y2, Y0, Y0
	VMULPS    Y3, Y1, Y1
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	ADDQ      $16, SI
	ADDQ      R8, DI
	DECQ      CX
	JNZ       loop
	VZEROUPPER
	RET

// func widenBrainsLoop(dst *float32, words *byte, n int)
//
//	dst[32*v+16*b+i] = words[v, i, b]	// bfloat16 [n, 16, 2]
TEXT ·widenBrainsLoop(SB), NOSPLIT, $0-24
	MOVQ         dst+0(FP), DI
	MOVQ         words+8(FP), SI
	MOVQ         n+16(FP), CX
	VPBROADCASTD codeMasks<>+24(SB), Y4

loop:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VPAND   Y4, Y0, Y2
	VPAND   Y4, Y1, Y3
	VPSLLD  $16, Y0, Y0
	VPSLLD  $16, Y1, Y1
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	ADDQ    $64, SI
	ADDQ    $128, DI
	DECQ    CX
	JNZ     loop
	VZEROUPPER
	RET
