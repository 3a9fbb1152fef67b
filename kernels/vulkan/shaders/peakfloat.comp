#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// Multiply-adds of f32: CHAINS · rounds an invocation.

#include "peak.glsl"

void main() {
  float x = 0.999 + float(gl_LocalInvocationID.x) * 1e-6, a[CHAINS];
  [[unroll]] for (uint c = 0; c < CHAINS; c++) a[c] = float(c);
  for (uint i = 0; i < rounds; i++)
    [[unroll]] for (uint c = 0; c < CHAINS; c++) a[c] = a[c] * x + 1e-3;
  float sum = 0.0;
  [[unroll]] for (uint c = 0; c < CHAINS; c++) sum += a[c];
  Y[gl_GlobalInvocationID.x] = floatBitsToUint(sum);
}
