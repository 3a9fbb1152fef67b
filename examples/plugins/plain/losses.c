/* Losses and the update of B. */
#include "plain.h"

#include <math.h>

double negative_log_softmax(const double *terms, int64_t count, int64_t chosen) {
  double largest = -INFINITY, sum = 0;
  int64_t i;
  for (i = 0; i < count; i++) {
    if (terms[i] > largest) {
      largest = terms[i];
    }
  }
  for (i = 0; i < count; i++) {
    sum += exp(terms[i] - largest);
  }
  return log(sum) + (largest - terms[chosen]);
}

/* y = Σ weights[r] · x[r] */
void run_weighted_sum(const run_args *a) {
  int64_t R = input(a, 0)->extent[0], r;
  const float *weights = a->in[1];
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    double sum = 0;
    for (r = 0; r < R; r++) {
      sum += (double)weights[r] * copy_of(a, 0, p)[r];
    }
    *result(a, p) = (float)sum;
  }
}

/* Scratch: the scores of all candidates [K]. */
int64_t needs_choice_loss(const zeroth_node *node) { return node->in[1]->extent[0]; }

/* The mean over examples of −log softmax(score)[gold]; a candidate's score is minus
 * the sum, or the mean, of the losses of its rows. */
void run_choice_loss(const run_args *a) {
  const int32_t *rows = a->in[1], *choices = a->in[2], *gold = a->in[3];
  int64_t candidates = input(a, 1)->extent[0] - 1, examples = input(a, 3)->extent[0], k, g, r;
  int mean = zeroth_int(a->node, "mean") == 1;
  uint32_t p;
  for (p = 0; p < a->node->out[0]->copies; p++) {
    const float *nll = copy_of(a, 0, p);
    double loss = 0;
    for (k = 0; k < candidates; k++) {
      double sum = 0;
      for (r = rows[k]; r < rows[k + 1]; r++) {
        sum += nll[r];
      }
      if (mean && rows[k + 1] > rows[k]) {
        sum /= rows[k + 1] - rows[k];
      }
      a->scratch[k] = -sum;
    }
    for (g = 0; g < examples; g++) {
      loss += negative_log_softmax(a->scratch + choices[g], choices[g + 1] - choices[g], gold[g]);
    }
    *result(a, p) = (float)(examples > 0 ? loss / (double)examples : loss);
  }
}

/* Scratch: z and the sums, as floats. */
int64_t needs_update_lora(const zeroth_node *node) { return zeroth_elements(node->in[0]); }

/* B ← B − f32(lr / Q) · Σ g[i] z_i, each product and sum rounded: every backend gets
 * these bits. */
void run_update_lora(const run_args *a) {
  const zeroth_tensor *t = input(a, 0);
  float *b = (float *)a->in[0]; /* the slot: mutable */
  const float *g = a->in[2];
  int64_t count = zeroth_elements(t), K = t->rank == 2 ? t->extent[1] : 1, Q = input(a, 2)->extent[0], i, e;
  float *z = (float *)a->scratch, *sums = z + count, step;
  if (Q == 0) {
    return;
  }
  memset(sums, 0, (size_t)count * sizeof(float));
  for (i = 0; i < Q; i++) {
    zeroth_draw(a->host, (uint32_t)zeroth_int(a->node, "sampler"), a->in[1], (uint32_t)zeroth_int(a->node, "site"), (uint32_t)i, 0, z,
                (uint64_t)count);
    for (e = 0; e < count; e++) {
      float term = g[i] * z[e];
      sums[e] += term;
    }
  }
  step = *(const float *)a->in[3] / (float)Q;
  for (e = 0; e < count; e++) {
    int64_t at = t->layout == ZEROTH_PANELS16 ? zeroth_panel_index(e / K, e % K, K) : e;
    float move = step * sums[e];
    b[at] -= move;
  }
}
