// The tile of a product of W with an x that round.cl rounded, by dot products of
// four signed bytes: codes of W as they are, or the levels of 4-bit codes. Sums are
// integers: for i8 over all columns, else over 32, which one scale belongs to.
//
// A tile is T tokens by BM rows of W, in all copies of a group. A row of it is one of
// a kind (see round.cl): slot a / U of the group, token i + 8 (a % U); item (i, j)
// has rows i + 8a of the one and j + 16b of W, a < TA, b < TB, in sums [TA, TB] of
// its own.
//
// All kinds are of one group as long as they fit. Else a group has pairs of its own,
// and kind 0 in a slot before them, since all copies are a sum with that.

#define SLOTS ((uint)C1)
#define U ((uint)C2)
#define TB ((uint)C3)
#define BIAS C4
#define LORA C5
#define GROUPED (C6 == 1)

#define T (8 * C2)
#define TA ((uint)(C1 * C2))
#define BN (8 * C1 * C2)
#define BM (16 * C3)
#define COPIES (GROUPED ? SLOTS - 1 : SLOTS) // the most of a group
#define BK 8u                                // words of x in a step: 32 columns
#define NONE 0xffffffffu
#define ROW_SCALES (WEIGHT == PANELS_I8)

// dot4 is the sum of the products of four signed bytes. The macro says that there is
// the function; that of the extension does not where it is newer than the language.
#ifdef __opencl_c_integer_dot_product_input_4x8bit_packed
int dot4(uint a, uint b) { return dot_4x8packed_ss_int(a, b); }
#else
int dot4(uint a, uint b) {
  char4 x = as_char4(a), w = as_char4(b);
  return x.x * w.x + x.y * w.y + x.z * w.z + x.w * w.w;
}
#endif

// Rounded is x as round.cl leaves it.
typedef struct {
  __global const uint *codes;
  __global const float *scales;
  uint N, kinds;
  uint words; // of a row
} Rounded;

// Tiles are what a work group has of x and W in local memory: x [BK, BN], W [BK, BM],
// and the scales of W's rows in this step [BM].
typedef struct {
  __local uint *x, *w;
  __local float *scale;
} Tiles;

// kindOf is the kind in a slot of a group, or NONE.
uint kindOf(Rounded x, uint group, uint slot) {
  if (GROUPED && slot == 0) return 0;
  uint kind = GROUPED ? group * COPIES + slot - 1 : slot;
  return kind < x.kinds && !(GROUPED && kind == 0) ? kind : NONE;
}

// codesAt is word g of row e of the tile, 0 where there is none.
uint codesAt(Rounded x, uint group, uint n0, uint e, uint g) {
  uint n = n0 + e % T, kind = kindOf(x, group, e / T);
  return n < x.N && kind != NONE ? x.codes[(kind * x.N + n) * x.words + g] : 0u;
}

// bytesOf is the levels of the four 4-bit codes in the low halves of a word's bytes.
uint bytesOf(uint c) {
#if WEIGHT == PANELS_NF4
  uint bytes = 0;
  for (uint b = 0; b < 4; b++) bytes |= ((uint)(int)levels[c >> 8 * b & 15u] & 0xffu) << 8 * b;
  return bytes;
#else
  return ((c | 0x80808080u) - 0x08080808u) ^ 0x80808080u; // c − 8, byte by byte
#endif
}

void addDots(int *partial, Tiles tile) {
  uint i = ITEM / 16, j = ITEM % 16;
  for (uint k = 0; k < BK; k++) {
    uint x[TA], w[TB];
#pragma unroll
    for (uint a = 0; a < TA; a++) x[a] = tile.x[k * BN + i + 8 * a];
#pragma unroll
    for (uint b = 0; b < TB; b++) w[b] = tile.w[k * BM + j + 16 * b];
#pragma unroll
    for (uint a = 0; a < TA; a++)
#pragma unroll
      for (uint b = 0; b < TB; b++) partial[a * TB + b] += dot4(x[a], w[b]);
  }
}

// addPartial adds the sums of integers, each times the scale of its row of W, and
// clears them.
void addPartial(float *sums, int *partial, Tiles tile) {
#pragma unroll
  for (uint b = 0; b < TB; b++) {
    float scale = tile.scale[ITEM % 16 + 16 * b];
#pragma unroll
    for (uint a = 0; a < TA; a++) {
      sums[a * TB + b] += scale * (float)partial[a * TB + b];
      partial[a * TB + b] = 0;
    }
  }
}

// multiply computes the tile of group's rows n0 … and rows m0 … of W.
void multiply(float *sums, Tiles tile, Rounded x, Matrix w, uint group, uint n0, uint m0) {
  int partial[TA * TB];
#pragma unroll
  for (uint e = 0; e < TA * TB; e++) {
    sums[e] = 0.0f;
    partial[e] = 0;
  }
  for (uint k0 = 0; k0 < x.words; k0 += BK) {
    barrier(CLK_LOCAL_MEM_FENCE); // the tiles have been read
    for (uint e = ITEM; e < BN * BK; e += THREADS) tile.x[e % BK * BN + e / BK] = codesAt(x, group, n0, e / BK, k0 + e % BK);
    for (uint e = ITEM; e < BM * (BK * 4 / WORD); e += THREADS) {
      uint i = e % BM, c = e / BM, g = k0 * 4 / WORD + c;
      uint word = m0 + i < w.M && g < w.words ? wordOf(w, m0 + i, g) : 0u;
      if (WEIGHT == PANELS_I8) {
        tile.w[c * BM + i] = word;
      } else {
        tile.w[2 * c * BM + i] = bytesOf(word & 0x0f0f0f0fu);
        tile.w[(2 * c + 1) * BM + i] = bytesOf(word >> 4 & 0x0f0f0f0fu);
      }
    }
    if (!ROW_SCALES || k0 == 0)
      for (uint i = ITEM; i < BM; i += THREADS) tile.scale[i] = m0 + i < w.M && 4 * k0 < w.K ? scaleOf(w, m0 + i, 4 * k0) : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
    addDots(partial, tile);
    if (!ROW_SCALES) addPartial(sums, partial, tile);
  }
  if (ROW_SCALES) addPartial(sums, partial, tile);
#pragma unroll
  for (uint a = 0; a < TA; a++) {
    uint kind = kindOf(x, group, a / U), n = n0 + ITEM / 16 + 8 * (a % U);
    float scale = kind != NONE && n < x.N ? x.scales[kind * x.N + n] : 0.0f;
#pragma unroll
    for (uint b = 0; b < TB; b++) sums[a * TB + b] *= scale;
  }
}

// productOf is the product for copy c of the group: of the rows that it is a sum of.
// c is looked for, not an index: an item's array that is indexed by what is not known
// when a kernel is built is slow on GPUs.
float productOf(const float *sums, uint c, uint u, uint b) {
  float mean = 0.0f, other = 0.0f;
#pragma unroll
  for (uint slot = GROUPED ? 1 : 0; slot < SLOTS; slot += 2) {
    if (slot - (GROUPED ? 1 : 0) == c / 2 * 2) {
      mean = sums[(slot * U + u) * TB + b];
      if (slot + 1 < SLOTS) other = sums[((slot + 1) * U + u) * TB + b];
    }
  }
  if (GROUPED || c >= 2) mean += sums[u * TB + b];
  return c % 2 == 0 ? mean + other : mean - other;
}
