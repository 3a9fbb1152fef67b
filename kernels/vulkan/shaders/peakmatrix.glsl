// Products of cooperative matrices, added up: PRODUCTS · rounds a subgroup.

#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require

#include "peak.glsl"

layout(constant_id = 8) const uint CM = 16;
layout(constant_id = 9) const uint CN = 16;
layout(constant_id = 10) const uint CK = 16;
const uint PRODUCTS = 4;

shared uint last[CM * CN];

void main() {
  ELEMENT one = ELEMENT(1u + (rounds & 1u)); // that no compiler knows
  coopmat<ELEMENT, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> x = coopmat<ELEMENT, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA>(one);
  coopmat<ELEMENT, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> w = coopmat<ELEMENT, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB>(one);
  coopmat<SUM, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> a[PRODUCTS];
  [[unroll]] for (uint c = 0; c < PRODUCTS; c++) a[c] = coopmat<SUM, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator>(SUM(c));
  for (uint i = 0; i < rounds; i++)
    [[unroll]] for (uint c = 0; c < PRODUCTS; c++) a[c] = coopMatMulAdd(x, w, a[c]);
  coopmat<SUM, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> sum = a[0];
  [[unroll]] for (uint c = 1; c < PRODUCTS; c++) sum += a[c];
  if (gl_SubgroupID == 0) coopMatStore(sum, last, 0, CN, gl_CooperativeMatrixLayoutRowMajor);
  barrier();
  Y[gl_GlobalInvocationID.x] = last[gl_LocalInvocationID.x % (CM * CN)];
}
