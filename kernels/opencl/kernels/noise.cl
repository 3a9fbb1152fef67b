// Perturbations: z as a pure function of (seed, site, query, index), the bits of
// package runtime/noise. quantiles is its table of 993 integers. Where this is
// used every product and every sum is rounded.

#pragma OPENCL FP_CONTRACT OFF

#define SAMPLER C0
#define RADEMACHER 2

// philox is ten rounds of Philox4x32.
uint4 philox(uint4 c, uint2 key) {
  for (uint round = 0; round < 10; round++) {
    uint high0 = mul_hi(0xD2511F53u, c.x), low0 = 0xD2511F53u * c.x;
    uint high1 = mul_hi(0xCD9E8D57u, c.z), low1 = 0xCD9E8D57u * c.z;
    c = (uint4)(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
    key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

// wordAt is word i of four.
uint wordAt(uint4 v, uint i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

// quantile maps a random word to a standard normal deviate, in integers up to
// the conversion, which is exact.
float quantile(uint word, __global const int *quantiles) {
  uint u = (word & 0x7fffffffu) | 1u;
  int octave = 31 - (int)clz(u);
  uint mantissa = u << (30 - octave);
  uint cell = (uint)octave * 32u + (mantissa >> 25 & 31u);
  int part = (int)(mantissa >> 11 & 0x3fffu);
  int z = quantiles[cell];
  z += (quantiles[cell + 1u] - z) * part >> 14;
  return (float)(word >> 31 != 0u ? -z : z) * as_float(106u << 23); // 2⁻²¹
}

// noise is element e of z.
float noise(uint2 seed, uint site, uint query, uint e, __global const int *quantiles) {
#if SAMPLER == RADEMACHER
  uint4 bits = philox((uint4)(e / 128, site, query, 1), seed);
  return (wordAt(bits, e / 32 % 4) >> e % 32 & 1u) != 0u ? 1.0f : -1.0f;
#else
  return quantile(wordAt(philox((uint4)(e / 4, site, query, 0), seed), e % 4), quantiles);
#endif
}

// Copy is how a copy is perturbed: by σ ε z of a query.
typedef struct {
  uint query;
  float sigma;
} Copy;

// copyOf is copy p of a pass that begins at first: of ± pairs from first ≥ 0
// on, else of the one-sided form, whose copy 0 is not perturbed.
Copy copyOf(int first, uint p) {
  uint j = first < 0 ? (uint)(-1 - first) + p : (uint)first + p;
  Copy pair = {j / 2, j % 2 == 0 ? 1.0f : -1.0f}, oneSided = {j - 1, 1.0f}, unperturbed = {0, 0.0f};
  return first >= 0 ? pair : j > 0 ? oneSided : unperturbed;
}
