#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// The product of x rounded to f16, by cooperative matrices.

#include "matrix.glsl"
#include "linearrounded.glsl"
