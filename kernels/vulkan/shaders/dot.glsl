// A tile by dot products of four signed bytes: codes of W as they are, or the levels
// of 4-bit codes, with x rounded to 8 bits. Sums are integers: for i8 over all
// columns, else over 32, which one scale belongs to.

#extension GL_EXT_spirv_intrinsics : require

#include "operands.glsl"
const bool ROW_SCALES = WEIGHT == PANELS_I8;
#include "rounded.glsl"

// dot4 is Σ aᵢ bᵢ of four signed bytes: OpSDot of packed operands (format 0).
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int dot4(uint a, uint b, spirv_literal int format);

const uint BK = 8; // words of x in a step: 32 columns

shared uint xTile[BK * BN];
shared uint wTile[BK * BM];
shared float wScale[BM];

int partial_[TA * TB];

// bytesOf is the levels of the four 4-bit codes in the low halves of a word's bytes.
uint bytesOf(uint c) {
  if (WEIGHT == PANELS_Q4) return ((c | 0x80808080u) - 0x08080808u) ^ 0x80808080u; // c − 8, byte by byte
  uint bytes = 0;
  [[unroll]] for (uint b = 0; b < 4; b++) bytes |= (uint(int(LEVELS[c >> 8 * b & 15u])) & 0xffu) << 8 * b;
  return bytes;
}

void addDots() {
  uint i = gl_LocalInvocationID.x / 16, j = gl_LocalInvocationID.x % 16;
  for (uint k = 0; k < BK; k++) {
    uint x[TA], w[TB];
    [[unroll]] for (uint a = 0; a < TA; a++) x[a] = xTile[k * BN + i + 8 * a];
    [[unroll]] for (uint b = 0; b < TB; b++) w[b] = wTile[k * BM + j + 16 * b];
    [[unroll]] for (uint a = 0; a < TA; a++)
      [[unroll]] for (uint b = 0; b < TB; b++) partial_[a * TB + b] += dot4(x[a], w[b], 0);
  }
}

// addPartial adds the sums of integers, each times the scale of its row of W, and
// clears them.
void addPartial() {
  uint j = gl_LocalInvocationID.x % 16;
  [[unroll]] for (uint b = 0; b < TB; b++) {
    float scale = ROW_SCALES ? 1.0 : wScale[j + 16 * b];
    [[unroll]] for (uint a = 0; a < TA; a++) {
      sums[a * TB + b] += scale * float(partial_[a * TB + b]);
      partial_[a * TB + b] = 0;
    }
  }
}

// multiply computes the tile of group's rows n0 … and rows m0 … of W.
void multiply(Rounded x, Matrix w, uint group, uint n0, uint m0) {
  uint t = gl_LocalInvocationID.x;
  [[unroll]] for (uint e = 0; e < TA * TB; e++) {
    sums[e] = 0.0;
    partial_[e] = 0;
  }
  for (uint k0 = 0; k0 < x.words; k0 += BK) {
    barrier(); // the tiles have been read
    for (uint e = t; e < BN * BK; e += THREADS) xTile[e % BK * BN + e / BK] = codesAt(x, group, n0, e / BK, k0 + e % BK);
    for (uint e = t; e < BM * (BK * 4 / WORD); e += THREADS) {
      uint i = e % BM, c = e / BM, g = k0 * 4 / WORD + c;
      uint word = m0 + i < w.M && g < w.words ? wordOf(w, m0 + i, g) : 0u;
      if (WEIGHT == PANELS_I8) {
        wTile[c * BM + i] = word;
      } else {
        wTile[2 * c * BM + i] = bytesOf(word & 0x0f0f0f0fu);
        wTile[(2 * c + 1) * BM + i] = bytesOf(word >> 4 & 0x0f0f0f0fu);
      }
    }
    if (!ROW_SCALES)
      for (uint i = t; i < BM; i += THREADS) wScale[i] = m0 + i < w.M && 4 * k0 < w.K ? scaleOf(w, m0 + i, 4 * k0) : 0.0;
    barrier();
    addDots();
    if (!ROW_SCALES) addPartial();
  }
  if (ROW_SCALES) addPartial();
  scaleSums(x, w, group, n0, m0);
}
