// Philox4x32 for eight blocks at once, their counters in Y0–Y3, their keys from
// R8 on. Y4–Y9 are scratch; Y10 and Y11 hold the multipliers.

// MUL gives the low and high halves of eight products of 32 bits: even lanes
// and odd lanes are multiplied apart and blended.
#define MUL(x, factor, low, high, t) \
	VPSRLQ   $32, x, t;            \
	VPMULUDQ factor, x, low;       \
	VPMULUDQ factor, t, t;         \
	VPSRLQ   $32, low, high;       \
	VPBLENDD $0xaa, t, high, high; \
	VPSLLQ   $32, t, t;            \
	VPBLENDD $0xaa, t, low, low

// ROUND is one round of Philox with the keys at byte offset k.
#define ROUND(k) \
	MUL(Y0, Y10, Y4, Y5, Y8); \
	MUL(Y2, Y11, Y6, Y7, Y9); \
	VPBROADCASTD k(R8), Y8;   \
	VPBROADCASTD k+4(R8), Y9; \
	VPXOR        Y7, Y1, Y0;  \
	VPXOR        Y8, Y0, Y0;  \
	VPXOR        Y5, Y3, Y2;  \
	VPXOR        Y9, Y2, Y2;  \
	VMOVDQA      Y6, Y1;      \
	VMOVDQA      Y4, Y3
