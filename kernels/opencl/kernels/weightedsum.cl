#include "common.cl"
#include "reduce.cl"

// y_p = Σ weights[r] · x_p[r]. A work group takes a copy.
// x [w, R], weights [R] → y [w]

typedef struct { uint copies, R; } Params;

KERNEL(weightedsum)(IN(float, X), IN(float, weights), OUT(float, Y), const Params p) {
  BEGIN(X); BEGIN(weights); BEGIN(Y);
  __local float tree[THREADS];
  for (uint copy = GROUP; copy < p.copies; copy += GROUPS) {
    float sum = 0.0f;
    for (uint n = ITEM; n < p.R; n += THREADS) sum += weights[n] * X[copy * p.R + n];
    sum = sumOfAll(sum, tree);
    if (ITEM == 0) Y[copy] = sum;
  }
}
