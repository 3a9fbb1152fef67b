/* What works token by token, and attention. */
#include "plain.h"

#include <math.h>

/* y = x / sqrt(mean(x²) + epsilon) · scale, for each D channels that scale has */
void run_rms_normalization(const run_args *a) {
  double epsilon = zeroth_float(a->node, "epsilon");
  const float *scale = a->in[1];
  int64_t D = input(a, 1)->extent[0], vectors, v, d;
  uint32_t p;
  vectors = D == 0 ? 0 : zeroth_elements(input(a, 0)) / D;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    for (v = 0; v < vectors; v++) {
      const float *x = copy_of(a, 0, p) + v * D;
      float *y = result(a, p) + v * D;
      double squares = 0, root;
      for (d = 0; d < D; d++) {
        squares += (double)x[d] * x[d];
      }
      root = sqrt(squares / (double)D + epsilon);
      for (d = 0; d < D; d++) {
        y[d] = (float)(x[d] / root * scale[d]);
      }
    }
  }
}

/* Turns the pairs of each head by the angle of the token's position. */
void run_rotary_embedding(const run_args *a) {
  const int32_t *positions = a->in[1];
  const float *cosines = a->in[2], *sines = a->in[3];
  int64_t heads = zeroth_int(a->node, "num_heads"), half = input(a, 2)->extent[1];
  int64_t N = input(a, 0)->extent[0], n, h, i;
  int interleaved = zeroth_int(a->node, "interleaved") == 1;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    for (n = 0; n < N; n++) {
      for (h = 0; h < heads; h++) {
        const float *x = copy_of(a, 0, p) + (n * heads + h) * 2 * half;
        float *y = result(a, p) + (n * heads + h) * 2 * half;
        for (i = 0; i < half; i++) {
          int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : i + half;
          double c = cosines[positions[n] * half + i], s = sines[positions[n] * half + i];
          double u = x[first], v = x[second];
          y[first] = (float)(u * c - v * s);
          y[second] = (float)(u * s + v * c);
        }
      }
    }
  }
}

/* Scratch: the scores of a row [N] and its sums [D]. */
int64_t needs_attention(const zeroth_node *node) { return node->in[0]->extent[0] + node->in[0]->extent[1]; }

/* One head of one token: softmax(scale · q kᵀ) v over tokens first … end − 1. */
static void attend(float *y, const float *q, const float *k, const float *v, int64_t channels, int64_t D, int64_t count, double scale,
                   double *scores, double *sums) {
  double largest = -INFINITY, total = 0;
  int64_t t, d;
  for (t = 0; t < count; t++) {
    scores[t] = 0;
    for (d = 0; d < D; d++) {
      scores[t] += (double)q[d] * k[t * channels + d];
    }
    scores[t] *= scale;
    if (scores[t] > largest) {
      largest = scores[t];
    }
  }
  for (d = 0; d < D; d++) {
    sums[d] = 0;
  }
  for (t = 0; t < count; t++) {
    double weight = exp(scores[t] - largest);
    total += weight;
    for (d = 0; d < D; d++) {
      sums[d] += weight * v[t * channels + d];
    }
  }
  for (d = 0; d < D; d++) {
    y[d] = (float)(sums[d] / total);
  }
}

/* Attention within each sequence; query head h reads key and value head h · HKV / H. */
void run_attention(const run_args *a) {
  int64_t heads = zeroth_int(a->node, "num_heads"), shared = zeroth_int(a->node, "kv_num_heads");
  int64_t D = input(a, 0)->extent[1] / heads, channels = shared * D, sequences = input(a, 3)->extent[0] - 1, s, n, h;
  const int32_t *offsets = a->in[3];
  double scale = zeroth_float(a->node, "scale");
  int causal = zeroth_int(a->node, "causal") == 1;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    for (s = 0; s < sequences; s++) {
      for (n = offsets[s]; n < offsets[s + 1]; n++) {
        int64_t count = (causal ? n + 1 : offsets[s + 1]) - offsets[s];
        for (h = 0; h < heads; h++) {
          int64_t from = offsets[s] * channels + h * shared / heads * D;
          attend(result(a, p) + (n * heads + h) * D, copy_of(a, 0, p) + (n * heads + h) * D, copy_of(a, 1, p) + from,
                 copy_of(a, 2, p) + from, channels, D, count, scale, a->scratch, a->scratch + input(a, 0)->extent[0]);
        }
      }
    }
  }
}

/* y = gate / (1 + e^−gate) · up */
void run_swiglu(const run_args *a) {
  int64_t count = zeroth_elements(a->node->out[0]), i;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    const float *gate = copy_of(a, 0, p), *up = copy_of(a, 1, p);
    for (i = 0; i < count; i++) {
      result(a, p)[i] = (float)(gate[i] / (1 + exp(-(double)gate[i])) * up[i]);
    }
  }
}

void run_add(const run_args *a) {
  int64_t count = zeroth_elements(a->node->out[0]), i;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    const float *x = copy_of(a, 0, p), *y = copy_of(a, 1, p);
    for (i = 0; i < count; i++) {
      result(a, p)[i] = x[i] + y[i];
    }
  }
}
