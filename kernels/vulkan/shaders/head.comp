#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// The loss of each row over a part of the vocabulary: logits = x Wᵀ + bias, of
// which only their SumExp and the label's one are kept. A work group takes BN
// rows by a chunk of the part; headsum.comp joins the chunks.
//
// x [rows, K], W [M, K]: tokens first … first + M of the vocabulary, labels
// [R], rows = w·R → partial [chunks, rows] of (most, sum), chosen [rows]

layout(std430, binding = 0) readonly buffer Input { STORED X[]; };
layout(std430, binding = 1) readonly buffer Weights { uint W[]; };
layout(std430, binding = 2) readonly buffer Bias { float bias[]; };
layout(std430, binding = 3) readonly buffer Labels { int labels[]; };
layout(std430, binding = 4) writeonly buffer Partial { vec2 partial[]; };
layout(std430, binding = 5) writeonly buffer Chosen { float chosen[]; };

layout(std140, binding = 6) uniform Parameters {
  uint rows, R, K, M;
  uint words;
  uint first;
  uint chunks;     // of this part
  uint chunkTiles; // tiles of BM tokens in a chunk
  uint firstChunk; // of this part, among those of all
};

#include "weights.glsl"
#include "product.glsl"
layout(constant_id = 3) const bool BIAS = false;

shared float mostOf[THREADS], sumOf[THREADS];

void main() {
  uint t = gl_LocalInvocationID.x, i = t / 16, j = t % 16;
  uint tilesN = (rows + BN - 1) / BN;
  for (uint tile = gl_WorkGroupID.x; tile < tilesN * chunks; tile += gl_NumWorkGroups.x) {
    uint n0 = tile % tilesN * BN, chunk = tile / tilesN;
    SumExp parts[TA];
    [[unroll]] for (uint a = 0; a < TA; a++) parts[a] = SumExp(-INFINITY, 0.0);
    uint end = min((chunk + 1) * chunkTiles * BM, M);
    for (uint m0 = chunk * chunkTiles * BM; m0 < end; m0 += BM) {
      clearSums();
      addProduct(Matrix(M, K, words), 0, rows, n0, m0);
      [[unroll]] for (uint a = 0; a < TA; a++) {
        uint n = n0 + i + 8 * a;
        int label = n < rows ? labels[n % R] : -1;
        [[unroll]] for (uint b = 0; b < TB; b++) {
          uint m = m0 + j + 16 * b;
          if (m < M) {
            float logit = sums[a * TB + b];
            if (BIAS) logit += bias[first + m];
            parts[a] = withTerm(parts[a], logit);
            if (label == int(first + m)) chosen[n] = logit;
          }
        }
      }
    }
    [[unroll]] for (uint a = 0; a < TA; a++) {
      barrier();
      mostOf[t] = parts[a].most;
      sumOf[t] = parts[a].sum;
      barrier();
      uint n = n0 + i + 8 * a;
      if (j == 0 && n < rows) {
        SumExp whole = parts[a];
        for (uint other = 1; other < 16; other++) whole = joined(whole, SumExp(mostOf[t + other], sumOf[t + other]));
        partial[(firstChunk + chunk) * rows + n] = vec2(whole.most, whole.sum);
      }
    }
  }
}
