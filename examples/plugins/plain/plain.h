/* plain.h: what the delegate and its ops share. */
#ifndef PLAIN_H
#define PLAIN_H

#include "zeroth_backend.h"

/* The largest number of inputs of an op that is taken. */
#define MAX_INPUTS 8

/* A node in a run: its tensors have the extents of the moment, and in and out are
 * where their elements lie. */
typedef struct {
  const zeroth_host *host;
  const zeroth_node *node;
  const void *in[MAX_INPUTS];
  void *out;
  double *scratch; /* as many as needs said */
} run_args;

/* An op: what it computes, and how many doubles of scratch a node takes at its
 * largest extents. needs NULL: none. */
typedef struct {
  uint32_t op;
  void (*run)(const run_args *a);
  int64_t (*needs)(const zeroth_node *node);
} plain_op;

/* The op of that number, or NULL. */
const plain_op *find_op(uint32_t op);

/* products.c */
void run_gather(const run_args *a);
void run_linear(const run_args *a);
void run_linear_lora(const run_args *a);
void run_cross_entropy_head(const run_args *a);
int64_t needs_linear_lora(const zeroth_node *node);
int64_t needs_cross_entropy_head(const zeroth_node *node);

/* rows.c */
void run_rms_normalization(const run_args *a);
void run_rotary_embedding(const run_args *a);
void run_attention(const run_args *a);
void run_swiglu(const run_args *a);
void run_add(const run_args *a);
int64_t needs_attention(const zeroth_node *node);

/* losses.c */
void run_weighted_sum(const run_args *a);
void run_choice_loss(const run_args *a);
void run_update_lora(const run_args *a);
int64_t needs_choice_loss(const zeroth_node *node);
int64_t needs_update_lora(const zeroth_node *node);
/* log of the sum of e^terms, less terms[chosen]. */
double negative_log_softmax(const double *terms, int64_t count, int64_t chosen);

/* Input i of a node, and copy p of its elements: the only one where it is narrow. */
static inline const zeroth_tensor *input(const run_args *a, uint32_t i) { return a->node->in[i]; }

static inline const float *copy_of(const run_args *a, uint32_t i, uint32_t p) {
  const zeroth_tensor *t = input(a, i);
  return (const float *)a->in[i] + (t->copies == 1 ? 0 : (int64_t)p * zeroth_elements(t));
}

static inline float *result(const run_args *a, uint32_t p) {
  return (float *)a->out + (int64_t)p * zeroth_elements(a->node->out[0]);
}

#endif
