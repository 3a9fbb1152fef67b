#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// The peak of matrices of signed bytes.

#define ELEMENT int8_t
#define SUM int
#define PER_WORD 4
#include "peakmatrix.glsl"
