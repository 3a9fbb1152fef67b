#ifdef HALF
#define WRITE16 !C5 // y may be working memory
#endif
#include "common.cl"
#include "weights.cl"
#include "product.cl"

// y = scale · x Wᵀ + bias, and with LoRA
//
//	y_p = x_p Wᵀ + bias + hidden_p B_pᵀ
//
// x [w, N, K], W [M, K], hidden [w, N, r], B [P, all, r] → columns first … of y
// [P, N, all]. W is rows first … first + M of a matrix of all rows. With w = 1
// the product with W is computed once for all copies. Without LoRA P = w.

#define BIAS C3
#define LORA C4

typedef struct {
  uint xCopies, yCopies; // w, P
  uint N, K, M;
  uint words;      // of a row of W in panels
  uint first, all; // columns of y
  uint r;
  float scale;
} Params;

// addLowRank adds hidden Bᵀ of one copy.
void addLowRank(float *sums, Tiles tile, __global const float *hidden, __global const float *loraB, Params p, uint n0, uint m0) {
  for (uint k0 = 0; k0 < p.r; k0 += BK) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint e = ITEM; e < BN * BK; e += THREADS) {
      uint n = n0 + e / BK, k = k0 + e % BK;
      tile.x[e % BK * BN + e / BK] = n < p.N && k < p.r ? hidden[n * p.r + k] : 0.0f;
    }
    for (uint e = ITEM; e < BM * BK; e += THREADS) {
      uint m = m0 + e / BK, k = k0 + e % BK;
      tile.w[e % BK * BM + e / BK] = m < p.M && k < p.r ? loraB[(p.first + m) * p.r + k] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    addTiles(sums, tile, min(BK, p.r - k0));
  }
}

KERNEL(linear)(IN(READ, X), IN(uint, W), IN(float, bias), OUT(WRITTEN, Y), IN(float, hidden), IN(float, loraB), const Params p) {
  BEGIN_READ(X); BEGIN(W); BEGIN(bias); BEGIN_WRITTEN(Y); BEGIN(hidden); BEGIN(loraB);
  __local float xTile[BK * BN], wTile[BK * BM];
  const Tiles tile = tiles(xTile, wTile);
  const Matrix w = matrix(W, p.M, p.K, p.words);
  const uint i = ITEM / 16, j = ITEM % 16, tilesN = (p.N + BN - 1) / BN, tilesM = (p.M + BM - 1) / BM;
  for (uint at = GROUP; at < p.xCopies * tilesN * tilesM; at += GROUPS) {
    const uint n0 = at % tilesN * BN, m0 = at / tilesN % tilesM * BM, copy = at / (tilesN * tilesM);
    float sums[TA * TB];
    clear(sums);
    addProduct(sums, tile, X + copy * p.N * p.K, p.N, w, n0, m0);
    const uint last = p.xCopies == 1 ? p.yCopies : copy + 1;
    for (uint of = copy; of < last; of++) {
      float lowRank[TA * TB];
      clear(lowRank);
      if (LORA) addLowRank(lowRank, tile, hidden + copy * p.N * p.r, loraB + of * p.all * p.r, p, n0, m0);
#pragma unroll
      for (uint a = 0; a < TA; a++) {
        uint n = n0 + i + 8 * a;
#pragma unroll
        for (uint b = 0; b < TB; b++) {
          uint m = m0 + j + 16 * b;
          if (n < p.N && m < p.M) {
            float y = p.scale * sums[a * TB + b];
            if (BIAS) y += bias[p.first + m];
            if (LORA) y += lowRank[a * TB + b];
            store(Y, (of * p.N + n) * p.all + p.first + m, y);
          }
        }
      }
    }
  }
}
