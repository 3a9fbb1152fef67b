// What products of an x that round.comp rounded read: codes [kinds, N, words] and
// scales [kinds, N] of x, and a part of W [M, K].

layout(std430, binding = 0) readonly buffer Codes { uint codes[]; };
layout(std430, binding = 1) readonly buffer Scales { float scales[]; };
layout(std430, binding = 2) readonly buffer Weights { uint W[]; };

#include "weights.glsl"
