#include "textflag.h"

// func fetchLoop(b *byte, lines int)
//
// Begins to bring into the second cache the line at b and those behind it.
TEXT ·fetchLoop(SB), NOSPLIT, $0-16
	MOVQ b+0(FP), SI
	MOVQ lines+8(FP), CX

loop:
	PREFETCHT1 (SI)
	ADDQ       $64, SI
	DECQ       CX
	JNZ        loop
	RET
