// What all kernels share. They are OpenCL C 1.2 without extensions; a work group
// has 128 items in a row. Work is cut by stride: a run may have any number of
// groups. C0, C1, … are what a kernel is compiled for. A buffer is followed by
// the number of its word at which the tensor begins.

#define THREADS 128u
// Names begin in a way that is nobody else's: OpenCL has a function normalize.
#define KERNEL(name) __kernel __attribute__((reqd_work_group_size(128, 1, 1))) void zeroth_##name
#define IN(type, name) __global const type *name, const uint name##From
#define OUT(type, name) __global type *name, const uint name##From
#define BEGIN(name) name += name##From

// Activations are f32 in memory, or with HALF f16: what a kernel reads of them where
// READ16 is 1, what it writes where WRITE16 is. A value is rounded to the nearest f16
// when it is stored, beyond the largest to infinity; all that is computed is f32.
// Those functions of OpenCL keep subnormal halves.
#ifndef HALF
#define HALF 0
#endif
#ifndef READ16
#define READ16 HALF
#endif
#ifndef WRITE16
#define WRITE16 HALF
#endif
#if READ16
#define READ half
#define load(x, i) vload_half(i, x)
#define BEGIN_READ(name) name += 2 * name##From
#else
#define READ float
#define load(x, i) (x)[i]
#define BEGIN_READ BEGIN
#endif
#if WRITE16
#define WRITTEN half
#define store(y, i, value) vstore_half_rte(value, i, y)
#define BEGIN_WRITTEN(name) name += 2 * name##From
#else
#define WRITTEN float
#define store(y, i, value) (y)[i] = value
#define BEGIN_WRITTEN BEGIN
#endif

#define ITEM ((uint)get_local_id(0))
#define GROUP ((uint)get_group_id(0))
#define GROUPS ((uint)get_num_groups(0))
// EACH goes through this item's share of n.
#define EACH(i, n) for (uint i = GROUP * THREADS + ITEM; i < (n); i += GROUPS * THREADS)

// SHARED functions are used many times over. A processor's compiler may be told
// not to copy them to each place, which takes it minutes.
#ifndef SHARED
#define SHARED
#endif

// bool isnan(x) may be taken for false by a driver; bits may not.
bool notANumber(float x) { return (as_uint(x) & 0x7fffffffu) > 0x7f800000u; }

// powerOfTwo is 2ⁿ for −126 ≤ n ≤ 127.
float powerOfTwo(int n) { return as_float((uint)(n + 127) << 23); }

// exponential is eˣ within 2 units in the last place on any device: x = n·ln 2 +
// r, |r| ≤ ½ ln 2, and a polynomial for e^r. It keeps NaN and gives 0 and +Inf
// where they are due.
SHARED float exponential(float x) {
  if (notANumber(x)) return x;
  x = clamp(x, -104.0f, 89.0f);
  float n = rint(x * 1.44269504088896341f);
  float r = (x - n * 0.693359375f) + n * 2.12194440054690583e-4f;
  float p = 0.0001989103066f;
  p = p * r + 0.001393368586f;
  p = p * r + 0.00833331089f;
  p = p * r + 0.0416664646f;
  p = p * r + 0.1666666668f;
  p = p * r + 0.5000000013f;
  p = p * r * r + r + 1.0f;
  int h = (int)n >> 1;
  return p * powerOfTwo(h) * powerOfTwo((int)n - h);
}

// logarithm is ln x within a rounding of 1 for finite x > 0: the device's and a
// step of Newton's.
float logarithm(float x) {
  float y = log(x);
  return y + (x * exponential(-y) - 1.0f);
}

// A sum of exponentials: Σ exp(t − most), most being the largest t so far. It
// begins as (−Inf, 0). Terms of −Inf count nothing, NaN makes the sum NaN.
typedef struct { float most, sum; } SumExp;

SumExp sumExp(float most, float sum) {
  SumExp s = {most, sum};
  return s;
}

SHARED SumExp joined(SumExp a, SumExp b) {
  float most = b.most > a.most ? b.most : a.most;
  if (most == -INFINITY) return sumExp(most, a.sum + b.sum);
  return sumExp(most, a.sum * exponential(a.most - most) + b.sum * exponential(b.most - most));
}

SumExp withTerm(SumExp a, float t) {
  if (t == -INFINITY) return a;
  return joined(a, sumExp(t > a.most ? t : a.most, exponential(t > a.most ? t - t : t - a.most)));
}

// negativeLogSoftmax is −log softmax of a term t of the sum.
float negativeLogSoftmax(SumExp a, float t) { return logarithm(a.sum) + (a.most - t); }
