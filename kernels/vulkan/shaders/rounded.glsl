// The tile of a product with W of an x that round.comp rounded: T tokens by BM rows
// of W, in all copies of a group. A row of the tile is one of a kind (see
// round.comp): slot a / U of the group, token i + 8 (a % U); invocation (i, j) has
// rows i + 8a of the one and j + 16b of W, a < SLOTS·U, b < TB, in registers.
//
// All kinds are of one group as long as they fit. Else a group has pairs of its
// own, and kind 0 in a slot before them, since all copies are a sum with that.

layout(constant_id = 1) const uint SLOTS = 1;
layout(constant_id = 2) const uint U = 8;
layout(constant_id = 3) const uint TB = 4;
layout(constant_id = 4) const bool BIAS = false;
layout(constant_id = 5) const bool LORA = false;
layout(constant_id = 6) const bool GROUPED = false;

const uint T = 8 * U, TA = SLOTS * U, BN = 8 * TA, BM = 16 * TB;
const uint GROUP = GROUPED ? SLOTS - 1 : SLOTS; // the most copies of a group
const uint NONE = 0xffffffffu;

// Rounded is x as round.comp leaves it.
struct Rounded {
  uint N, kinds;
  uint words; // of a row
};

float sums[TA * TB];

// kindOf is the kind in a slot of a group, or NONE.
uint kindOf(Rounded x, uint group, uint slot) {
  if (GROUPED && slot == 0) return 0;
  uint kind = GROUPED ? group * GROUP + slot - 1 : slot;
  return kind < x.kinds && !(GROUPED && kind == 0) ? kind : NONE;
}

// codesAt is word g of row e of the tile, 0 where there is none.
uint codesAt(Rounded x, uint group, uint n0, uint e, uint g) {
  uint n = n0 + e % T, kind = kindOf(x, group, e / T);
  return e < BN && n < x.N && kind != NONE ? codes[(kind * x.N + n) * x.words + g] : 0u;
}

// scaleSums multiplies the sums with the scales of x's rows, and of W's where the
// product leaves those to it.
void scaleSums(Rounded x, Matrix w, uint group, uint n0, uint m0) {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  [[unroll]] for (uint a = 0; a < TA; a++) {
    uint kind = kindOf(x, group, a / U), n = n0 + i + 8 * (a % U);
    float scale = kind != NONE && n < x.N ? scales[kind * x.N + n] : 0.0;
    [[unroll]] for (uint b = 0; b < TB; b++) sums[a * TB + b] *= scale;
  }
  if (!ROW_SCALES) return;
  [[unroll]] for (uint b = 0; b < TB; b++) {
    uint m = m0 + j + 16 * b;
    float scale = m < w.M ? rowScaleOf(w, m) : 0.0;
    [[unroll]] for (uint a = 0; a < TA; a++) sums[a * TB + b] *= scale;
  }
}

// productOf is the product for copy c of the group: of the rows that it is a sum of.
// c is looked for, not an index: of an array that is indexed by what is not known when
// a pipeline is made, compilers that leave the loop over c as it is make local memory.
float productOf(uint c, uint u, uint b) {
  const uint ODD = GROUPED ? 1 : 0;
  float y = 0.0, other = 0.0;
  [[unroll]] for (uint even = ODD; even < SLOTS; even += 2) {
    if (even == c / 2 * 2 + ODD) {
      y = sums[(even * U + u) * TB + b];
      if (even + 1 < SLOTS) other = sums[((even + 1) * U + u) * TB + b];
    }
  }
  if (GROUPED || c >= 2) y += sums[u * TB + b];
  return c % 2 == 0 ? y + other : y - other;
}
