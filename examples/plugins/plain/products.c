/* Products with weights, in rows or in panels of 16. */
#include "plain.h"

/* The elements of row m of W [M, K] are at[k * step]. */
static const float *row_of(const zeroth_tensor *t, const float *w, int64_t m, int64_t *step) {
  *step = t->layout == ZEROTH_PANELS16 ? 16 : 1;
  return t->layout == ZEROTH_PANELS16 ? w + zeroth_panel_index(m, 0, t->extent[1]) : w + m * t->extent[1];
}

/* y[m] = x [K] · row m of W for all rows. In panels a step along K is 16 rows. */
static void multiply(float *y, const float *x, const zeroth_tensor *t, const float *w) {
  int64_t M = t->extent[0], K = t->extent[1], m, k, j;
  for (m = 0; m < M; m += 16) {
    float sum[16] = {0};
    int64_t rows = M - m < 16 ? M - m : 16;
    if (t->layout == ZEROTH_PANELS16) {
      const float *panel = w + m * K;
      for (k = 0; k < K; k++) {
        for (j = 0; j < 16; j++) {
          sum[j] += x[k] * panel[k * 16 + j];
        }
      }
    } else {
      for (j = 0; j < rows; j++) {
        for (k = 0; k < K; k++) {
          sum[j] += x[k] * w[(m + j) * K + k];
        }
      }
    }
    memcpy(y + m, sum, (size_t)rows * sizeof(float));
  }
}

static void add_bias(float *y, const float *bias, int64_t M) {
  int64_t m;
  for (m = 0; bias != NULL && m < M; m++) {
    y[m] += bias[m];
  }
}

/* y[i, :] = data[indices[i], :] */
void run_gather(const run_args *a) {
  const zeroth_tensor *data = input(a, 0);
  const int32_t *indices = a->in[1];
  int64_t C = data->extent[1], count = input(a, 1)->extent[0], i, c, step;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    float *y = result(a, p);
    for (i = 0; i < count; i++) {
      const float *row = row_of(data, copy_of(a, 0, p), indices[i], &step);
      for (c = 0; c < C; c++) {
        y[i * C + c] = row[c * step];
      }
    }
  }
}

/* y = x Wᵀ + bias */
void run_linear(const run_args *a) {
  int64_t N = input(a, 0)->extent[0], K = input(a, 0)->extent[1], M = input(a, 1)->extent[0], n;
  const float *bias = a->node->in_count > 2 ? a->in[2] : NULL;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    for (n = 0; n < N; n++) {
      float *y = result(a, p) + n * M;
      multiply(y, copy_of(a, 0, p) + n * K, input(a, 1), a->in[1]);
      add_bias(y, bias, M);
    }
  }
}

/* Scratch: B + σεz [M, r] and x Aᵀ [r], as floats. */
int64_t needs_linear_lora(const zeroth_node *node) {
  const zeroth_tensor *b = node->in[3];
  return (b->extent[0] + 1) * b->extent[1];
}

/* Writes B + σ_p ε z: the product and the sum are rounded one by one, so this file is
 * compiled without contraction. */
static void perturb(const run_args *a, float *to, uint32_t p) {
  const float *b = a->in[3];
  int64_t count = zeroth_elements(input(a, 3)), e;
  uint32_t query;
  float eps = *(const float *)a->in[6] * (float)zeroth_copy(*(const int32_t *)a->in[5], p, &query);
  if (eps == 0) {
    memcpy(to, b, (size_t)count * sizeof(float));
    return;
  }
  zeroth_draw(a->host, (uint32_t)zeroth_int(a->node, "sampler"), a->in[4], (uint32_t)zeroth_int(a->node, "site"), query, 0, to,
              (uint64_t)count);
  for (e = 0; e < count; e++) {
    float move = eps * to[e];
    to[e] = b[e] + move;
  }
}

/* y_p = x_p Wᵀ + bias + scale · (x_p Aᵀ)(B + σ_p ε z_i)ᵀ. Where all copies have the
 * same x, the product with W is computed for copy 0. */
void run_linear_lora(const run_args *a) {
  int64_t N = input(a, 0)->extent[0], K = input(a, 0)->extent[1], M = input(a, 1)->extent[0], r = input(a, 2)->extent[0], n, m, c;
  const float *bias = a->node->in_count > 7 ? a->in[7] : NULL;
  float *perturbed = (float *)a->scratch, *hidden = perturbed + M * r;
  float scale = (float)zeroth_float(a->node, "scale");
  int shared = input(a, 0)->copies == 1;
  int32_t p; /* backwards, so that copy 0 is still the product when the others want it */
  for (n = 0; shared && n < N; n++) {
    multiply(result(a, 0) + n * M, (const float *)a->in[0] + n * K, input(a, 1), a->in[1]);
    add_bias(result(a, 0) + n * M, bias, M);
  }
  for (p = (int32_t)a->node->out[0]->copies - 1; p >= 0; p--) {
    perturb(a, perturbed, (uint32_t)p);
    for (n = 0; n < N; n++) {
      const float *x = copy_of(a, 0, (uint32_t)p) + n * K;
      float *y = result(a, (uint32_t)p) + n * M;
      if (shared) {
        memmove(y, result(a, 0) + n * M, (size_t)M * sizeof(float));
      } else {
        multiply(y, x, input(a, 1), a->in[1]);
        add_bias(y, bias, M);
      }
      multiply(hidden, x, input(a, 2), a->in[2]);
      for (m = 0; m < M; m++) {
        float low = 0;
        for (c = 0; c < r; c++) {
          low += hidden[c] * perturbed[m * r + c];
        }
        y[m] += scale * low;
      }
    }
  }
}

/* Scratch: the logits of a row [V], and as floats too. */
int64_t needs_cross_entropy_head(const zeroth_node *node) { return 2 * node->in[1]->extent[0]; }

/* y[n] = logsumexp(l) − l[labels[n]], l = x_n Wᵀ + bias */
void run_cross_entropy_head(const run_args *a) {
  int64_t R = input(a, 0)->extent[0], K = input(a, 0)->extent[1], V = input(a, 1)->extent[0], n, m;
  const int32_t *labels = a->in[2];
  const float *bias = a->node->in_count > 3 ? a->in[3] : NULL;
  double *logits = a->scratch;
  float *products = (float *)(a->scratch + V);
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    for (n = 0; n < R; n++) {
      multiply(products, copy_of(a, 0, p) + n * K, input(a, 1), a->in[1]);
      add_bias(products, bias, V);
      for (m = 0; m < V; m++) {
        logits[m] = products[m];
      }
      result(a, p)[n] = (float)negative_log_softmax(logits, V, labels[n]);
    }
  }
}
