#ifdef HALF
#define READ16 C1 // else data is a table of weights
#endif
#include "common.cl"
#include "weights.cl"

// y[i, :] = data[indices[i], :] for the indices within rows first … first + M,
// which are the part of the table at hand. data [w, M, K] of any type, or with
// READ16 activations, indices [I] → y [w, I, K]

typedef struct {
  uint count; // elements of y: w·I·K
  uint I, K, M;
  uint words, first;
} Params;

KERNEL(gather)(IN(uint, W), IN(int, indices), OUT(WRITTEN, Y), const Params p) {
  BEGIN(W); BEGIN(indices); BEGIN_WRITTEN(Y);
  Matrix w = matrix(W, p.M, p.K, p.words);
  EACH(e, p.count) {
    uint k = e % p.K, row = e / p.K, m = (uint)indices[row % p.I] - p.first;
    if (m >= p.M) continue; // below first, it wraps around
#if READ16
    float value = vload_half((row / p.I * p.M + m) * p.K + k, (__global const half *)W);
#else
    uint word = wordOf(w, row / p.I * p.M + m, k / WORD);
    float value = WEIGHT <= PANELS_F32 ? as_float(word) : decode(word, k % WORD, scaleOf(w, m, k));
#endif
    store(Y, e, value);
  }
}
