// What all shaders share. A work group has 128 invocations in a row, the most
// that every device of Vulkan allows. Work is cut by stride: a dispatch may have
// any number of groups.

#extension GL_EXT_control_flow_attributes : require

const uint THREADS = 128;
layout(local_size_x = 128) in;

#define INFINITY uintBitsToFloat(0x7f800000u)

// bool isnan(x) may be taken for false by a driver; bits may not.
bool notANumber(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }

// powerOfTwo is 2ⁿ for −126 ≤ n ≤ 127.
float powerOfTwo(int n) { return uintBitsToFloat(uint(n + 127) << 23); }

// exponential is eˣ within 2 units in the last place on any device, where
// GLSL's exp may be off by 3 + 2|x|: x = n·ln 2 + r, |r| ≤ ½ ln 2, and a
// polynomial for e^r. It keeps NaN and gives 0 and +Inf where they are due.
float exponential(float x) {
  if (notANumber(x)) return x;
  x = clamp(x, -104.0, 89.0);
  float n = round(x * 1.44269504088896341);
  float r = (x - n * 0.693359375) + n * 2.12194440054690583e-4;
  float p = 0.0001989103066;
  p = p * r + 0.001393368586;
  p = p * r + 0.00833331089;
  p = p * r + 0.0416664646;
  p = p * r + 0.1666666668;
  p = p * r + 0.5000000013;
  p = p * r * r + r + 1.0;
  int h = int(n) >> 1;
  return p * powerOfTwo(h) * powerOfTwo(int(n) - h);
}

// logarithm is ln x within a rounding of 1 for finite x > 0: GLSL's log and a
// step of Newton's.
float logarithm(float x) {
  float y = log(x);
  return y + (x * exponential(-y) - 1.0);
}

// A sum of exponentials: Σ exp(t − most), most being the largest t so far. It
// begins as (−Inf, 0). Terms of −Inf count nothing, NaN makes the sum NaN.
struct SumExp { float most, sum; };

SumExp joined(SumExp a, SumExp b) {
  float most = b.most > a.most ? b.most : a.most;
  if (most == -INFINITY) return SumExp(most, a.sum + b.sum);
  return SumExp(most, a.sum * exponential(a.most - most) + b.sum * exponential(b.most - most));
}

SumExp withTerm(SumExp a, float t) {
  if (t == -INFINITY) return a;
  return joined(a, SumExp(t > a.most ? t : a.most, exponential(t > a.most ? t - t : t - a.most)));
}

// negativeLogSoftmax is −log softmax of a term t of the sum.
float negativeLogSoftmax(SumExp a, float t) { return logarithm(a.sum) + (a.most - t); }
