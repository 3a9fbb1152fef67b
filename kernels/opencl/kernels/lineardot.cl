#include "common.cl"
#include "weights.cl"
#include "dot.cl"

// linear.cl for an x that round.cl rounded: y_p = x_p Wᵀ + bias, and with LoRA +
// hidden_p B_pᵀ, for all copies p. What x is of has w copies; the rest is as there.

typedef struct {
  uint xCopies, yCopies; // w, P
  uint kinds;
  uint N, K, M;
  uint xWords;     // of a row of codes
  uint words;      // of a row of W in panels
  uint first, all; // columns of y
  uint r;
} Params;

#define RK 8u // columns of the low-rank product in a step

// addLowRank computes hidden Bᵀ of a copy, from tiles [RK, T] and [RK, BM].
void addLowRank(float *lowRank, __local float *hiddenTile, __local float *loraTile, __global const float *hidden,
                __global const float *loraB, Params p, uint n0, uint m0) {
  uint i = ITEM / 16, j = ITEM % 16;
#pragma unroll
  for (uint e = 0; e < U * TB; e++) lowRank[e] = 0.0f;
  for (uint k0 = 0; k0 < p.r; k0 += RK) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint e = ITEM; e < T * RK; e += THREADS) {
      uint n = n0 + e / RK, k = k0 + e % RK;
      hiddenTile[e % RK * T + e / RK] = n < p.N && k < p.r ? hidden[n * p.r + k] : 0.0f;
    }
    for (uint e = ITEM; e < BM * RK; e += THREADS) {
      uint m = m0 + e / RK, k = k0 + e % RK;
      loraTile[e % RK * BM + e / RK] = m < p.M && k < p.r ? loraB[(p.first + m) * p.r + k] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint k = 0; k < min(RK, p.r - k0); k++) {
#pragma unroll
      for (uint u = 0; u < U; u++)
#pragma unroll
        for (uint b = 0; b < TB; b++) lowRank[u * TB + b] += hiddenTile[k * T + i + 8 * u] * loraTile[k * BM + j + 16 * b];
    }
  }
}

KERNEL(lineardot)(IN(uint, codes), IN(float, scales), IN(uint, W), IN(float, bias), OUT(WRITTEN, Y), IN(float, hidden), IN(float, loraB), const Params p) {
  BEGIN(codes); BEGIN(scales); BEGIN(W); BEGIN(bias); BEGIN_WRITTEN(Y); BEGIN(hidden); BEGIN(loraB);
  __local uint xTile[BK * BN], wTile[BK * BM];
  __local float wScale[BM], hiddenTile[RK * T], loraTile[RK * BM];
  const Tiles tile = {xTile, wTile, wScale};
  const Matrix w = matrix(W, p.M, p.K, p.words);
  const Rounded x = {codes, scales, p.N, p.kinds, p.xWords};
  const uint i = ITEM / 16, j = ITEM % 16, tilesN = (p.N + T - 1) / T, tilesM = (p.M + BM - 1) / BM;
  const uint groups = GROUPED ? (p.xCopies + COPIES - 1) / COPIES : 1;
  for (uint at = GROUP; at < groups * tilesN * tilesM; at += GROUPS) {
    const uint n0 = at % tilesN * T, m0 = at / tilesN % tilesM * BM, group = at / (tilesN * tilesM);
    float sums[TA * TB];
    multiply(sums, tile, x, w, group, n0, m0);
    for (uint c = 0; c < COPIES; c++) {
      const uint copy = group * COPIES + c;
      const uint last = copy >= p.xCopies ? copy : p.xCopies == 1 ? p.yCopies : copy + 1;
      for (uint of = copy; of < last; of++) {
        float lowRank[U * TB];
        if (LORA) addLowRank(lowRank, hiddenTile, loraTile, hidden + copy * p.N * p.r, loraB + of * p.all * p.r, p, n0, m0);
#pragma unroll
        for (uint u = 0; u < U; u++) {
          uint n = n0 + i + 8 * u;
#pragma unroll
          for (uint b = 0; b < TB; b++) {
            uint m = m0 + j + 16 * b;
            if (n < p.N && m < p.M) {
              float y = productOf(sums, c, u, b);
              if (BIAS) y += bias[p.first + m];
              if (LORA) y += lowRank[u * TB + b];
              store(Y, (of * p.N + n) * p.all + p.first + m, y);
            }
          }
        }
      }
    }
  }
}
