#include "common.cl"
#include "noise.cl"
#include "trainable.cl"

// B ← B − (lr / Q) · Σ_i g[i] z_i in place, with a rounding to f32 after the
// quotient, each product and each sum, in order of i from +0; a bf16 B is
// rounded stochastically. B is rows firstRow … of a matrix, or a vector as one
// row. It is not run for Q = 0.

typedef struct { uint count, M, K, words, firstRow, site, Q; } Params;

// quotient is a / b with the rounding of IEEE 754, which OpenCL's division need
// not have: a long division of the significands. Only what is no ordinary
// number, before or after, is left to the device.
float quotient(float a, float b) {
  uint aBits = as_uint(a), bBits = as_uint(b);
  int aExponent = (int)(aBits >> 23 & 255u), bExponent = (int)(bBits >> 23 & 255u);
  if (aExponent == 0 || aExponent == 255 || bExponent == 0 || bExponent == 255) return a / b;
  uint rest = (aBits & 0x7fffffu) | 0x800000u, divisor = (bBits & 0x7fffffu) | 0x800000u;
  int exponent = aExponent - bExponent + 127;
  if (rest < divisor) {
    rest <<= 1;
    exponent--;
  }
  uint digits = 0; // 24 of the quotient, the first of which is 1, and one to round by
  for (uint i = 0; i < 25; i++) {
    digits <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      digits |= 1;
    }
    rest <<= 1;
  }
  bool up = (digits & 1u) != 0 && (rest != 0 || (digits & 2u) != 0);
  digits = (digits >> 1) + (up ? 1 : 0); // a carry out of it is a carry into the exponent
  if (exponent < 1 || exponent > 253) return a / b;
  return as_float(((aBits ^ bBits) & 0x80000000u) | (((uint)exponent << 23) + (digits - 0x800000u)));
}

// rounded is noise.RoundBF16 of element e.
uint rounded(float x, uint e, uint site, uint2 seed) {
  uint bits = as_uint(x);
  if (notANumber(x)) bits |= 1u << 22;
  else if ((bits & 0x7f800000u) != 0x7f800000u) bits += wordAt(philox((uint4)(e / 4, site, 0, 4), seed), e % 4) & 0xffffu;
  return bits >> 16;
}

KERNEL(update)(OUT(uint, W), IN(uint, seeds), IN(float, g), IN(float, lr), IN(int, quantiles), const Params p) {
  BEGIN(W); BEGIN(seeds); BEGIN(g); BEGIN(lr); BEGIN(quantiles);
  const float rate = quotient(lr[0], (float)p.Q);
  const uint2 seed = (uint2)(seeds[0], seeds[1]);
  EACH(i, p.count) {
    Place at = placeOf(i, p.M, p.K, p.words);
    if (!at.inside) continue;
    uint word = W[i], result = 0;
    for (uint b = 0; b < PER_WORD && at.k + b < p.K; b++) {
      uint e = (p.firstRow + at.m) * p.K + at.k + b;
      float sum = 0.0f;
      for (uint q = 0; q < p.Q; q++) {
        float product = g[q] * noise(seed, p.site, q, e, quantiles);
        sum = sum + product;
      }
      float step = rate * sum;
      float value = elementOf(word, b) - step;
      result |= BF16 ? rounded(value, e, p.site, seed) << 16 * b : as_uint(value);
    }
    W[i] = result;
  }
}
