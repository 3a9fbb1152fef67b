#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// The product of x rounded to 8 bits with i8, by cooperative matrices.

#define BYTES
#include "matrix.glsl"
#include "linearrounded.glsl"
