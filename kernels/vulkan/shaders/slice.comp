#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// y[n, c] = x[n, start + c], bit for bit. x [rows, C] → y [rows, size]

layout(std430, binding = 0) readonly buffer Input { BITS X[]; };
layout(std430, binding = 1) writeonly buffer Output { BITS Y[]; };

layout(std140, binding = 2) uniform Parameters { uint count, C, start, size; };

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * THREADS)
    Y[i] = X[i / size * C + start + i % size];
}
