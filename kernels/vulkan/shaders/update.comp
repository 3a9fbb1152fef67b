#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// B ← B − (lr / Q) · Σ_i g[i] z_i in place, with a rounding to f32 after the
// quotient, each product and each sum, in order of i from +0; a bf16 B is
// rounded stochastically. B is rows firstRow … of a matrix, or a vector as one
// row. It is not dispatched for Q = 0.

layout(std430, binding = 0) buffer Weights { uint W[]; };
layout(std430, binding = 1) readonly buffer Seed { uint seed[]; };
layout(std430, binding = 2) readonly buffer Gradients { float g[]; };
layout(std430, binding = 3) readonly buffer Rate { float lr[]; };
layout(std430, binding = 4) readonly buffer Table { int quantiles[]; };

layout(std140, binding = 5) uniform Parameters { uint count, M, K, words, firstRow, site, Q; };

#include "noise.glsl"
#include "trainable.glsl"

// quotient is a / b with the rounding of IEEE 754, which GLSL's division need
// not have: a long division of the significands. Only what is no ordinary
// number, before or after, is left to the device.
float quotient(float a, float b) {
  uint aBits = floatBitsToUint(a), bBits = floatBitsToUint(b);
  int aExponent = int(aBits >> 23 & 255u), bExponent = int(bBits >> 23 & 255u);
  if (aExponent == 0 || aExponent == 255 || bExponent == 0 || bExponent == 255) return a / b;
  uint rest = aBits & 0x7fffffu | 0x800000u, divisor = bBits & 0x7fffffu | 0x800000u;
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
  return uintBitsToFloat((aBits ^ bBits) & 0x80000000u | (uint(exponent) << 23) + (digits - 0x800000u));
}

// rounded is noise.RoundBF16 of element e.
uint rounded(float x, uint e) {
  uint bits = floatBitsToUint(x);
  if (notANumber(x)) bits |= 1u << 22;
  else if ((bits & 0x7f800000u) != 0x7f800000u)
    bits += philox(uvec4(e / 4, site, 0, 4), uvec2(seed[0], seed[1]))[e % 4] & 0xffffu;
  return bits >> 16;
}

uint moved(uint word, Place at, float rate) {
  uint result = 0;
  for (uint b = 0; b < PER_WORD; b++) {
    if (at.k + b >= K) break;
    uint e = (firstRow + at.m) * K + at.k + b;
    precise float sum = 0.0;
    for (uint i = 0; i < Q; i++) {
      precise float product = g[i] * noise(uvec2(seed[0], seed[1]), site, i, e);
      sum = sum + product;
    }
    precise float step_ = rate * sum;
    precise float value = elementOf(word, b) - step_;
    result |= BF16 ? rounded(value, e) << 16 * b : floatBitsToUint(value);
  }
  return result;
}

void main() {
  float rate = quotient(lr[0], float(Q));
  for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * THREADS) {
    Place at = placeOf(i, M, K, words);
    if (at.inside) W[i] = moved(W[i], at, rate);
  }
}
