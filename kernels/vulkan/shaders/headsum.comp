#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// y = −log softmax of the chosen logit, from what head.comp left of each chunk.
// partial [chunks, rows] of (most, sum), chosen [rows] → y [rows]

layout(std430, binding = 0) readonly buffer Partial { vec2 partial[]; };
layout(std430, binding = 1) readonly buffer Chosen { float chosen[]; };
layout(std430, binding = 2) writeonly buffer Output { float Y[]; };

layout(std140, binding = 3) uniform Parameters { uint rows, chunks; };

void main() {
  for (uint n = gl_GlobalInvocationID.x; n < rows; n += gl_NumWorkGroups.x * THREADS) {
    SumExp whole = SumExp(-INFINITY, 0.0);
    for (uint c = 0; c < chunks; c++) {
      vec2 part = partial[c * rows + n];
      whole = joined(whole, SumExp(part.x, part.y));
    }
    Y[n] = negativeLogSoftmax(whole, chosen[n]);
  }
}
