#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_spirv_intrinsics : require
#include "common.glsl"

// Dot products of four signed bytes, added up: CHAINS · rounds an invocation.

#include "peak.glsl"

spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int dot4(uint a, uint b, spirv_literal int format);

void main() {
  uint x = 0x01fe0301u + gl_LocalInvocationID.x;
  int a[CHAINS];
  [[unroll]] for (uint c = 0; c < CHAINS; c++) a[c] = int(c);
  for (uint i = 0; i < rounds; i++)
    [[unroll]] for (uint c = 0; c < CHAINS; c++) a[c] += dot4(uint(a[c]), x, 0);
  int sum = 0;
  [[unroll]] for (uint c = 0; c < CHAINS; c++) sum += a[c];
  Y[gl_GlobalInvocationID.x] = uint(sum);
}
