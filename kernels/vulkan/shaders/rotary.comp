#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// Pairs of each head turned by the angle of their token's position: (2i, 2i+1)
// when interleaved, (i, i + half) otherwise. x [rows, H·2·half], rows = w·N,
// positions [N], cos and sin [S, half] → y as x; y may be x.

layout(std430, binding = 0) readonly buffer Input { STORED X[]; };
layout(std430, binding = 1) readonly buffer Positions { int positions[]; };
layout(std430, binding = 2) readonly buffer Cosines { float cosines[]; };
layout(std430, binding = 3) readonly buffer Sines { float sines[]; };
layout(std430, binding = 4) writeonly buffer Output { STORED Y[]; };

layout(std140, binding = 5) uniform Parameters { uint pairs, N, heads, halfHead, interleaved; };

void main() {
  for (uint e = gl_GlobalInvocationID.x; e < pairs; e += gl_NumWorkGroups.x * THREADS) {
    uint i = e % halfHead, head = e / halfHead; // of all rows
    uint n = head / heads % N, angle = uint(positions[n]) * halfHead + i;
    uint first = head * 2 * halfHead + (interleaved != 0 ? 2 * i : i);
    uint second = first + (interleaved != 0 ? 1 : halfHead);
    float a = loaded(X[first]), b = loaded(X[second]);
    Y[first] = stored(a * cosines[angle] - b * sines[angle]);
    Y[second] = stored(a * sines[angle] + b * cosines[angle]);
  }
}
