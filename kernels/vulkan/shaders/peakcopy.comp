#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A plain copy: X [count] → Y [count], of vectors of 16 bytes.

layout(std430, binding = 0) readonly buffer Input { uvec4 X[]; };
layout(std430, binding = 1) writeonly buffer Output { uvec4 Y[]; };

layout(std140, binding = 2) uniform Parameters { uint count; };

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * THREADS) Y[i] = X[i];
}
