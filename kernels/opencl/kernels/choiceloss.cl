#include "common.cl"
#include "reduce.cl"

// The mean over examples of −log softmax(score)[gold]; a candidate scores minus
// the sum, or the mean, of its rows' losses. A work group takes a copy, an item
// an example.
// nll [w, R], rows [K+1], choices [G+1], gold [G] → y [w]

typedef struct { uint copies, R, G, mean; } Params;

float score(__global const float *losses, __global const int *rows, int candidate, bool mean) {
  float sum = 0.0f;
  int first = rows[candidate], end = rows[candidate + 1];
  for (int n = first; n < end; n++) sum += losses[n];
  return mean && end > first ? -(sum / (float)(end - first)) : -sum;
}

KERNEL(choiceloss)(IN(float, losses), IN(int, rows), IN(int, choices), IN(int, gold), OUT(float, Y), const Params p) {
  BEGIN(losses); BEGIN(rows); BEGIN(choices); BEGIN(gold); BEGIN(Y);
  __local float tree[THREADS];
  for (uint copy = GROUP; copy < p.copies; copy += GROUPS) {
    __global const float *own = losses + copy * p.R;
    float loss = 0.0f;
    for (uint e = ITEM; e < p.G; e += THREADS) {
      SumExp scores = sumExp(-INFINITY, 0.0f);
      for (int k = choices[e]; k < choices[e + 1]; k++) scores = withTerm(scores, score(own, rows, k, p.mean));
      loss += negativeLogSoftmax(scores, score(own, rows, choices[e] + gold[e], p.mean));
    }
    loss = sumOfAll(loss, tree);
    if (ITEM == 0) Y[copy] = p.G > 0 ? loss / (float)p.G : 0.0f;
  }
}
