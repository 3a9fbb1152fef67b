#ifndef HALF_GLSL
#define HALF_GLSL

// halfToFloat widens a binary16 exactly, subnormal ones too.
float halfToFloat(uint h) {
  uint sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
  if (exponent == 0u) {
    float small = float(fraction) * uintBitsToFloat(103u << 23); // 2⁻²⁴
    return sign == 0u ? small : -small;
  }
  if (exponent == 31u) exponent = 255u - 112u;
  return uintBitsToFloat(sign | (exponent + 112u) << 23 | fraction << 13);
}

// halfOf is the nearest binary16 to a value below 2¹⁶, ties to even.
uint halfOf(float v) {
  uint u = floatBitsToUint(v), sign = u >> 16 & 0x8000u;
  u &= 0x7fffffffu;
  if (u < 113u << 23) return sign | uint(roundEven(uintBitsToFloat(u) * 16777216.0)); // subnormal: multiples of 2⁻²⁴
  return sign | ((u + 0xfffu + (u >> 13 & 1u)) >> 13) - (112u << 10);
}

#endif
