#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// The peak of matrices of f16 with sums of f32.

#define ELEMENT float16_t
#define SUM float
#define PER_WORD 2
#include "peakmatrix.glsl"
