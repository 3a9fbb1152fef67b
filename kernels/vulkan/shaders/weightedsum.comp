#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "reduce.glsl"

// y_p = Σ weights[r] · x_p[r]. A work group takes a copy.
// x [w, R], weights [R] → y [w]

layout(std430, binding = 0) readonly buffer Input { float X[]; };
layout(std430, binding = 1) readonly buffer Weights { float weights[]; };
layout(std430, binding = 2) writeonly buffer Output { float Y[]; };

layout(std140, binding = 3) uniform Parameters { uint copies, R; };

void main() {
  uint t = gl_LocalInvocationID.x;
  for (uint p = gl_WorkGroupID.x; p < copies; p += gl_NumWorkGroups.x) {
    float sum = 0.0;
    for (uint n = t; n < R; n += THREADS) sum += weights[n] * X[p * R + n];
    sum = sumOfAll(sum);
    if (t == 0) Y[p] = sum;
  }
}
