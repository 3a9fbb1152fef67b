#include "common.cl"
#include "weights.cl"
#include "product.cl"

// The loss of each row over a part of the vocabulary: logits = x Wᵀ + bias, of
// which only their SumExp and the label's one are kept. A work group takes BN
// rows by a chunk of the part; headsum.cl joins the chunks.
//
// x [rows, K], W [M, K]: tokens first … first + M of the vocabulary, labels
// [R], rows = w·R → partial [chunks, rows] of (most, sum), chosen [rows]

#define BIAS C3

typedef struct {
  uint rows, R, K, M;
  uint words;
  uint first;
  uint chunks;     // of this part
  uint chunkTiles; // tiles of BM tokens in a chunk
  uint firstChunk; // of this part, among those of all
} Params;

KERNEL(head)(IN(READ, X), IN(uint, W), IN(float, bias), IN(int, labels), OUT(float, partial), OUT(float, chosen), const Params p) {
  BEGIN_READ(X); BEGIN(W); BEGIN(bias); BEGIN(labels); BEGIN(partial); BEGIN(chosen);
  __local float xTile[BK * BN], wTile[BK * BM], mostOf[THREADS], sumOf[THREADS];
  const uint t = ITEM, i = t / 16, j = t % 16, tilesN = (p.rows + BN - 1) / BN;
  const Matrix w = matrix(W, p.M, p.K, p.words);
  for (uint tile = GROUP; tile < tilesN * p.chunks; tile += GROUPS) {
    const uint n0 = tile % tilesN * BN, chunk = tile / tilesN;
    SumExp parts[TA];
#pragma unroll
    for (uint a = 0; a < TA; a++) parts[a] = sumExp(-INFINITY, 0.0f);
    const uint end = min((chunk + 1) * p.chunkTiles * BM, p.M);
    for (uint m0 = chunk * p.chunkTiles * BM; m0 < end; m0 += BM) {
      float sums[TA * TB];
      clear(sums);
      addProduct(sums, tiles(xTile, wTile), X, p.rows, w, n0, m0);
#pragma unroll
      for (uint a = 0; a < TA; a++) {
        uint n = n0 + i + 8 * a;
        int label = n < p.rows ? labels[n % p.R] : -1;
        float most = parts[a].most;
#pragma unroll
        for (uint b = 0; b < TB; b++) {
          uint m = m0 + j + 16 * b;
          float logit = m < p.M ? sums[a * TB + b] : -INFINITY;
          if (BIAS && m < p.M) logit += bias[p.first + m];
          if (m < p.M && label == (int)(p.first + m)) chosen[n] = logit;
          if (logit > most) most = logit;
          sums[a * TB + b] = logit;
        }
        float sum = parts[a].most == most ? parts[a].sum : parts[a].sum * exponential(parts[a].most - most);
#pragma unroll
        for (uint b = 0; b < TB; b++)
          if (sums[a * TB + b] != -INFINITY) sum += exponential(sums[a * TB + b] - most);
        parts[a] = sumExp(most, sum);
      }
    }
#pragma unroll
    for (uint a = 0; a < TA; a++) {
      barrier(CLK_LOCAL_MEM_FENCE);
      mostOf[t] = parts[a].most;
      sumOf[t] = parts[a].sum;
      barrier(CLK_LOCAL_MEM_FENCE);
      uint n = n0 + i + 8 * a;
      if (j == 0 && n < p.rows) {
        SumExp whole = parts[a];
        for (uint other = 1; other < 16; other++) whole = joined(whole, sumExp(mostOf[t + other], sumOf[t + other]));
        uint to = 2 * ((p.firstChunk + chunk) * p.rows + n);
        partial[to] = whole.most;
        partial[to + 1] = whole.sum;
      }
    }
  }
}
