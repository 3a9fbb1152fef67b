#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// y = f(a, b) element by element. a and b repeat where they are narrow and y is
// wide. a [a's count], b [b's count] → y [count]

layout(constant_id = 0) const uint FUNCTION = 0;
const uint ADD = 0, SWIGLU = 1, GELU = 2, GELU_TANH = 3, RELU = 4;

layout(std430, binding = 0) readonly buffer A { STORED a[]; };
layout(std430, binding = 1) readonly buffer B { STORED b[]; };
layout(std430, binding = 2) writeonly buffer Y { STORED y[]; };

layout(std140, binding = 3) uniform Parameters { uint count, aCount, bCount; };

// erfHalf is ½ erf(x/√2) as a rational function within 6e-9 before rounding.
float erfHalf(float x) {
  if (abs(x) >= 5.2) return x > 0.0 ? 0.5 : -0.5;
  float s = x * x;
  float p = ((((2.4731095e-08 * s + 6.4078886e-06) * s + 0.00015686185) * s + 0.004608647) * s + 0.032544583) * s + 0.39894226;
  float q = ((((1.2588675e-06 * s + 7.049617e-05) * s + 0.001817204) * s + 0.027926706) * s + 0.24824351) * s + 1.0;
  return x * p / q;
}

float f(float x, float other) {
  switch (FUNCTION) {
    case ADD: return x + other;
    case SWIGLU: return x / (1.0 + exponential(-x)) * other;
    case GELU: return notANumber(x) ? x : x * (0.5 + erfHalf(x));
    case GELU_TANH: // 1 + tanh(u) = 2 / (1 + e^−2u)
      return x / (1.0 + exponential(-1.5957691216057308 * (x + 0.044715 * x * x * x)));
  }
  return x > 0.0 || notANumber(x) ? x : 0.0;
}

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * THREADS) {
    float x = loaded(a[aCount == count ? i : i % aCount]), other = FUNCTION <= SWIGLU ? loaded(b[bCount == count ? i : i % bCount]) : 0.0;
    y[i] = stored(f(x, other));
  }
}
