#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"
#include "reduce.glsl"

// x rounded to f16, or to codes of 8 bits, a row with a scale of its own. Copies
// 2i and 2i + 1 are a pair, of which two rows are rounded: kind 2i is their mean,
// kind 2i + 1 half their difference, which so has all its bits, however small it
// is. Of the means of further pairs only what they differ by from the first is
// rounded. A copy without a partner is rounded itself, and to 8 bits also what
// that left.
//
// x [copies, N, K] → codes [kinds, N, words], 2 of f16 or 4 of 8 bits to a word, the
// first in its low bits, 0 beyond K; scales [kinds, N]: what codes are multiplied
// with, NaN for a row that is not finite.

layout(constant_id = 0) const bool BYTES = false;

layout(std430, binding = 0) readonly buffer Input { STORED X[]; };
layout(std430, binding = 1) writeonly buffer Codes { uint codes[]; };
layout(std430, binding = 2) writeonly buffer Scales { float scales[]; };

layout(std140, binding = 3) uniform Parameters { uint copies, N, K, words; };

const uint PER_WORD = BYTES ? 4u : 2u;

// Rounding is how a row is rounded.
struct Rounding { float factor, scale; };

float copyAt(uint c, uint n, uint k) { return loaded(X[(c * N + n) * K + k]); }

// valueOf is element k of a kind's row n, before it is rounded. value is how the
// kind before it is.
float valueOf(uint kind, uint n, uint k, Rounding value) {
  uint first = kind / 2 * 2;
  bool paired = first + 1 < copies;
  float a = copyAt(first, n, k);
  if (paired) {
    float b = copyAt(first + 1, n, k);
    if (kind % 2 == 1) return a * 0.5 - b * 0.5;
    a = a * 0.5 + b * 0.5;
  }
  if (first > 0) a -= copyAt(0, n, k) * 0.5 + copyAt(1, n, k) * 0.5;
  if (kind % 2 == 0) return a;
  float rest = a - clamp(roundEven(a * value.factor), -127.0, 127.0) * value.scale;
  return rest - rest == 0.0 ? rest : 0.0;
}

// roundingOf is that of a row of the largest magnitude most: to 127, or by a power
// of two to between 2¹⁴ and 2¹⁵. What is too small for that becomes 0.
Rounding roundingOf(float most) {
  if (!(most < INFINITY)) return Rounding(0.0, uintBitsToFloat(0x7fc00000u));
  if (most < 1e-30) return Rounding(0.0, 0.0);
  if (BYTES) return Rounding(127.0 / most, most / 127.0);
  int exponent = int(floatBitsToUint(most) >> 23) - 127;
  return Rounding(powerOfTwo(14 - exponent), powerOfTwo(exponent - 14));
}

#include "half.glsl"

uint codeOf(float v) {
  return BYTES ? uint(int(clamp(roundEven(v), -127.0, 127.0))) & 0xffu : halfOf(v);
}

void main() {
  uint t = gl_LocalInvocationID.x, kinds = BYTES ? (copies + 1) / 2 * 2 : copies;
  for (uint n = gl_WorkGroupID.x; n < N; n += gl_NumWorkGroups.x) {
    Rounding before = Rounding(0.0, 0.0);
    for (uint kind = 0; kind < kinds; kind++) {
      float most = 0.0;
      for (uint k = t; k < K; k += THREADS) {
        float v = abs(valueOf(kind, n, k, before));
        most = max(most, notANumber(v) ? INFINITY : v);
      }
      Rounding rounding = roundingOf(mostOfAll(most));
      for (uint g = t; g < words; g += THREADS) {
        uint word = 0;
        [[unroll]] for (uint b = 0; b < PER_WORD; b++) {
          uint k = g * PER_WORD + b;
          if (k < K && rounding.factor != 0.0) word |= codeOf(valueOf(kind, n, k, before) * rounding.factor) << (32u / PER_WORD * b);
        }
        codes[(kind * N + n) * words + g] = word;
      }
      if (t == 0) scales[kind * N + n] = rounding.scale;
      before = rounding;
    }
  }
}
