// What the kernels with a tile of 14×32 in Z0–Z27 have in common: row i lies in Z(2i)
// and Z(2i+1), or in Z(2i) alone where it has 16 columns. Z28 and Z29 are a row of
// b, Z30 and Z31 elements of a, in turn. Each kernel has its own ROW, HALF, STORE and
// STOREHALF.

// ZERO clears the tile.
#define ZERO \
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
	VPXORD Z13, Z13, Z13; \
	VPXORD Z14, Z14, Z14; \
	VPXORD Z15, Z15, Z15; \
	VPXORD Z16, Z16, Z16; \
	VPXORD Z17, Z17, Z17; \
	VPXORD Z18, Z18, Z18; \
	VPXORD Z19, Z19, Z19; \
	VPXORD Z20, Z20, Z20; \
	VPXORD Z21, Z21, Z21; \
	VPXORD Z22, Z22, Z22; \
	VPXORD Z23, Z23, Z23; \
	VPXORD Z24, Z24, Z24; \
	VPXORD Z25, Z25, Z25; \
	VPXORD Z26, Z26, Z26; \
	VPXORD Z27, Z27, Z27

// ZEROHALF is ZERO for 16 columns.
#define ZEROHALF \
	VPXORD Z0, Z0, Z0;    \
	VPXORD Z2, Z2, Z2;    \
	VPXORD Z4, Z4, Z4;    \
	VPXORD Z6, Z6, Z6;    \
	VPXORD Z8, Z8, Z8;    \
	VPXORD Z10, Z10, Z10; \
	VPXORD Z12, Z12, Z12; \
	VPXORD Z14, Z14, Z14; \
	VPXORD Z16, Z16, Z16; \
	VPXORD Z18, Z18, Z18; \
	VPXORD Z20, Z20, Z20; \
	VPXORD Z22, Z22, Z22; \
	VPXORD Z24, Z24, Z24; \
	VPXORD Z26, Z26, Z26

// LOAD loads a row of both panels of b, which are R15 bytes apart, b bytes further
// than DI. What follows is wanted from the second cache: the two panels' slices fill
// the first.
#define LOAD(b) \
	VMOVUPS    b(DI), Z28;        \
	VMOVUPS    b(DI)(R15*1), Z29; \
	PREFETCHT0 (b+512)(DI);       \
	PREFETCHT0 (b+512)(DI)(R15*1)

// STEP is a column of a times a row of b, a and b bytes further.
#define STEP(a, b) \
	LOAD(b);                    \
	ROW((a+0), Z30, Z0, Z1);    \
	ROW((a+4), Z31, Z2, Z3);    \
	ROW((a+8), Z30, Z4, Z5);    \
	ROW((a+12), Z31, Z6, Z7);   \
	ROW((a+16), Z30, Z8, Z9);   \
	ROW((a+20), Z31, Z10, Z11); \
	ROW((a+24), Z30, Z12, Z13); \
	ROW((a+28), Z31, Z14, Z15); \
	ROW((a+32), Z30, Z16, Z17); \
	ROW((a+36), Z31, Z18, Z19); \
	ROW((a+40), Z30, Z20, Z21); \
	ROW((a+44), Z31, Z22, Z23); \
	ROW((a+48), Z30, Z24, Z25); \
	ROW((a+52), Z31, Z26, Z27)

// STEPHALF is STEP for 16 columns.
#define STEPHALF(a, b) \
	VMOVUPS    b(DI), Z28;  \
	PREFETCHT0 (b+512)(DI); \
	HALF((a+0), Z30, Z0);   \
	HALF((a+4), Z31, Z2);   \
	HALF((a+8), Z30, Z4);   \
	HALF((a+12), Z31, Z6);  \
	HALF((a+16), Z30, Z8);  \
	HALF((a+20), Z31, Z10); \
	HALF((a+24), Z30, Z12); \
	HALF((a+28), Z31, Z14); \
	HALF((a+32), Z30, Z16); \
	HALF((a+36), Z31, Z18); \
	HALF((a+40), Z30, Z20); \
	HALF((a+44), Z31, Z22); \
	HALF((a+48), Z30, Z24); \
	HALF((a+52), Z31, Z26)

// STORETILE stores the tile row by row.
#define STORETILE \
	STORE(Z0, Z1);   \
	STORE(Z2, Z3);   \
	STORE(Z4, Z5);   \
	STORE(Z6, Z7);   \
	STORE(Z8, Z9);   \
	STORE(Z10, Z11); \
	STORE(Z12, Z13); \
	STORE(Z14, Z15); \
	STORE(Z16, Z17); \
	STORE(Z18, Z19); \
	STORE(Z20, Z21); \
	STORE(Z22, Z23); \
	STORE(Z24, Z25); \
	STORE(Z26, Z27)

// STORETILEHALF is STORETILE for 16 columns.
#define STORETILEHALF \
	STOREHALF(Z0);  \
	STOREHALF(Z2);  \
	STOREHALF(Z4);  \
	STOREHALF(Z6);  \
	STOREHALF(Z8);  \
	STOREHALF(Z10); \
	STOREHALF(Z12); \
	STOREHALF(Z14); \
	STOREHALF(Z16); \
	STOREHALF(Z18); \
	STOREHALF(Z20); \
	STOREHALF(Z22); \
	STOREHALF(Z24); \
	STOREHALF(Z26)
