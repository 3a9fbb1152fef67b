#include "common.cl"
#include "noise.cl"
#include "trainable.cl"

// y = W + σ ε z for the first copy, rounded after the product, after the sum and
// to W's type. With σε = 0 it is W. W is rows firstRow … of a matrix, or a vector
// as one row.

typedef struct { uint count, M, K, words, firstRow, site; } Params;

// nearest rounds to bfloat16, to the even one of two that are as near.
uint nearest(float x) {
  uint bits = as_uint(x);
  if (notANumber(x)) return bits >> 16 | 0x40u;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

KERNEL(perturb)(IN(uint, W), IN(uint, seed), IN(int, first), IN(float, epsilon), IN(int, quantiles), OUT(uint, Y), const Params p) {
  BEGIN(W); BEGIN(seed); BEGIN(first); BEGIN(epsilon); BEGIN(quantiles); BEGIN(Y);
  const Copy c = copyOf(first[0], 0);
  const float eps = c.sigma * epsilon[0];
  EACH(i, p.count) {
    Place at = placeOf(i, p.M, p.K, p.words);
    uint word = W[i], result = 0;
    if (eps == 0.0f) {
      Y[i] = word;
      continue;
    }
    for (uint b = 0; b < PER_WORD && at.inside && at.k + b < p.K; b++) {
      uint e = (p.firstRow + at.m) * p.K + at.k + b;
      float step = eps * noise((uint2)(seed[0], seed[1]), p.site, c.query, e, quantiles);
      float sum = elementOf(word, b) + step;
      result |= BF16 ? nearest(sum) << 16 * b : as_uint(sum);
    }
    Y[i] = result;
  }
}
