// A weight matrix W [M, K] of any type and layout (op.Panels). It may be a part
// of a larger one: whole panels, with the scales of their own behind them. The
// row scales of nf4 have been divided by 255·127 before.

#define ROWS_F32 0
#define PANELS_F32 1
#define PANELS_BF16 2
#define PANELS_I8 3
#define PANELS_Q4 4
#define PANELS_NF4 5
#define WEIGHT C0

// WORD is the number of elements in a word.
#if WEIGHT <= PANELS_F32
#define WORD 1u
#elif WEIGHT == PANELS_BF16
#define WORD 2u
#elif WEIGHT == PANELS_I8
#define WORD 4u
#else
#define WORD 8u
#endif

typedef struct {
  __global const uint *W;
  uint M, K;
  uint words; // of a row, in panels
} Matrix;

Matrix matrix(__global const uint *W, uint M, uint K, uint words) {
  Matrix w = {W, M, K, words};
  return w;
}

#if WEIGHT == PANELS_NF4
__constant float levels[16] = {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127};
#endif

// halfToFloat widens a binary16 exactly, subnormal ones too.
float halfToFloat(uint h) {
  uint sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
  if (exponent == 0u) {
    float small = (float)fraction * as_float(103u << 23); // 2⁻²⁴
    return sign == 0u ? small : -small;
  }
  if (exponent == 31u) exponent = 255u - 112u;
  return as_float(sign | (exponent + 112u) << 23 | fraction << 13);
}

// scaleOf is what the codes of column k of row m are multiplied with. Behind the
// words of the panels lie the scales of groups of columns, 16 rows together,
// then those of rows.
float scaleOf(Matrix w, uint m, uint k) {
#if WEIGHT >= PANELS_I8
  const uint panels = (w.M + 15) / 16;
  __global const uint *scales = w.W + panels * w.words * 16;
#if WEIGHT == PANELS_I8
  return as_float(scales[m]);
#elif WEIGHT == PANELS_Q4
  uint at = (m / 16 * (w.words / 4) + k / 32) * 16 + m % 16;
  return halfToFloat(scales[at / 2] >> at % 2 * 16 & 0xffffu);
#else
  uint groups = w.words / 8, at = (m / 16 * groups + k / 64) * 16 + m % 16;
  uint code = scales[at / 4] >> at % 4 * 8 & 0xffu;
  return (float)code * as_float(scales[panels * groups * 4 + m]);
#endif
#else
  return 1.0f;
#endif
}

// decode takes element b out of a word.
float decode(uint word, uint b, float scale) {
#if WEIGHT == PANELS_BF16
  return as_float(b == 0u ? word << 16 : word & 0xffff0000u);
#elif WEIGHT == PANELS_I8
  return (float)((int)(word << (24 - 8 * b)) >> 24) * scale;
#elif WEIGHT >= PANELS_Q4
  uint code = word >> (b % 4 * 8 + b / 4 * 4) & 15u;
#if WEIGHT == PANELS_Q4
  return (float)((int)code - 8) * scale;
#else
  return levels[code] * scale;
#endif
#else
  return as_float(word);
#endif
}

// wordOf is word g of row m.
uint wordOf(Matrix w, uint m, uint g) {
  return WEIGHT == ROWS_F32 ? w.W[m * w.K + g] : w.W[(m / 16 * w.words + g) * 16 + m % 16];
}
