// The tile of a matrix product x Wᵀ that a work group computes: BN rows of x by
// BM rows of W, in steps of BK columns. Item (i, j) has rows i + 8a of the one
// and j + 16b of the other, a < TA, b < TB, in sums [TA, TB] of its own.

#define TA ((uint)C1)
#define TB ((uint)C2)
#define BK 16u
#define BN (8 * C1)
#define BM (16 * C2)

// Tiles are what a work group has of x and W in local memory: x [BK, BN], W [BK,
// BM].
typedef struct { __local float *x, *w; } Tiles;

Tiles tiles(__local float *x, __local float *w) {
  Tiles t = {x, w};
  return t;
}

void clear(float *sums) {
#pragma unroll
  for (uint i = 0; i < TA * TB; i++) sums[i] = 0.0f;
}

// addTiles adds the product of the tiles' first columns.
void addTiles(float *sums, Tiles tile, uint columns) {
  uint i = ITEM / 16, j = ITEM % 16;
  for (uint k = 0; k < columns; k++) {
    float x[TA], w[TB];
#pragma unroll
    for (uint a = 0; a < TA; a++) x[a] = tile.x[k * BN + i + 8 * a];
#pragma unroll
    for (uint b = 0; b < TB; b++) w[b] = tile.w[k * BM + j + 16 * b];
#pragma unroll
    for (uint a = 0; a < TA; a++)
#pragma unroll
      for (uint b = 0; b < TB; b++) sums[a * TB + b] += x[a] * w[b];
  }
}

// addProduct adds rows n0 … of x [N, K] times rows m0 … of W. What lies outside
// counts as 0 and is not read.
void addProduct(float *sums, Tiles tile, __global const READ *x, uint N, Matrix w, uint n0, uint m0) {
  for (uint k0 = 0; k0 < w.K; k0 += BK) {
    barrier(CLK_LOCAL_MEM_FENCE); // the tiles have been read
    for (uint e = ITEM; e < BN * BK; e += THREADS) {
      uint n = n0 + e / BK, k = k0 + e % BK;
      tile.x[e % BK * BN + e / BK] = n < N && k < w.K ? load(x, n * w.K + k) : 0.0f;
    }
    for (uint e = ITEM; e < BM * (BK / WORD); e += THREADS) {
      uint i = WEIGHT == ROWS_F32 ? e / BK : e % BM, step = WEIGHT == ROWS_F32 ? e % BK : e / BM;
      uint m = m0 + i, k = k0 + step * WORD;
      bool inside = m < w.M && k < w.K;
      uint word = inside ? wordOf(w, m, k / WORD) : 0u;
      float scale = inside ? scaleOf(w, m, k) : 0.0f;
#pragma unroll
      for (uint b = 0; b < WORD; b++) tile.w[(step * WORD + b) * BM + i] = inside ? decode(word, b, scale) : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    addTiles(sums, tile, BK);
  }
}
