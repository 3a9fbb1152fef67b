#include "common.cl"

// softmax(scale · q kᵀ) v within each packed sequence, keys taken 32 at a time
// with a running maximum and sum, so that no row of scores is ever whole. A work
// group has one head of BQ tokens that lie one after another, whatever the
// sequences they belong to.
//
// q [w, N, H·D], k and v [w, N, HKV·D], offsets [S+1] → y [P, N, H·D]

#define BQ ((uint)C0)
#define D ((uint)C1)
#define BT 32u
#define OWN ((C0 * C1 + 127) / 128) // elements of y of an item

typedef struct {
  uint P, N, S;
  uint heads, kvHeads;
  uint qWide, kWide, vWide;
  uint causal;
  float scale;
} Params;

// sequenceOf finds the sequence of a token: the last that begins at it or before.
uint sequenceOf(uint n, __global const int *offsets, uint S) {
  uint low = 0, high = S;
  while (high - low > 1) {
    uint middle = (low + high) / 2;
    if ((uint)offsets[middle] <= n) low = middle; else high = middle;
  }
  return low;
}

KERNEL(attention)(IN(READ, Q), IN(READ, K), IN(READ, V), IN(int, offsets), OUT(WRITTEN, Y), const Params p) {
  BEGIN_READ(Q); BEGIN_READ(K); BEGIN_READ(V); BEGIN(offsets); BEGIN_WRITTEN(Y);
  __local float query[C0 * C1], weight[C0 * 32];
  __local float most[C0], total[C0], shrink[C0];
  __local uint begin[C0], end[C0]; // of the keys that a token sees
  const uint t = ITEM, N = p.N, blocks = (N + BQ - 1) / BQ, row = p.kvHeads * D;
  for (uint tile = GROUP; tile < p.P * p.heads * blocks; tile += GROUPS) {
    const uint copy = tile / (blocks * p.heads), head = tile / blocks % p.heads, n0 = tile % blocks * BQ;
    const uint kv = head * p.kvHeads / p.heads;
    __global const READ *q = Q + (p.qWide ? copy : 0) * N * p.heads * D + head * D;
    __global const READ *k = K + (p.kWide ? copy : 0) * N * row + kv * D;
    __global const READ *v = V + (p.vWide ? copy : 0) * N * row + kv * D;
    barrier(CLK_LOCAL_MEM_FENCE); // the tile before is done
    if (t < BQ) {
      uint n = n0 + t, s = n < N ? sequenceOf(n, offsets, p.S) : 0;
      begin[t] = n < N ? (uint)offsets[s] : N;
      end[t] = n < N ? (p.causal ? n + 1 : (uint)offsets[s + 1]) : N;
      most[t] = -INFINITY;
      total[t] = 0.0f;
    }
    for (uint e = t; e < BQ * D; e += THREADS) query[e] = n0 + e / D < N ? load(q, (n0 + e / D) * p.heads * D + e % D) : 0.0f;
    float sums[OWN];
#pragma unroll
    for (uint own = 0; own < OWN; own++) sums[own] = 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint last = end[min(BQ, N - n0) - 1];
    for (uint t0 = begin[0]; t0 < last; t0 += BT) {
      for (uint e = t; e < BQ * BT; e += THREADS) {
        uint i = e / BT, key = t0 + e % BT;
        if (key >= begin[i] && key < end[i]) {
          float score = 0.0f;
          for (uint d = 0; d < D; d++) score += query[i * D + d] * load(k, key * row + d);
          weight[e] = score * p.scale;
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      if (t < BQ) {
        float largest = most[t];
        for (uint key = max(begin[t], t0); key < min(end[t], t0 + BT); key++) {
          float score = weight[t * BT + key - t0];
          if (score > largest) largest = score;
        }
        shrink[t] = largest == most[t] ? 1.0f : exponential(most[t] - largest);
        most[t] = largest;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      for (uint e = t; e < BQ * BT; e += THREADS) {
        uint i = e / BT, key = t0 + e % BT;
        if (key >= begin[i] && key < end[i]) weight[e] = weight[e] == -INFINITY ? 0.0f : exponential(weight[e] - most[i]);
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      if (t < BQ) {
        float sum = total[t] * shrink[t];
        for (uint key = max(begin[t], t0); key < min(end[t], t0 + BT); key++) sum += weight[t * BT + key - t0];
        total[t] = sum;
      }
#pragma unroll
      for (uint own = 0; own < OWN; own++) {
        uint e = t + own * THREADS, i = e / D;
        if (e < BQ * D) {
          float sum = sums[own] * shrink[i];
          for (uint key = max(begin[i], t0); key < min(end[i], t0 + BT); key++) sum += weight[i * BT + key - t0] * load(v, key * row + e % D);
          sums[own] = sum;
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
#pragma unroll
    for (uint own = 0; own < OWN; own++) {
      uint e = t + own * THREADS, n = n0 + e / D;
      if (e < BQ * D && n < N) store(Y, ((copy * N + n) * p.heads + head) * D + e % D, sums[own] / total[e / D]);
    }
  }
}
