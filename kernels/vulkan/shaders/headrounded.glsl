// head.comp for an x that round.comp rounded: the loss of each row over a part of
// the vocabulary. codes and scales are of w copies of R rows; labels [R], rows =
// w·R → partial [chunks, rows] of (most, sum), chosen [rows]. The rest is as there.
//
// The shader declares multiply, and with it the buffers at bindings 0 to 2.

layout(std430, binding = 3) readonly buffer Bias { float bias[]; };
layout(std430, binding = 4) readonly buffer Labels { int labels[]; };
layout(std430, binding = 5) writeonly buffer Partial { vec2 partial[]; };
layout(std430, binding = 6) writeonly buffer Chosen { float chosen[]; };

layout(std140, binding = 7) uniform Parameters {
  uint copies; // w
  uint kinds;
  uint R, K, M;
  uint xWords;     // of a row of codes
  uint words;      // of a row of W in panels
  uint first;      // token of this part
  uint chunks;     // of this part
  uint chunkTiles; // tiles of BM tokens in a chunk
  uint firstChunk; // of this part, among those of all
};

shared float mostOf[THREADS], sumOf[THREADS];

SumExp parts[TA];

// addLogits adds what a tile says of copy c of the group.
void addLogits(uint c, uint copy_, uint n0, uint m0) {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  [[unroll]] for (uint u = 0; u < U; u++) {
    uint n = n0 + i + 8 * u;
    int label = n < R ? labels[n] : -1;
    [[unroll]] for (uint b = 0; b < TB; b++) {
      uint m = m0 + j + 16 * b;
      if (m < M) {
        float logit = productOf(c, u, b);
        if (BIAS) logit += bias[first + m];
        parts[c * U + u] = withTerm(parts[c * U + u], logit);
        if (label == int(first + m)) chosen[copy_ * R + n] = logit;
      }
    }
  }
}

void main() {
  uint t = gl_LocalInvocationID.x, i = t / 16, j = t % 16;
  uint tilesN = (R + T - 1) / T, groups = GROUPED ? (copies + GROUP - 1) / GROUP : 1;
  Rounded x = Rounded(R, kinds, xWords);
  for (uint tile = gl_WorkGroupID.x; tile < groups * tilesN * chunks; tile += gl_NumWorkGroups.x) {
    uint n0 = tile % tilesN * T, group = tile / tilesN % groups, chunk = tile / (tilesN * groups);
    [[unroll]] for (uint a = 0; a < TA; a++) parts[a] = SumExp(-INFINITY, 0.0);
    uint end = min((chunk + 1) * chunkTiles * BM, M);
    for (uint m0 = chunk * chunkTiles * BM; m0 < end; m0 += BM) {
      multiply(x, Matrix(M, K, words), group, n0, m0);
      [[unroll]] for (uint c = 0; c < GROUP; c++) {
        uint copy_ = group * GROUP + c;
        if (copy_ < copies) addLogits(c, copy_, n0, m0);
      }
    }
    [[unroll]] for (uint a = 0; a < GROUP * U; a++) {
      barrier();
      mostOf[t] = parts[a].most;
      sumOf[t] = parts[a].sum;
      barrier();
      uint n = n0 + i + 8 * (a % U), copy_ = group * GROUP + a / U;
      if (j == 0 && n < R && copy_ < copies) {
        SumExp whole = parts[a];
        for (uint other = 1; other < 16; other++) whole = joined(whole, SumExp(mostOf[t + other], sumOf[t + other]));
        partial[(firstChunk + chunk) * copies * R + copy_ * R + n] = vec2(whole.most, whole.sum);
      }
    }
  }
}
