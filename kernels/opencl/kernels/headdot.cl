#include "common.cl"
#include "weights.cl"
#include "dot.cl"

// head.cl for an x that round.cl rounded: the loss of each row over a part of the
// vocabulary. codes and scales are of w copies of R rows; labels [R], rows = w·R →
// partial [chunks, rows] of (most, sum), chosen [rows]. The rest is as there.

typedef struct {
  uint copies; // w
  uint kinds;
  uint R, K, M;
  uint xWords;     // of a row of codes
  uint words;      // of a row of W in panels
  uint first;      // token of this part
  uint chunks;     // of this part
  uint chunkTiles; // tiles of BM tokens in a chunk
  uint firstChunk; // of this part, among those of all
} Params;

KERNEL(headdot)(IN(uint, codes), IN(float, scales), IN(uint, W), IN(float, bias), IN(int, labels), OUT(float, partial), OUT(float, chosen), const Params p) {
  BEGIN(codes); BEGIN(scales); BEGIN(W); BEGIN(bias); BEGIN(labels); BEGIN(partial); BEGIN(chosen);
  __local uint xTile[BK * BN], wTile[BK * BM];
  __local float wScale[BM], mostOf[THREADS], sumOf[THREADS];
  const Tiles tile = {xTile, wTile, wScale};
  const Matrix w = matrix(W, p.M, p.K, p.words);
  const Rounded x = {codes, scales, p.R, p.kinds, p.xWords};
  const uint t = ITEM, i = t / 16, j = t % 16, tilesN = (p.R + T - 1) / T, rows = p.copies * p.R;
  const uint groups = GROUPED ? (p.copies + COPIES - 1) / COPIES : 1;
  for (uint at = GROUP; at < groups * tilesN * p.chunks; at += GROUPS) {
    const uint n0 = at % tilesN * T, group = at / tilesN % groups, chunk = at / (tilesN * groups);
    SumExp parts[TA];
#pragma unroll
    for (uint a = 0; a < TA; a++) parts[a] = sumExp(-INFINITY, 0.0f);
    const uint end = min((chunk + 1) * p.chunkTiles * BM, p.M);
    for (uint m0 = chunk * p.chunkTiles * BM; m0 < end; m0 += BM) {
      float sums[TA * TB];
      multiply(sums, tile, x, w, group, n0, m0);
#pragma unroll
      for (uint a = 0; a < COPIES * U; a++) {
        const uint c = a / U, copy = group * COPIES + c, n = n0 + i + 8 * (a % U);
        const int label = n < p.R ? labels[n] : -1;
        float logits[TB], most = parts[a].most;
#pragma unroll
        for (uint b = 0; b < TB; b++) {
          uint m = m0 + j + 16 * b;
          float logit = m < p.M ? productOf(sums, c, a % U, b) : -INFINITY;
          if (BIAS && m < p.M) logit += bias[p.first + m];
          if (m < p.M && copy < p.copies && label == (int)(p.first + m)) chosen[copy * p.R + n] = logit;
          if (logit > most) most = logit;
          logits[b] = logit;
        }
        float sum = parts[a].most == most ? parts[a].sum : parts[a].sum * exponential(parts[a].most - most);
#pragma unroll
        for (uint b = 0; b < TB; b++)
          if (logits[b] != -INFINITY) sum += exponential(logits[b] - most);
        parts[a] = sumExp(most, sum);
      }
    }
    for (uint a = 0; a < COPIES * U; a++) {
      SumExp own = parts[0];
#pragma unroll
      for (uint e = 1; e < COPIES * U; e++)
        if (e == a) own = parts[e];
      barrier(CLK_LOCAL_MEM_FENCE);
      mostOf[t] = own.most;
      sumOf[t] = own.sum;
      barrier(CLK_LOCAL_MEM_FENCE);
      const uint n = n0 + i + 8 * (a % U), copy = group * COPIES + a / U;
      if (j == 0 && n < p.R && copy < p.copies) {
        for (uint other = 1; other < 16; other++) own = joined(own, sumExp(mostOf[t + other], sumOf[t + other]));
        uint to = 2 * ((p.firstChunk + chunk) * rows + copy * p.R + n);
        partial[to] = own.most;
        partial[to + 1] = own.sum;
      }
    }
  }
}
