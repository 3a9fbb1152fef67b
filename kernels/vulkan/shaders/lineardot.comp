#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "activation.glsl"

// The product of x rounded to 8 bits, by dot products of bytes.

#include "dot.glsl"
#include "linearrounded.glsl"
