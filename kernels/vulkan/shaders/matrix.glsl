// A tile by cooperative matrices: the invocations of a subgroup multiply CM × CK
// elements of x by CK × CN of W together, of f16 with sums of f32, or of signed bytes
// with integer sums where the shader defines BYTES. The product leaves the scales of
// W's rows to the end; what else belongs to W's codes is in the elements of f16.

#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require

#include "operands.glsl"
const bool ROW_SCALES = WEIGHT == PANELS_I8 || WEIGHT == PANELS_NF4;
#include "rounded.glsl"

layout(constant_id = 7) const uint SUBGROUP = 32;
layout(constant_id = 8) const uint CM = 16;
layout(constant_id = 9) const uint CN = 16;
layout(constant_id = 10) const uint CK = 16;

#ifdef BYTES
#define ELEMENT int8_t
#define SUM int
const uint PER_WORD = 4;
#else
#define ELEMENT float16_t
#define SUM float
const uint PER_WORD = 2;
#endif

const uint BK = 16;         // words of x in a step
const uint STRIDE = BK + 4; // of a tile's row, so that rows lie in different banks

// The tile has FN by FM matrices, and WN by WM subgroups that each have RF by CF of
// them. For a column of operands a subgroup loads RF + CF matrices, so WM is halved as
// long as those become fewer: of 128 by 128 elements four subgroups have a quarter each.
const uint FN = (BN + CM - 1) / CM, FM = BM / CN;
const uint SUBGROUPS = THREADS / SUBGROUP;
#define LOADED(wm) ((FN + SUBGROUPS / (wm) - 1) / (SUBGROUPS / (wm)) + FM / (wm))
#define HALVED(wm) (LOADED(((wm) + 1) / 2) < LOADED(wm) ? ((wm) + 1) / 2 : (wm))
const uint MOST = SUBGROUPS < FM ? SUBGROUPS : FM;
const uint ONCE = HALVED(MOST), TWICE = HALVED(ONCE);
const uint WM = HALVED(TWICE), WN = SUBGROUPS / WM;
const uint RF = (FN + WN - 1) / WN, CF = FM / WM;

shared uint xTile[FN * CM * STRIDE];
shared uint wTile[BM * STRIDE]; // when all is multiplied, what collect moves: a row of matrices

coopmat<SUM, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> products[RF * CF];

// groupScaleOf is the part of scaleOf that is not rowScaleOf.
float groupScaleOf(Matrix w, uint m, uint k) {
  if (WEIGHT == PANELS_I8) return 1.0;
  if (WEIGHT == PANELS_NF4) {
    uint scales = (w.M + 15) / 16 * w.words * 16, at = (m / 16 * (w.words / 8) + k / 64) * 16 + m % 16;
    return float(W[scales + at / 4] >> at % 4 * 8 & 0xffu);
  }
  return scaleOf(w, m, k);
}

// loadWeights fills wTile from word k0 of x's rows on: columns k0·PER_WORD ….
void loadWeights(Matrix w, uint m0, uint k0) {
  uint t = gl_LocalInvocationID.x;
  // Words of W in a step, or pairs of them where one has a single element.
  const uint EACH = WORD > PER_WORD ? WORD : PER_WORD, STEPS = BK * PER_WORD / EACH;
  for (uint e = t; e < BM * STEPS; e += THREADS) {
    uint i = e % BM, c = e / BM, m = m0 + i, k = k0 * PER_WORD + c * EACH;
    bool inside = m < w.M && k < w.K;
    uint word = inside ? wordOf(w, m, k / WORD) : 0u;
#ifdef BYTES
    wTile[i * STRIDE + c] = word;
#else
    uint next = WORD == 1 && inside && k + 1 < w.K ? wordOf(w, m, k + 1) : 0u;
    float group = inside ? groupScaleOf(w, m, k) : 0.0;
    [[unroll]] for (uint b = 0; b < EACH; b += 2) {
      vec2 pair = WORD == 1 ? vec2(uintBitsToFloat(word), uintBitsToFloat(next)) : vec2(decode(word, b, group), decode(word, b + 1, group));
      wTile[i * STRIDE + (c * EACH + b) / 2] = inside ? packHalf2x16(pair) : 0u;
    }
#endif
  }
}

// addMatrices adds the products of what the tiles hold to those of this subgroup.
void addMatrices() {
  uint wn = gl_SubgroupID / WM, wm = gl_SubgroupID % WM;
  for (uint k = 0; k < BK; k += CK / PER_WORD) {
    coopmat<ELEMENT, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> w[CF];
    [[unroll]] for (uint c = 0; c < CF; c++)
      coopMatLoad(w[c], wTile, (wm * CF + c) * CN * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
    [[unroll]] for (uint r = 0; r < RF; r++) {
      uint f = r * WN + wn;
      if (f < FN) {
        coopmat<ELEMENT, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> x;
        coopMatLoad(x, xTile, f * CM * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint c = 0; c < CF; c++) products[r * CF + c] = coopMatMulAdd(x, w[c], products[r * CF + c]);
      }
    }
  }
}

// collect brings the subgroups' products to where the invocations have their sums,
// a row of matrices at a time.
void collect() {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  uint wn = gl_SubgroupID / WM, wm = gl_SubgroupID % WM;
  [[unroll]] for (uint f = 0; f < FN; f++) {
    barrier();
    if (f % WN == wn)
      [[unroll]] for (uint c = 0; c < CF; c++)
        coopMatStore(products[f / WN * CF + c], wTile, (wm * CF + c) * CN, BM, gl_CooperativeMatrixLayoutRowMajor);
    barrier();
    [[unroll]] for (uint v = 0; v < CM / 8; v++) {
      uint a = f * (CM / 8) + v;
      if (a < TA)
        [[unroll]] for (uint b = 0; b < TB; b++) {
          uint bits = wTile[(i + 8 * v) * BM + j + 16 * b];
#ifdef BYTES
          sums[a * TB + b] = float(int(bits));
#else
          sums[a * TB + b] = uintBitsToFloat(bits);
#endif
        }
    }
  }
}

// multiply computes the tile of group's rows n0 … and rows m0 … of W.
void multiply(Rounded x, Matrix w, uint group, uint n0, uint m0) {
  [[unroll]] for (uint e = 0; e < RF * CF; e++)
    products[e] = coopmat<SUM, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator>(SUM(0));
  for (uint k0 = 0; k0 < x.words; k0 += BK) {
    barrier(); // the tiles have been read
    for (uint e = gl_LocalInvocationID.x; e < FN * CM * BK; e += THREADS)
      xTile[e / BK * STRIDE + e % BK] = codesAt(x, group, n0, e / BK, k0 + e % BK);
    loadWeights(w, m0, k0);
    barrier();
    addMatrices();
  }
  collect();
  scaleSums(x, w, group, n0, m0);
}
