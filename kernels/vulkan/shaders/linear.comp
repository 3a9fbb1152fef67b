#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// y = scale · x Wᵀ + bias, and with LoRA
//
//	y_p = x_p Wᵀ + bias + hidden_p B_pᵀ
//
// x [w, N, K], W [M, K], hidden [w, N, r], B [P, all, r] → columns first … of y
// [P, N, all]. W is rows first … first + M of a matrix of all rows. With w = 1
// the product with W is computed once for all copies. Without LoRA P = w.

layout(std430, binding = 0) readonly buffer Input { STORED X[]; };
layout(std430, binding = 1) readonly buffer Weights { uint W[]; };
layout(std430, binding = 2) readonly buffer Bias { float bias[]; };
layout(std430, binding = 3) writeonly buffer Output { STORED Y[]; };
#ifdef HALF
layout(std430, binding = 3) writeonly buffer Working { float working[]; };
#endif
layout(std430, binding = 4) readonly buffer Hidden { float hidden[]; };
layout(std430, binding = 5) readonly buffer Perturbed { float loraB[]; };

layout(std140, binding = 6) uniform Parameters {
  uint xCopies, yCopies; // w, P
  uint N, K, M;
  uint words;      // of a row of W in panels
  uint first, all; // columns of y
  uint r;
  float scale;
};

#include "weights.glsl"
#include "product.glsl"
layout(constant_id = 3) const bool BIAS = false;
layout(constant_id = 4) const bool LORA = false;
#ifdef HALF
layout(constant_id = 5) const bool WORKING = false; // y is f32
#endif

float lowRank[TA * TB];

// addLowRank computes hidden Bᵀ of copy p into lowRank.
void addLowRank(uint p, uint n0, uint m0) {
  uint t = gl_LocalInvocationID.x, i = t / 16, j = t % 16, copy_ = xCopies == 1 ? 0 : p;
  [[unroll]] for (uint e = 0; e < TA * TB; e++) lowRank[e] = 0.0;
  for (uint k0 = 0; k0 < r; k0 += BK) {
    barrier();
    for (uint e = t; e < BN * BK; e += THREADS) {
      uint n = n0 + e / BK, k = k0 + e % BK;
      xTile[e % BK * BN + e / BK] = n < N && k < r ? hidden[(copy_ * N + n) * r + k] : 0.0;
    }
    for (uint e = t; e < BM * BK; e += THREADS) {
      uint m = m0 + e / BK, k = k0 + e % BK;
      wTile[e % BK * BM + e / BK] = m < M && k < r ? loraB[(p * all + first + m) * r + k] : 0.0;
    }
    barrier();
    for (uint k = 0; k < min(BK, r - k0); k++) {
      [[unroll]] for (uint a = 0; a < TA; a++)
        [[unroll]] for (uint b = 0; b < TB; b++)
          lowRank[a * TB + b] += xTile[k * BN + i + 8 * a] * wTile[k * BM + j + 16 * b];
    }
  }
}

void store(uint p, uint n0, uint m0) {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  [[unroll]] for (uint a = 0; a < TA; a++) {
    uint n = n0 + i + 8 * a;
    [[unroll]] for (uint b = 0; b < TB; b++) {
      uint m = m0 + j + 16 * b;
      if (n < N && m < M) {
        float y = scale * sums[a * TB + b];
        if (BIAS) y += bias[first + m];
        if (LORA) y += lowRank[a * TB + b];
#ifdef HALF
        if (WORKING) working[(p * N + n) * all + first + m] = y; else
#endif
        Y[(p * N + n) * all + first + m] = stored(y);
      }
    }
  }
}

void main() {
  uint tilesN = (N + BN - 1) / BN, tilesM = (M + BM - 1) / BM;
  for (uint tile = gl_WorkGroupID.x; tile < xCopies * tilesN * tilesM; tile += gl_NumWorkGroups.x) {
    uint n0 = tile % tilesN * BN, m0 = tile / tilesN % tilesM * BM, copy_ = tile / (tilesN * tilesM);
    clearSums();
    addProduct(Matrix(M, K, words), copy_ * N * K, N, n0, m0);
    uint last = xCopies == 1 ? yCopies : copy_ + 1;
    for (uint p = copy_; p < last; p++) {
      if (LORA) addLowRank(p, n0, m0);
      store(p, n0, m0);
    }
  }
}
