#include "common.cl"
#include "reduce.cl"

// x rounded to codes of 8 bits, a row with a scale of its own. Copies 2i and 2i + 1
// are a pair, of which two rows are rounded: kind 2i is their mean, kind 2i + 1 half
// their difference, which so has all its bits, however small it is. Of the means of
// further pairs only what they differ by from the first is rounded. A copy without a
// partner is rounded itself, and then what that left.
//
// x [copies, N, K] → codes [kinds, N, words], 4 of 8 bits to a word, the first in its
// low bits, 0 beyond K; scales [kinds, N]: what codes are multiplied with, NaN for a
// row that is not finite.

#define BYTES C0
#if !BYTES
#error x is rounded to 8 bits here
#endif

typedef struct { uint copies, N, K, words; } Params;

// Rounding is how a row is rounded.
typedef struct { float factor, scale; } Rounding;

float nearestCode(float v) { return clamp(rint(v), -127.0f, 127.0f); }

// valueOf is element k of a kind's row n, before it is rounded. before is how the
// kind before it is.
float valueOf(__global const READ *X, Params p, uint kind, uint n, uint k, Rounding before) {
  const uint first = kind / 2 * 2, copy = p.N * p.K;
  __global const READ *x = X + first * copy + n * p.K + k;
  float a = load(x, 0);
  if (first + 1 < p.copies) {
    float b = load(x, copy);
    if (kind % 2 == 1) return a * 0.5f - b * 0.5f;
    a = a * 0.5f + b * 0.5f;
  }
  if (first > 0) a -= load(X, n * p.K + k) * 0.5f + load(X, copy + n * p.K + k) * 0.5f;
  if (kind % 2 == 0) return a;
  float rest = a - nearestCode(a * before.factor) * before.scale;
  return rest - rest == 0.0f ? rest : 0.0f;
}

// roundingOf is that of a row of the largest magnitude most. What is too small for
// that becomes 0.
Rounding roundingOf(float most) {
  Rounding r = {0.0f, 0.0f};
  if (!(most < INFINITY)) r.scale = as_float(0x7fc00000u);
  else if (most >= 1e-30f) {
    r.factor = 127.0f / most;
    r.scale = most / 127.0f;
  }
  return r;
}

KERNEL(round)(IN(READ, X), OUT(uint, codes), OUT(float, scales), const Params p) {
  BEGIN_READ(X); BEGIN(codes); BEGIN(scales);
  __local float tree[THREADS];
  const uint kinds = (p.copies + 1) / 2 * 2;
  for (uint row = GROUP; row < p.N; row += GROUPS) {
    Rounding before = {0.0f, 0.0f};
    for (uint kind = 0; kind < kinds; kind++) {
      float most = 0.0f;
      for (uint k = ITEM; k < p.K; k += THREADS) {
        float v = fabs(valueOf(X, p, kind, row, k, before));
        if (notANumber(v)) v = INFINITY;
        if (v > most) most = v;
      }
      const Rounding rounding = roundingOf(mostOfAll(most, tree));
      for (uint g = ITEM; g < p.words; g += THREADS) {
        uint word = 0;
        for (uint b = 0; b < 4; b++) {
          uint k = g * 4 + b;
          if (k < p.K && rounding.factor != 0.0f)
            word |= ((uint)(int)nearestCode(valueOf(X, p, kind, row, k, before) * rounding.factor) & 0xffu) << 8 * b;
        }
        codes[(kind * p.N + row) * p.words + g] = word;
      }
      if (ITEM == 0) scales[kind * p.N + row] = rounding.scale;
      before = rounding;
    }
  }
}
