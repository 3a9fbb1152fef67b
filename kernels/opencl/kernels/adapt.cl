#include "common.cl"
#include "noise.cl"

// B + σ ε z of every copy of LinearLoRA, query and σ as copyOf has them. The
// product and the sum are each rounded to f32; with σε = 0 it is B, bit for bit.
// B [count] → perturbed [P, count]

typedef struct { uint P, count, site; } Params;

KERNEL(adapt)(IN(uint, loraB), IN(uint, seed), IN(int, first), IN(float, epsilon), IN(int, quantiles), OUT(uint, perturbed), const Params p) {
  BEGIN(loraB); BEGIN(seed); BEGIN(first); BEGIN(epsilon); BEGIN(quantiles); BEGIN(perturbed);
  EACH(i, p.P * p.count) {
    uint e = i % p.count;
    Copy c = copyOf(first[0], i / p.count);
    float eps = c.sigma * epsilon[0];
    if (eps == 0.0f) {
      perturbed[i] = loraB[e];
      continue;
    }
    float step = eps * noise((uint2)(seed[0], seed[1]), p.site, c.query, e, quantiles);
    perturbed[i] = as_uint(as_float(loraB[e]) + step);
  }
}
