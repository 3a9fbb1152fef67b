#include "common.cl"

// y = −log softmax of the chosen logit, from what head.cl left of each chunk.
// partial [chunks, rows] of (most, sum), chosen [rows] → y [rows]

typedef struct { uint rows, chunks; } Params;

KERNEL(headsum)(IN(float, partial), IN(float, chosen), OUT(float, Y), const Params p) {
  BEGIN(partial); BEGIN(chosen); BEGIN(Y);
  EACH(n, p.rows) {
    SumExp whole = sumExp(-INFINITY, 0.0f);
    for (uint c = 0; c < p.chunks; c++) {
      uint from = 2 * (c * p.rows + n);
      whole = joined(whole, sumExp(partial[from], partial[from + 1]));
    }
    Y[n] = negativeLogSoftmax(whole, chosen[n]);
  }
}
