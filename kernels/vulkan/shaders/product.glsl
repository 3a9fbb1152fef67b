// The tile of a matrix product x Wᵀ that a work group computes: BN rows of x by
// BM rows of W, in steps of BK columns. Invocation (i, j) has rows i + 8a of the
// one and j + 16b of the other, a < TA, b < TB, in registers.
//
// The shader declares the buffers: STORED X[], uint W[].

layout(constant_id = 1) const uint TA = 8;
layout(constant_id = 2) const uint TB = 4;
const uint BK = 16;
const uint BN = 8 * TA, BM = 16 * TB;

shared float xTile[BK * BN];
shared float wTile[BK * BM];

float sums[TA * TB];

void clearSums() {
  [[unroll]] for (uint i = 0; i < TA * TB; i++) sums[i] = 0.0;
}

// addTiles adds the product of what xTile and wTile hold.
void addTiles() {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  for (uint k = 0; k < BK; k++) {
    float x[TA], w[TB];
    [[unroll]] for (uint a = 0; a < TA; a++) x[a] = xTile[k * BN + i + 8 * a];
    [[unroll]] for (uint b = 0; b < TB; b++) w[b] = wTile[k * BM + j + 16 * b];
    [[unroll]] for (uint a = 0; a < TA; a++)
      [[unroll]] for (uint b = 0; b < TB; b++) sums[a * TB + b] += x[a] * w[b];
  }
}

// addProduct adds rows n0 … of x [N, K], which begins at element from of X,
// times rows m0 … of W. What lies outside counts as 0 and is not read.
void addProduct(Matrix w, uint from, uint N, uint n0, uint m0) {
  uint t = gl_LocalInvocationID.x;
  for (uint k0 = 0; k0 < w.K; k0 += BK) {
    barrier(); // the tiles have been read
    for (uint e = t; e < BN * BK; e += THREADS) {
      uint n = n0 + e / BK, k = k0 + e % BK;
      xTile[e % BK * BN + e / BK] = n < N && k < w.K ? loaded(X[from + n * w.K + k]) : 0.0;
    }
    for (uint e = t; e < BM * (BK / WORD); e += THREADS) {
      uint i = WEIGHT == ROWS_F32 ? e / BK : e % BM, step_ = WEIGHT == ROWS_F32 ? e % BK : e / BM;
      uint m = m0 + i, k = k0 + step_ * WORD;
      bool inside = m < w.M && k < w.K;
      uint word = inside ? wordOf(w, m, k / WORD) : 0u;
      float scale = inside ? scaleOf(w, m, k) : 0.0;
      [[unroll]] for (uint b = 0; b < WORD; b++) wTile[(step_ * WORD + b) * BM + i] = inside ? decode(word, b, scale) : 0.0;
    }
    barrier();
    addTiles();
  }
}
