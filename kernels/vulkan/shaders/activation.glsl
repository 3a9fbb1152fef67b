// Activations as they lie in memory: f32, or f16 with HALF, which gpu.HalfList asks
// for. Halves are loaded and stored by their bits: drivers may take subnormal ones for
// 0, and round as they like.
//
// A buffer of them is of STORED elements, or of BITS where these are only moved.

#ifdef HALF

#extension GL_EXT_shader_16bit_storage : require
#include "half.glsl"

#define STORED uint16_t
#define BITS uint16_t
#define loaded(element) halfToFloat(uint(element))
#define stored(value) uint16_t(floatToHalf(value))
#define storedBits(word) stored(uintBitsToFloat(word))

// floatToHalf is the nearest binary16 to any value, infinite from 65520 on.
uint floatToHalf(float v) {
  uint sign = floatBitsToUint(v) >> 16 & 0x8000u;
  if (notANumber(v)) return sign | 0x7e00u;
  return abs(v) < 65536.0 ? halfOf(v) : sign | 0x7c00u;
}

#else

#define STORED float
#define BITS uint
#define loaded(element) element
#define stored(value) value
#define storedBits(word) word

#endif
