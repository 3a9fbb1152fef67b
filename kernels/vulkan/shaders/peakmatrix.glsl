// Products of cooperative matrices, added up: PRODUCTS · rounds a subgroup. The operands
// come out of memory and have elements of many values: of a matrix whose elements are
// all the same a compiler may compute one, and did.

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

const uint ROW = CK / PER_WORD; // words
shared uint operands[(CM + CN) * ROW];
shared uint last[CM * CN];

void main() {
  // Halves from 1 to 2, or any bytes.
  for (uint e = gl_LocalInvocationID.x; e < (CM + CN) * ROW; e += THREADS)
    operands[e] = 0x3c003c00u | (e + rounds) * 0x9e3779b9u & 0x03ff03ffu;
  barrier();
  coopmat<ELEMENT, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> x;
  coopmat<ELEMENT, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> w;
  coopMatLoad(x, operands, 0, ROW, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad(w, operands, CM * ROW, ROW, gl_CooperativeMatrixLayoutColumnMajor);
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
