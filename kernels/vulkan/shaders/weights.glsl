// A weight matrix W [M, K] of any type and layout (op.Panels). It may be a part
// of a larger one: whole panels, with the scales of their own behind them. The
// row scales of nf4 have been divided by 255·127 before.
//
// The shader declares the buffer: uint W[].

const uint ROWS_F32 = 0, PANELS_F32 = 1, PANELS_BF16 = 2, PANELS_I8 = 3, PANELS_Q4 = 4, PANELS_NF4 = 5;
layout(constant_id = 0) const uint WEIGHT = ROWS_F32;

// WORD is the number of elements in a word.
const uint WORD = WEIGHT <= PANELS_F32 ? 1u : WEIGHT == PANELS_BF16 ? 2u : WEIGHT == PANELS_I8 ? 4u : 8u;

struct Matrix {
  uint M, K;
  uint words; // of a row, in panels
};

const float LEVELS[16] = float[16](-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127);

#include "half.glsl"

// scaleOf is what the codes of column k of row m are multiplied with.
float scaleOf(Matrix w, uint m, uint k) {
  uint panel = m / 16, i = m % 16, panels = (w.M + 15) / 16;
  uint scales = panels * w.words * 16;
  if (WEIGHT == PANELS_I8) return uintBitsToFloat(W[scales + m]);
  if (WEIGHT == PANELS_Q4) {
    uint at = (panel * (w.words / 4) + k / 32) * 16 + i;
    return halfToFloat(W[scales + at / 2] >> at % 2 * 16 & 0xffffu);
  }
  if (WEIGHT == PANELS_NF4) {
    uint groups = w.words / 8, at = (panel * groups + k / 64) * 16 + i;
    uint code = W[scales + at / 4] >> at % 4 * 8 & 0xffu;
    return float(code) * uintBitsToFloat(W[scales + panels * groups * 4 + m]);
  }
  return 1.0;
}

// rowScaleOf is the part of scaleOf that all columns of row m of i8 and nf4 share.
float rowScaleOf(Matrix w, uint m) {
  uint panels = (w.M + 15) / 16, scales = panels * w.words * 16;
  return uintBitsToFloat(W[WEIGHT == PANELS_NF4 ? scales + panels * (w.words / 8) * 4 + m : scales + m]);
}

// decode takes element b out of a word.
float decode(uint word, uint b, float scale) {
  if (WEIGHT == PANELS_BF16) return uintBitsToFloat(b == 0u ? word << 16 : word & 0xffff0000u);
  if (WEIGHT == PANELS_I8) return float(bitfieldExtract(int(word), int(8 * b), 8)) * scale;
  if (WEIGHT >= PANELS_Q4) {
    uint code = word >> b % 4 * 8 + b / 4 * 4 & 15u;
    return (WEIGHT == PANELS_Q4 ? float(int(code) - 8) : LEVELS[code]) * scale;
  }
  return uintBitsToFloat(word);
}

// wordOf is word g of row m.
uint wordOf(Matrix w, uint m, uint g) {
  return WEIGHT == ROWS_F32 ? W[m * w.K + g] : W[(m / 16 * w.words + g) * 16 + m % 16];
}
