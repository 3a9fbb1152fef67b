// Perturbations: z as a pure function of (seed, site, query, index), the bits of
// package runtime/noise. The shader declares the table: int quantiles[993].

layout(constant_id = 0) const uint SAMPLER = 1;
const uint GAUSSIAN = 1, RADEMACHER = 2;

// philox is ten rounds of Philox4x32.
uvec4 philox(uvec4 c, uvec2 key) {
  for (uint round_ = 0; round_ < 10; round_++) {
    uint high0, low0, high1, low1;
    umulExtended(0xD2511F53u, c.x, high0, low0);
    umulExtended(0xCD9E8D57u, c.z, high1, low1);
    c = uvec4(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
    key += uvec2(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

// quantile maps a random word to a standard normal deviate, in integers up to
// the conversion, which is exact.
float quantile(uint word) {
  uint u = word & 0x7fffffffu | 1u;
  int octave = findMSB(u);
  uint mantissa = u << (30 - octave);
  uint cell = uint(octave) * 32u + (mantissa >> 25 & 31u);
  int part = int(mantissa >> 11 & 0x3fffu);
  int z = quantiles[cell];
  z += (quantiles[cell + 1u] - z) * part >> 14;
  return float(word >> 31 != 0u ? -z : z) * uintBitsToFloat(106u << 23); // 2⁻²¹
}

// noise is element e of z.
float noise(uvec2 seed, uint site, uint query, uint e) {
  if (SAMPLER == RADEMACHER) {
    uvec4 bits = philox(uvec4(e / 128, site, query, 1), seed);
    return (bits[e / 32 % 4] >> e % 32 & 1u) != 0u ? 1.0 : -1.0;
  }
  return quantile(philox(uvec4(e / 4, site, query, 0), seed)[e % 4]);
}

// Copy is how a copy is perturbed: by σ ε z of a query.
struct Copy {
  uint query;
  float sigma;
};

// copyOf is copy p of a pass that begins at first: of ± pairs from first ≥ 0
// on, else of the one-sided form, whose copy 0 is not perturbed.
Copy copyOf(int first, uint p) {
  if (first < 0) {
    uint k = uint(-1 - first) + p;
    return k == 0 ? Copy(0, 0.0) : Copy(k - 1, 1.0);
  }
  uint j = uint(first) + p;
  return Copy(j / 2, j % 2 == 0 ? 1.0 : -1.0);
}
