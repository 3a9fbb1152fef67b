// linear.comp for an x that round.comp rounded: y_p = x_p Wᵀ + bias, and with LoRA
// + hidden_p B_pᵀ, for all copies p. What x is of has w copies; the rest is as there.
//
// The shader declares multiply, and with it the buffers at bindings 0 to 2.

layout(std430, binding = 3) readonly buffer Bias { float bias[]; };
layout(std430, binding = 4) writeonly buffer Output { STORED Y[]; };
layout(std430, binding = 5) readonly buffer Hidden { float hidden[]; };
layout(std430, binding = 6) readonly buffer Perturbed { float loraB[]; };

layout(std140, binding = 7) uniform Parameters {
  uint xCopies, yCopies; // w, P
  uint kinds;
  uint N, K, M;
  uint xWords;     // of a row of codes
  uint words;      // of a row of W in panels
  uint first, all; // columns of y
  uint r;
};

const uint RK = 8; // columns of the low-rank product in a step

shared float hiddenTile[RK * T];
shared float loraTile[RK * BM];

float lowRank[U * TB];

// addLowRank computes hidden Bᵀ of copy p into lowRank.
void addLowRank(uint p, uint n0, uint m0) {
  uint t = gl_LocalInvocationID.x, i = t / 16, j = t % 16, copy_ = xCopies == 1 ? 0 : p;
  [[unroll]] for (uint e = 0; e < U * TB; e++) lowRank[e] = 0.0;
  for (uint k0 = 0; k0 < r; k0 += RK) {
    barrier();
    for (uint e = t; e < T * RK; e += THREADS) {
      uint n = n0 + e / RK, k = k0 + e % RK;
      hiddenTile[e % RK * T + e / RK] = n < N && k < r ? hidden[(copy_ * N + n) * r + k] : 0.0;
    }
    for (uint e = t; e < BM * RK; e += THREADS) {
      uint m = m0 + e / RK, k = k0 + e % RK;
      loraTile[e % RK * BM + e / RK] = m < M && k < r ? loraB[(p * all + first + m) * r + k] : 0.0;
    }
    barrier();
    for (uint k = 0; k < min(RK, r - k0); k++) {
      [[unroll]] for (uint u = 0; u < U; u++)
        [[unroll]] for (uint b = 0; b < TB; b++)
          lowRank[u * TB + b] += hiddenTile[k * T + i + 8 * u] * loraTile[k * BM + j + 16 * b];
    }
  }
}

void main() {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  uint tilesN = (N + T - 1) / T, tilesM = (M + BM - 1) / BM, groups = GROUPED ? (xCopies + GROUP - 1) / GROUP : 1;
  Rounded x = Rounded(N, kinds, xWords);
  for (uint tile = gl_WorkGroupID.x; tile < groups * tilesN * tilesM; tile += gl_NumWorkGroups.x) {
    uint n0 = tile % tilesN * T, m0 = tile / tilesN % tilesM * BM, group = tile / (tilesN * tilesM);
    multiply(x, Matrix(M, K, words), group, n0, m0);
    [[unroll]] for (uint c = 0; c < GROUP; c++) {
      uint copy_ = group * GROUP + c;
      uint last = copy_ >= xCopies ? copy_ : xCopies == 1 ? yCopies : copy_ + 1;
      for (uint p = copy_; p < last; p++) {
        if (LORA) addLowRank(p, n0, m0);
        [[unroll]] for (uint u = 0; u < U; u++) {
          uint n = n0 + i + 8 * u;
          [[unroll]] for (uint b = 0; b < TB; b++) {
            uint m = m0 + j + 16 * b;
            if (n < N && m < M) {
              float y = productOf(c, u, b);
              if (BIAS) y += bias[first + m];
              if (LORA) y += lowRank[u * TB + b];
              Y[(p * N + n) * all + first + m] = stored(y);
            }
          }
        }
      }
    }
  }
}
