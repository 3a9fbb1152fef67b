#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"
#include "reduce.glsl"

// y = (x − m) / sqrt(mean((x − m)²) + epsilon) · scale + bias of each row, m
// being its mean; as a root mean square m = 0 and there is no bias. A work group
// takes a row. x [rows, C], scale and bias [C] → y [rows, C]; y may be x.
//
// Very large and very small rows are computed in units of a power of two, so
// that their squares neither overflow nor vanish.

layout(constant_id = 0) const bool CENTRED = false;

layout(std430, binding = 0) readonly buffer Input { STORED X[]; };
layout(std430, binding = 1) readonly buffer Scale { float scale[]; };
layout(std430, binding = 2) readonly buffer Bias { float bias[]; };
layout(std430, binding = 3) writeonly buffer Output { STORED Y[]; };

layout(std140, binding = 4) uniform Parameters {
  uint rows, C;
  float perC; // 1 / C
  float epsilon;
};

int exponentOf(float x) { return int(floatBitsToUint(x) >> 23 & 255u) - 127; }

// unitOf is the exponent of the power of two in which a row is computed: that
// of its largest magnitude, unless its square and epsilon are ordinary numbers.
int unitOf(float largest) {
  int e = exponentOf(largest);
  if (abs(e) <= 40) return 0;
  if (e < 0 && epsilon > 0.0) e = max(e, exponentOf(epsilon) / 2 - 30); // so that epsilon stays finite
  return clamp(e, -120, 120);
}

// inverseRoot is 1/√v, refined by a step of Newton's; 0 for +Inf.
float inverseRoot(float v) {
  float root = inversesqrt(v);
  if (v == INFINITY) return 0.0;
  return root * (1.5 - 0.5 * v * root * root);
}

void normalizeRow(uint from) {
  uint t = gl_LocalInvocationID.x;
  float largest = 0.0;
  for (uint c = t; c < C; c += THREADS) if (abs(loaded(X[from + c])) > largest) largest = abs(loaded(X[from + c]));
  int unit = unitOf(mostOfAll(largest));
  // The mean is first + shift: differences from a value of the row are precise
  // however far from 0 it lies, and those of a constant row are 0.
  float down = powerOfTwo(-unit), first = 0.0, shift = 0.0;
  if (CENTRED) {
    float sum = 0.0;
    first = loaded(X[from]) * down;
    for (uint c = t; c < C; c += THREADS) sum += loaded(X[from + c]) * down - first;
    shift = sumOfAll(sum) * perC;
  }
  float squares = 0.0;
  for (uint c = t; c < C; c += THREADS) {
    float d = loaded(X[from + c]) * down - first - shift;
    squares += d * d;
  }
  float added = epsilon;
  if (unit != 0 && epsilon > 0.0) added = max(epsilon * powerOfTwo(-unit) * powerOfTwo(-unit), powerOfTwo(-120));
  float root = inverseRoot(sumOfAll(squares) * perC + added);
  for (uint c = t; c < C; c += THREADS) {
    float y = (loaded(X[from + c]) * down - first - shift) * root * scale[c];
    if (CENTRED) y += bias[c];
    Y[from + c] = stored(y);
  }
}

void main() {
  for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) normalizeRow(row * C);
}
