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

// HALVES makes eight elements of a mean, Y0, and of half a difference, Y1, with Y6
// ½.
#define HALVES \
	VMULPS (SI)(AX*1), Y6, Y1; \
	VMULPS (DX)(AX*1), Y6, Y2; \
	VADDPS Y2, Y1, Y0;         \
	VSUBPS Y2, Y1, Y1

// GREATEST stores them and keeps their largest magnitudes in Y4 and Y5, with Y7
// the bits without the sign.
#define GREATEST \
	VMOVUPS Y0, (DI)(AX*1);  \
	VMOVUPS Y1, (R10)(AX*1); \
	VPAND   Y7, Y0, Y0;      \
	VPAND   Y7, Y1, Y1;      \
	VPMAXUD Y0, Y4, Y4;      \
	VPMAXUD Y1, Y5, Y5

// func pairRowsLoop(mean, half, a, b, first *float32, n int, most *[2]float32)
//
//	for i := range n {	// a multiple of 8, at least that
//		mean[i] = a[i]/2 + b[i]/2 − first[i]	// without first where it is nil
//		half[i] = a[i]/2 − b[i]/2
//	}
//	most[0], most[1] = max |mean[i]|, max |half[i]|, by the order of bits
//
//	DI mean   R10 half   SI a   DX b   R8 first   R9 most   CX n·4   AX i·4
TEXT ·pairRowsLoop(SB), NOSPLIT, $0-56
	MOVQ         mean+0(FP), DI
	MOVQ         half+8(FP), R10
	MOVQ         a+16(FP), SI
	MOVQ         b+24(FP), DX
	MOVQ         first+32(FP), R8
	MOVQ         n+40(FP), CX
	MOVQ         most+48(FP), R9
	VBROADCASTSS codeMasks<>+4(SB), Y6
	VPBROADCASTD codeMasks<>+0(SB), Y7
	VPXOR        Y4, Y4, Y4
	VPXOR        Y5, Y5, Y5
	XORQ         AX, AX
	SHLQ         $2, CX
	TESTQ        R8, R8
	JZ           loop

less:
	HALVES
	VSUBPS (R8)(AX*1), Y0, Y0
	GREATEST
	ADDQ   $32, AX
	CMPQ   AX, CX
	JLT    less
	JMP    join

loop:
	HALVES
	GREATEST
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  loop

join:
	VPUNPCKLDQ   Y5, Y4, Y0
	VPUNPCKHDQ   Y5, Y4, Y1
	VPMAXUD      Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD      X1, X0, X0
	VPSHUFD      $0x4e, X0, X1
	VPMAXUD      X1, X0, X0
	VMOVQ        X0, (R9)
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

// func splitCodesLoop(y0 *float32, ld0 int, y1 *float32, ld1 int, c, scales, bias *float32, ldBias int, base *float32, rows, columns int)
//
//	for r := range rows {
//		for j := range columns {	// a multiple of 16
//			m, d := c[2*r, j]·scales[2*r] + bias[r*ldBias+j], c[2*r+1, j]·scales[2*r+1]
//			if base != nil {
//				base[r, j] = m
//			}
//			y0[r*ld0+j], y1[r*ld1+j] = m + d, m − d
//		}
//	}
//
//	DI y0   R8 ld0·4     R9 y1     R10 ld1·4     R11 base
//	SI c    DX its odd rows        R12 scales    R13 bias   R14 ldBias·4
//	CX rows left         BX columns·4            AX column·4
//	Y4, Y5 the scales    Y0, Y1 m     Y2, Y3 d
TEXT ·splitCodesLoop(SB), NOSPLIT, $0-88
	MOVQ y0+0(FP), DI
	MOVQ ld0+8(FP), R8
	MOVQ y1+16(FP), R9
	MOVQ ld1+24(FP), R10
	MOVQ c+32(FP), SI
	MOVQ scales+40(FP), R12
	MOVQ bias+48(FP), R13
	MOVQ ldBias+56(FP), R14
	MOVQ base+64(FP), R11
	MOVQ rows+72(FP), CX
	MOVQ columns+80(FP), BX
	SHLQ $2, R8
	SHLQ $2, R10
	SHLQ $2, R14
	SHLQ $2, BX

row:
	LEAQ         (SI)(BX*1), DX
	VBROADCASTSS (R12), Y4
	VBROADCASTSS 4(R12), Y5
	XORQ         AX, AX

loop:
	VMULPS  (SI)(AX*1), Y4, Y0
	VMULPS  32(SI)(AX*1), Y4, Y1
	VMULPS  (DX)(AX*1), Y5, Y2
	VMULPS  32(DX)(AX*1), Y5, Y3
	VADDPS  (R13)(AX*1), Y0, Y0
	VADDPS  32(R13)(AX*1), Y1, Y1
	TESTQ   R11, R11
	JZ      split
	VMOVUPS Y0, (R11)
	VMOVUPS Y1, 32(R11)
	ADDQ    $64, R11

split:
	VADDPS  Y2, Y0, Y6
	VADDPS  Y3, Y1, Y7
	VSUBPS  Y2, Y0, Y0
	VSUBPS  Y3, Y1, Y1
	VMOVUPS Y6, (DI)(AX*1)
	VMOVUPS Y7, 32(DI)(AX*1)
	VMOVUPS Y0, (R9)(AX*1)
	VMOVUPS Y1, 32(R9)(AX*1)
	ADDQ    $64, AX
	CMPQ    AX, BX
	JLT     loop
	LEAQ    (DX)(BX*1), SI
	ADDQ    $8, R12
	ADDQ    R14, R13
	ADDQ    R8, DI
	ADDQ    R10, R9
	DECQ    CX
	JNZ     row
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

// SIX brings words of four bytes of six rows, in X0 to X5, in order: word k of rows
// 0 to 3 are half of X6 to X9, those of rows 4 and 5 of X10 and X11.
#define SIX \
	VPUNPCKLDQ X1, X0, X6;  \
	VPUNPCKHDQ X1, X0, X7;  \
	VPUNPCKLDQ X3, X2, X8;  \
	VPUNPCKHDQ X3, X2, X9;  \
	VPUNPCKLDQ X5, X4, X10; \
	VPUNPCKHDQ X5, X4, X11

// PUT writes two steps of words to DI+at, those in the halves of first, second and
// third.
#define PUT(at, first, second, third) \
	VPUNPCKLQDQ second, first, X12; \
	VPUNPCKHQDQ second, first, X13; \
	VMOVDQU     X12, at(DI);        \
	VMOVQ       third, at+16(DI);   \
	VMOVDQU     X13, at+24(DI);     \
	VMOVHPS     third, at+40(DI)

// ROWS sets the pointers of six rows, SI, R10, R11, R12, R13 and DX, from SI and
// R8 that lies between them.
#define ROWS \
	LEAQ (SI)(R8*1), R10;  \
	LEAQ (SI)(R8*2), R11;  \
	LEAQ (R10)(R8*2), R12; \
	LEAQ (R11)(R8*2), R13; \
	LEAQ (R12)(R8*2), DX

// NEXT moves them on.
#define NEXT(n) \
	ADDQ $n, SI;  \
	ADDQ $n, R10; \
	ADDQ $n, R11; \
	ADDQ $n, R12; \
	ADDQ $n, R13; \
	ADDQ $n, DX

// func packPairs6Loop(dst *byte, codes *int8, ld, words int)
//
//	for v := range words {
//		for i := range 6 {
//			for b := range 4 {
//				dst[v, b/2, i, b%2] = codes[i*ld+4*v+b]	// int16 [words, 2, 6, 2]
//			}
//		}
//	}
TEXT ·packPairs6Loop(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ words+24(FP), CX
	ROWS
	SUBQ $2, CX
	JLT  last

loop:
	VPMOVSXBW (SI), X0
	VPMOVSXBW (R10), X1
	VPMOVSXBW (R11), X2
	VPMOVSXBW (R12), X3
	VPMOVSXBW (R13), X4
	VPMOVSXBW (DX), X5
	SIX
	PUT(0, X6, X8, X10)
	PUT(48, X7, X9, X11)
	NEXT(8)
	ADDQ      $96, DI
	SUBQ      $2, CX
	JGE       loop

last:
	ADDQ      $2, CX
	JZ        done
	VMOVD     (SI), X0
	VMOVD     (R10), X1
	VMOVD     (R11), X2
	VMOVD     (R12), X3
	VMOVD     (R13), X4
	VMOVD     (DX), X5
	VPMOVSXBW X0, X0
	VPMOVSXBW X1, X1
	VPMOVSXBW X2, X2
	VPMOVSXBW X3, X3
	VPMOVSXBW X4, X4
	VPMOVSXBW X5, X5
	SIX
	PUT(0, X6, X8, X10)

done:
	VZEROUPPER
	RET

// func packUnsigned6Loop(dst *byte, codes *int8, ld, words int)
//
//	for v := range words {
//		for i := range 6 {
//			for b := range 4 {
//				dst[v, i, b] = codes[i*ld+4*v+b] + 128	// uint8 [words, 6, 4]
//			}
//		}
//	}
TEXT ·packUnsigned6Loop(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         codes+8(FP), SI
	MOVQ         ld+16(FP), R8
	MOVQ         words+24(FP), CX
	VPBROADCASTD codeMasks<>+20(SB), X14
	ROWS
	SUBQ         $4, CX
	JLT          rest

loop:
	VPXOR (SI), X14, X0
	VPXOR (R10), X14, X1
	VPXOR (R11), X14, X2
	VPXOR (R12), X14, X3
	VPXOR (R13), X14, X4
	VPXOR (DX), X14, X5
	SIX
	PUT(0, X6, X8, X10)
	PUT(48, X7, X9, X11)
	NEXT(16)
	ADDQ  $96, DI
	SUBQ  $4, CX
	JGE   loop

rest:
	ADDQ $4, CX
	JZ   done

one:
	VMOVD       (SI), X0
	VMOVD       (R10), X1
	VMOVD       (R11), X2
	VMOVD       (R12), X3
	VMOVD       (R13), X4
	VMOVD       (DX), X5
	VPUNPCKLDQ  X1, X0, X6
	VPUNPCKLDQ  X3, X2, X8
	VPUNPCKLDQ  X5, X4, X10
	VPUNPCKLQDQ X8, X6, X6
	VPXOR       X14, X6, X6
	VPXOR       X14, X10, X10
	VMOVDQU     X6, (DI)
	VMOVQ       X10, 16(DI)
	NEXT(4)
	ADDQ        $24, DI
	DECQ        CX
	JNZ         one

done:
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
