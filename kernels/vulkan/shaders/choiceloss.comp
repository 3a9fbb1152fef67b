#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "reduce.glsl"

// The mean over examples of −log softmax(score)[gold]; a candidate scores minus
// the sum, or the mean, of its rows' losses. A work group takes a copy, an
// invocation an example.
// nll [w, R], rows [K+1], choices [G+1], gold [G] → y [w]

layout(std430, binding = 0) readonly buffer Losses { float losses[]; };
layout(std430, binding = 1) readonly buffer Rows { int rows[]; };
layout(std430, binding = 2) readonly buffer Choices { int choices[]; };
layout(std430, binding = 3) readonly buffer Gold { int gold[]; };
layout(std430, binding = 4) writeonly buffer Output { float Y[]; };

layout(std140, binding = 5) uniform Parameters { uint copies, R, G, mean; };

float score(uint from, int candidate) {
  float sum = 0.0;
  int first = rows[candidate], end = rows[candidate + 1];
  for (int n = first; n < end; n++) sum += losses[from + n];
  return mean != 0 && end > first ? -(sum / float(end - first)) : -sum;
}

void main() {
  uint t = gl_LocalInvocationID.x;
  for (uint p = gl_WorkGroupID.x; p < copies; p += gl_NumWorkGroups.x) {
    float loss = 0.0;
    for (uint e = t; e < G; e += THREADS) {
      SumExp scores = SumExp(-INFINITY, 0.0);
      for (int k = choices[e]; k < choices[e + 1]; k++) scores = withTerm(scores, score(p * R, k));
      loss += negativeLogSoftmax(scores, score(p * R, choices[e] + gold[e]));
    }
    loss = sumOfAll(loss);
    if (t == 0) Y[p] = G > 0 ? loss / float(G) : 0.0;
  }
}
