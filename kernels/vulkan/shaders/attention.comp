#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// softmax(scale · q kᵀ) v within each packed sequence, keys taken 32 at a time
// with a running maximum and sum, so that no row of scores is ever whole. A work
// group has one head of BQ tokens that lie one after another, whatever the
// sequences they belong to.
//
// q [w, N, H·D], k and v [w, N, HKV·D], offsets [S+1] → y [P, N, H·D]

layout(constant_id = 0) const uint BQ = 8;
layout(constant_id = 1) const uint D = 64;
const uint BT = 32;
const uint OWN = (BQ * D + THREADS - 1) / THREADS; // elements of y of an invocation

layout(std430, binding = 0) readonly buffer Queries { STORED Q[]; };
layout(std430, binding = 1) readonly buffer Keys { STORED K[]; };
layout(std430, binding = 2) readonly buffer Values { STORED V[]; };
layout(std430, binding = 3) readonly buffer Offsets { int offsets[]; };
layout(std430, binding = 4) writeonly buffer Output { STORED Y[]; };

layout(std140, binding = 5) uniform Parameters {
  uint P, N, S;
  uint heads, kvHeads;
  uint qWide, kWide, vWide;
  uint causal;
  float scale;
};

shared float query[BQ * D];
shared float weight[BQ * BT];
shared float most[BQ], total[BQ], shrink[BQ];
shared uint begin[BQ], end[BQ]; // of the keys that a token sees

// findKeys finds the sequence of a token: the last that begins at it or before.
void findKeys(uint i, uint n) {
  uint low = 0, high = S;
  while (high - low > 1) {
    uint middle = (low + high) / 2;
    if (uint(offsets[middle]) <= n) low = middle; else high = middle;
  }
  begin[i] = n < N ? uint(offsets[low]) : N;
  end[i] = n < N ? (causal != 0 ? n + 1 : uint(offsets[low + 1])) : N;
}

void attend(uint p, uint head, uint n0) {
  uint t = gl_LocalInvocationID.x, kv = head * kvHeads / heads;
  uint kFrom = (kWide != 0 ? p : 0) * N * kvHeads * D + kv * D, vFrom = (vWide != 0 ? p : 0) * N * kvHeads * D + kv * D;
  uint qFrom = (qWide != 0 ? p : 0) * N * heads * D + head * D;
  barrier(); // the tile before is done
  if (t < BQ) {
    findKeys(t, n0 + t);
    most[t] = -INFINITY;
    total[t] = 0.0;
  }
  for (uint e = t; e < BQ * D; e += THREADS) query[e] = n0 + e / D < N ? loaded(Q[qFrom + (n0 + e / D) * heads * D + e % D]) : 0.0;
  float sums[OWN];
  [[unroll]] for (uint e = 0; e < OWN; e++) sums[e] = 0.0;
  barrier();
  uint last = end[min(BQ, N - n0) - 1];
  for (uint t0 = begin[0]; t0 < last; t0 += BT) {
    for (uint e = t; e < BQ * BT; e += THREADS) {
      uint i = e / BT, key = t0 + e % BT;
      if (key >= begin[i] && key < end[i]) {
        float score = 0.0;
        for (uint d = 0; d < D; d++) score += query[i * D + d] * loaded(K[kFrom + key * kvHeads * D + d]);
        weight[e] = score * scale;
      }
    }
    barrier();
    if (t < BQ) {
      float largest = most[t];
      for (uint key = max(begin[t], t0); key < min(end[t], t0 + BT); key++) {
        float score = weight[t * BT + key - t0];
        if (score > largest) largest = score;
      }
      shrink[t] = largest == most[t] ? 1.0 : exponential(most[t] - largest);
      most[t] = largest;
    }
    barrier();
    for (uint e = t; e < BQ * BT; e += THREADS) {
      uint i = e / BT, key = t0 + e % BT;
      if (key >= begin[i] && key < end[i]) weight[e] = weight[e] == -INFINITY ? 0.0 : exponential(weight[e] - most[i]);
    }
    barrier();
    if (t < BQ) {
      float sum = total[t] * shrink[t];
      for (uint key = max(begin[t], t0); key < min(end[t], t0 + BT); key++) sum += weight[t * BT + key - t0];
      total[t] = sum;
    }
    [[unroll]] for (uint own = 0; own < OWN; own++) {
      uint e = t + own * THREADS, i = e / D;
      if (e < BQ * D) {
        float sum = sums[own] * shrink[i];
        for (uint key = max(begin[i], t0); key < min(end[i], t0 + BT); key++)
          sum += weight[i * BT + key - t0] * loaded(V[vFrom + key * kvHeads * D + e % D]);
        sums[own] = sum;
      }
    }
    barrier();
  }
  [[unroll]] for (uint own = 0; own < OWN; own++) {
    uint e = t + own * THREADS, n = n0 + e / D;
    if (e < BQ * D && n < N) Y[((p * N + n) * heads + head) * D + e % D] = stored(sums[own] / total[e / D]);
  }
}

void main() {
  uint tiles = (N + BQ - 1) / BQ;
  for (uint tile = gl_WorkGroupID.x; tile < P * heads * tiles; tile += gl_NumWorkGroups.x)
    attend(tile / (tiles * heads), tile / tiles % heads, tile % tiles * BQ);
}
