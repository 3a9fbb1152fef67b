#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// y = W + σ ε z for the first copy, rounded after the product, after the sum and
// to W's type. With σε = 0 it is W. W is rows firstRow … of a matrix, or a vector
// as one row.

layout(std430, binding = 0) readonly buffer Weights { uint W[]; };
layout(std430, binding = 1) readonly buffer Seed { uint seed[]; };
layout(std430, binding = 2) readonly buffer First { int first[]; };
layout(std430, binding = 3) readonly buffer Epsilon { float epsilon[]; };
layout(std430, binding = 4) readonly buffer Table { int quantiles[]; };
layout(std430, binding = 5) writeonly buffer Output { uint Y[]; };

layout(std140, binding = 6) uniform Parameters { uint count, M, K, words, firstRow, site; };

#include "noise.glsl"
#include "trainable.glsl"

// nearest rounds to bfloat16, to the even one of two that are as near.
uint nearest(float x) {
  uint bits = floatBitsToUint(x);
  if (notANumber(x)) return bits >> 16 | 0x40u;
  return bits + 0x7fffu + (bits >> 16 & 1u) >> 16;
}

uint moved(uint word, Place at) {
  Copy c = copyOf(first[0], 0);
  float eps = c.sigma * epsilon[0];
  uint result = 0;
  for (uint b = 0; b < PER_WORD; b++) {
    if (at.k + b >= K) break;
    uint e = (firstRow + at.m) * K + at.k + b;
    precise float step_ = eps * noise(uvec2(seed[0], seed[1]), site, c.query, e);
    precise float sum = elementOf(word, b) + step_;
    result |= BF16 ? nearest(sum) << 16 * b : floatBitsToUint(sum);
  }
  return result;
}

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * THREADS) {
    Place at = placeOf(i, M, K, words);
    uint word = W[i];
    Y[i] = copyOf(first[0], 0).sigma * epsilon[0] == 0.0 ? word : at.inside ? moved(word, at) : 0;
  }
}
