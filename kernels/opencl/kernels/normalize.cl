#include "common.cl"
#include "reduce.cl"

// y = (x − m) / sqrt(mean((x − m)²) + epsilon) · scale + bias of each row, m
// being its mean; as a root mean square m = 0 and there is no bias. A work group
// takes a row. x [rows, C], scale and bias [C] → y [rows, C]; y may be x.
//
// Very large and very small rows are computed in units of a power of two, so
// that their squares neither overflow nor vanish.

#define CENTRED C0

typedef struct {
  uint rows, C;
  float perC; // 1 / C
  float epsilon;
} Params;

int exponentOf(float x) { return (int)(as_uint(x) >> 23 & 255u) - 127; }

// unitOf is the exponent of the power of two in which a row is computed: that
// of its largest magnitude, unless its square and epsilon are ordinary numbers.
int unitOf(float largest, float epsilon) {
  int e = exponentOf(largest);
  if (e >= -40 && e <= 40) return 0;
  if (e < 0 && epsilon > 0.0f) e = max(e, exponentOf(epsilon) / 2 - 30); // so that epsilon stays finite
  return clamp(e, -120, 120);
}

// inverseRoot is 1/√v, refined by a step of Newton's; 0 for +Inf.
float inverseRoot(float v) {
  float root = rsqrt(v);
  if (v == INFINITY) return 0.0f;
  return root * (1.5f - 0.5f * v * root * root);
}

KERNEL(normalize)(IN(READ, X), IN(float, scale), IN(float, bias), OUT(WRITTEN, Y), const Params p) {
  BEGIN_READ(X); BEGIN(scale); BEGIN(bias); BEGIN_WRITTEN(Y);
  __local float tree[THREADS];
  for (uint row = GROUP; row < p.rows; row += GROUPS) {
    __global const READ *x = X + row * p.C;
    float largest = 0.0f;
    for (uint c = ITEM; c < p.C; c += THREADS) if (fabs(load(x, c)) > largest) largest = fabs(load(x, c));
    const int unit = unitOf(mostOfAll(largest, tree), p.epsilon);
    // The mean is first + shift: differences from a value of the row are precise
    // however far from 0 it lies, and those of a constant row are 0.
    float down = powerOfTwo(-unit), first = 0.0f, shift = 0.0f;
    if (CENTRED) {
      float sum = 0.0f;
      first = load(x, 0) * down;
      for (uint c = ITEM; c < p.C; c += THREADS) sum += load(x, c) * down - first;
      shift = sumOfAll(sum, tree) * p.perC;
    }
    float squares = 0.0f;
    for (uint c = ITEM; c < p.C; c += THREADS) {
      float d = load(x, c) * down - first - shift;
      squares += d * d;
    }
    float added = p.epsilon;
    if (unit != 0 && p.epsilon > 0.0f) added = max(p.epsilon * powerOfTwo(-unit) * powerOfTwo(-unit), powerOfTwo(-120));
    const float root = inverseRoot(sumOfAll(squares, tree) * p.perC + added);
    for (uint c = ITEM; c < p.C; c += THREADS) {
      float y = (load(x, c) * down - first - shift) * root * scale[c];
      if (CENTRED) y += bias[c];
      store(Y, row * p.C + c, y);
    }
  }
}
