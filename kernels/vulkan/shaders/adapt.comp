#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// B + σ ε z of every copy of LinearLoRA, query and σ as copyOf has them. The
// product and the sum are each rounded to f32; with σε = 0 it is B, bit for bit. B [count] → perturbed [P, count]

layout(std430, binding = 0) readonly buffer B { uint loraB[]; };
layout(std430, binding = 1) readonly buffer Seed { uint seed[]; };
layout(std430, binding = 2) readonly buffer First { int first[]; };
layout(std430, binding = 3) readonly buffer Epsilon { float epsilon[]; };
layout(std430, binding = 4) readonly buffer Table { int quantiles[]; };
layout(std430, binding = 5) writeonly buffer Output { uint perturbed[]; };

layout(std140, binding = 6) uniform Parameters { uint P, count, site; };

#include "noise.glsl"

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < P * count; i += gl_NumWorkGroups.x * THREADS) {
    uint e = i % count;
    Copy c = copyOf(first[0], i / count);
    float eps = c.sigma * epsilon[0];
    if (eps == 0.0) {
      perturbed[i] = loraB[e];
      continue;
    }
    precise float step_ = eps * noise(uvec2(seed[0], seed[1]), site, c.query, e);
    precise float sum = uintBitsToFloat(loraB[e]) + step_;
    perturbed[i] = floatBitsToUint(sum);
  }
}
