#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// y[i, :] = data[indices[i], :] for the indices within rows first … first + M,
// which are the part of the table at hand. data [w, M, K] of any type, indices
// [I] → y [w, I, K]

layout(std430, binding = 0) readonly buffer Data { uint W[]; };
layout(std430, binding = 1) readonly buffer Indices { int indices[]; };
layout(std430, binding = 2) writeonly buffer Output { BITS Y[]; };
#ifdef HALF
layout(std430, binding = 0) readonly buffer Activations { uint16_t activations[]; };
layout(constant_id = 1) const bool ACTIVATIONS = false; // data is f16
#endif

layout(std140, binding = 3) uniform Parameters {
  uint count; // elements of y: w·I·K
  uint I, K, M;
  uint words, first;
};

#include "weights.glsl"

void main() {
  for (uint e = gl_GlobalInvocationID.x; e < count; e += gl_NumWorkGroups.x * THREADS) {
    uint k = e % K, row = e / K, m = uint(indices[row % I]) - first;
    if (m >= M) continue; // below first, it wraps around
#ifdef HALF
    if (ACTIVATIONS) {
      Y[e] = activations[(row / I * M + m) * K + k];
      continue;
    }
#endif
    Matrix w = Matrix(M, K, words);
    uint word = wordOf(w, row / I * M + m, k / WORD);
    if (WEIGHT <= PANELS_F32) {
      Y[e] = storedBits(word);
    } else if (WEIGHT == PANELS_BF16) {
      Y[e] = storedBits(k % 2 == 0 ? word << 16 : word & 0xffff0000u);
    } else {
      precise float value = decode(word, k % WORD, scaleOf(w, m, k));
      Y[e] = storedBits(floatBitsToUint(value));
    }
  }
}
