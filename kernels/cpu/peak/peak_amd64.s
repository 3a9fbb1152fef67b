#include "textflag.h"

// Each loop runs n rounds of 12 independent chains, one for each of the
// accumulators 0 to 11. Registers 12 and 13 are operands; 14 is scratch where an
// instruction does not accumulate.

#define ZERO_Y \
	VPXOR Y0, Y0, Y0;    \
	VPXOR Y1, Y1, Y1;    \
	VPXOR Y2, Y2, Y2;    \
	VPXOR Y3, Y3, Y3;    \
	VPXOR Y4, Y4, Y4;    \
	VPXOR Y5, Y5, Y5;    \
	VPXOR Y6, Y6, Y6;    \
	VPXOR Y7, Y7, Y7;    \
	VPXOR Y8, Y8, Y8;    \
	VPXOR Y9, Y9, Y9;    \
	VPXOR Y10, Y10, Y10; \
	VPXOR Y11, Y11, Y11; \
	VPXOR Y12, Y12, Y12; \
	VPXOR Y13, Y13, Y13

#define ZERO_Z \
	VPXORD Z0, Z0, Z0;    \
	VPXORD Z1, Z1, Z1;    \
	VPXORD Z2, Z2, Z2;    \
	VPXORD Z3, Z3, Z3;    \
	VPXORD Z4, Z4, Z4;    \
	VPXORD Z5, Z5, Z5;    \
	VPXORD Z6, Z6, Z6;    \
	VPXORD Z7, Z7, Z7;    \
	VPXORD Z8, Z8, Z8;    \
	VPXORD Z9, Z9, Z9;    \
	VPXORD Z10, Z10, Z10; \
	VPXORD Z11, Z11, Z11; \
	VPXORD Z12, Z12, Z12; \
	VPXORD Z13, Z13, Z13

// A chain i of each kind: what is added to accumulator i.

// Y(i) += Y12 · Y13, 8 f32.
#define FMA_Y(i) VFMADD231PS Y12, Y13, i

// Y(i) += pairs of Y12 · Y13, 16 i16 to 8 i32.
#define MADDWD_Y(i) \
	VPMADDWD Y12, Y13, Y14; \
	VPADDD   Y14, i, i

// Y(i) += pairs of Y12 · Y13, 32 i8 to 16 i16.
#define MADDUBSW_Y(i) \
	VPMADDUBSW Y12, Y13, Y14; \
	VPADDW     Y14, i, i

// Z(i) += Z12 · Z13, 16 f32.
#define FMA_Z(i) VFMADD231PS Z12, Z13, i

// Z(i) += quads of Z12 · Z13, 64 i8 to 16 i32.
#define DPBUSD_Z(i) VPDPBUSD Z12, Z13, i

// Y(i) += quads of Y12 · Y13, 32 i8 to 8 i32: VPDPBUSD of AVX-VNNI, which Go's
// assembler lacks. {vex} vpdpbusd ymm(i), ymm12, ymm13
#define DPBUSD_LOW_Y(i) BYTE $0xC4; BYTE $0xC2; BYTE $0x1D; BYTE $0x50; BYTE $(0xC5 + i*8)
#define DPBUSD_HIGH_Y(i) BYTE $0xC4; BYTE $0x42; BYTE $0x1D; BYTE $0x50; BYTE $(0xC5 + (i-8)*8)

// Z(i) += pairs of Z12 · Z13, 32 bf16 to 16 f32: VDPBF16PS, which Go's assembler
// lacks. vdpbf16ps zmm(i), zmm12, zmm13
#define DPBF16_LOW_Z(i) BYTE $0x62; BYTE $0xD2; BYTE $0x1E; BYTE $0x48; BYTE $0x52; BYTE $(0xC5 + i*8)
#define DPBF16_HIGH_Z(i) BYTE $0x62; BYTE $0x52; BYTE $0x1E; BYTE $0x48; BYTE $0x52; BYTE $(0xC5 + (i-8)*8)

// func fmaAVX2(n int)
TEXT ·fmaAVX2(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Y
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	FMA_Y(Y0)
	FMA_Y(Y1)
	FMA_Y(Y2)
	FMA_Y(Y3)
	FMA_Y(Y4)
	FMA_Y(Y5)
	FMA_Y(Y6)
	FMA_Y(Y7)
	FMA_Y(Y8)
	FMA_Y(Y9)
	FMA_Y(Y10)
	FMA_Y(Y11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func maddwdAVX2(n int)
TEXT ·maddwdAVX2(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Y
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	MADDWD_Y(Y0)
	MADDWD_Y(Y1)
	MADDWD_Y(Y2)
	MADDWD_Y(Y3)
	MADDWD_Y(Y4)
	MADDWD_Y(Y5)
	MADDWD_Y(Y6)
	MADDWD_Y(Y7)
	MADDWD_Y(Y8)
	MADDWD_Y(Y9)
	MADDWD_Y(Y10)
	MADDWD_Y(Y11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func maddubswAVX2(n int)
TEXT ·maddubswAVX2(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Y
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	MADDUBSW_Y(Y0)
	MADDUBSW_Y(Y1)
	MADDUBSW_Y(Y2)
	MADDUBSW_Y(Y3)
	MADDUBSW_Y(Y4)
	MADDUBSW_Y(Y5)
	MADDUBSW_Y(Y6)
	MADDUBSW_Y(Y7)
	MADDUBSW_Y(Y8)
	MADDUBSW_Y(Y9)
	MADDUBSW_Y(Y10)
	MADDUBSW_Y(Y11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func dpbusdAVXVNNI(n int)
TEXT ·dpbusdAVXVNNI(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Y
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	DPBUSD_LOW_Y(0)
	DPBUSD_LOW_Y(1)
	DPBUSD_LOW_Y(2)
	DPBUSD_LOW_Y(3)
	DPBUSD_LOW_Y(4)
	DPBUSD_LOW_Y(5)
	DPBUSD_LOW_Y(6)
	DPBUSD_LOW_Y(7)
	DPBUSD_HIGH_Y(8)
	DPBUSD_HIGH_Y(9)
	DPBUSD_HIGH_Y(10)
	DPBUSD_HIGH_Y(11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func fmaAVX512(n int)
TEXT ·fmaAVX512(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Z
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	FMA_Z(Z0)
	FMA_Z(Z1)
	FMA_Z(Z2)
	FMA_Z(Z3)
	FMA_Z(Z4)
	FMA_Z(Z5)
	FMA_Z(Z6)
	FMA_Z(Z7)
	FMA_Z(Z8)
	FMA_Z(Z9)
	FMA_Z(Z10)
	FMA_Z(Z11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func dpbusdAVX512(n int)
TEXT ·dpbusdAVX512(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Z
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	DPBUSD_Z(Z0)
	DPBUSD_Z(Z1)
	DPBUSD_Z(Z2)
	DPBUSD_Z(Z3)
	DPBUSD_Z(Z4)
	DPBUSD_Z(Z5)
	DPBUSD_Z(Z6)
	DPBUSD_Z(Z7)
	DPBUSD_Z(Z8)
	DPBUSD_Z(Z9)
	DPBUSD_Z(Z10)
	DPBUSD_Z(Z11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func dpbf16AVX512(n int)
TEXT ·dpbf16AVX512(SB), NOSPLIT, $0-8
	MOVQ  n+0(FP), CX
	ZERO_Z
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	DPBF16_LOW_Z(0)
	DPBF16_LOW_Z(1)
	DPBF16_LOW_Z(2)
	DPBF16_LOW_Z(3)
	DPBF16_LOW_Z(4)
	DPBF16_LOW_Z(5)
	DPBF16_LOW_Z(6)
	DPBF16_LOW_Z(7)
	DPBF16_HIGH_Z(8)
	DPBF16_HIGH_Z(9)
	DPBF16_HIGH_Z(10)
	DPBF16_HIGH_Z(11)
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET

// func readAVX2(p *byte, blocks int)
//
// Reads blocks of 256 bytes.
TEXT ·readAVX2(SB), NOSPLIT, $0-16
	MOVQ  p+0(FP), SI
	MOVQ  blocks+8(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	TESTQ CX, CX
	JZ    done

	PCALIGN $32

loop:
	VPOR 0(SI), Y0, Y0
	VPOR 32(SI), Y1, Y1
	VPOR 64(SI), Y2, Y2
	VPOR 96(SI), Y3, Y3
	VPOR 128(SI), Y0, Y0
	VPOR 160(SI), Y1, Y1
	VPOR 192(SI), Y2, Y2
	VPOR 224(SI), Y3, Y3
	ADDQ $256, SI
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	RET
