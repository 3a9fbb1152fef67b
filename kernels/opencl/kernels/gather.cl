#include "common.cl"
#include "weights.cl"

// y[i, :] = data[indices[i], :] for the indices within rows first … first + M,
// which are the part of the table at hand. data [w, M, K] of any type, indices
// [I] → y [w, I, K]

typedef struct {
  uint count; // elements of y: w·I·K
  uint I, K, M;
  uint words, first;
} Params;

KERNEL(gather)(IN(uint, W), IN(int, indices), OUT(uint, Y), const Params p) {
  BEGIN(W); BEGIN(indices); BEGIN(Y);
  Matrix w = matrix(W, p.M, p.K, p.words);
  EACH(e, p.count) {
    uint k = e % p.K, row = e / p.K, m = (uint)indices[row % p.I] - p.first;
    if (m >= p.M) continue; // below first, it wraps around
    uint word = wordOf(w, row / p.I * p.M + m, k / WORD);
    Y[e] = WEIGHT <= PANELS_F32 ? word : as_uint(decode(word, k % WORD, scaleOf(w, m, k)));
  }
}
