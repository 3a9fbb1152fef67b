#include "common.cl"

// y = f(a, b) element by element. a and b repeat where they are narrow and y is
// wide. a [a's count], b [b's count] → y [count]

#define FUNCTION C0
#define ADD 0
#define SWIGLU 1
#define GELU 2
#define GELU_TANH 3

typedef struct { uint count, aCount, bCount; } Params;

// erfHalf is ½ erf(x/√2) as a rational function within 6e-9 before rounding.
float erfHalf(float x) {
  if (fabs(x) >= 5.2f) return x > 0.0f ? 0.5f : -0.5f;
  float s = x * x;
  float p = ((((2.4731095e-08f * s + 6.4078886e-06f) * s + 0.00015686185f) * s + 0.004608647f) * s + 0.032544583f) * s + 0.39894226f;
  float q = ((((1.2588675e-06f * s + 7.049617e-05f) * s + 0.001817204f) * s + 0.027926706f) * s + 0.24824351f) * s + 1.0f;
  return x * p / q;
}

float f(float x, float other) {
#if FUNCTION == ADD
  return x + other;
#elif FUNCTION == SWIGLU
  return x / (1.0f + exponential(-x)) * other;
#elif FUNCTION == GELU
  return notANumber(x) ? x : x * (0.5f + erfHalf(x));
#elif FUNCTION == GELU_TANH // 1 + tanh(u) = 2 / (1 + e^−2u)
  return x / (1.0f + exponential(-1.5957691216057308f * (x + 0.044715f * x * x * x)));
#else
  return x > 0.0f || notANumber(x) ? x : 0.0f;
#endif
}

KERNEL(elementwise)(IN(READ, a), IN(READ, b), OUT(WRITTEN, y), const Params p) {
  BEGIN_READ(a); BEGIN_READ(b); BEGIN_WRITTEN(y);
  EACH(i, p.count) {
    float other = FUNCTION <= SWIGLU ? load(b, p.bCount == p.count ? i : i % p.bCount) : 0.0f;
    store(y, i, f(load(a, p.aCount == p.count ? i : i % p.aCount), other));
  }
}
