/* A plug-in for tests: Add and Relu, and every fault that a plug-in can have. Those of
 * the table are chosen by macros when it is compiled, those of calls by the option
 * fault=NAME. */
#include "zeroth_backend.h"

#include <stdlib.h>

#ifndef ABI
#define ABI ZEROTH_ABI_VERSION
#endif
#ifndef SIZE
#define SIZE sizeof(zeroth_table)
#endif
#ifndef NAME
#define NAME "sloppy"
#endif
#ifndef SCORE
#define SCORE 10
#endif
#ifndef RUN
#define RUN run
#endif
#ifndef OPEN
#define OPEN open_plugin
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef TABLE
#define TABLE zeroth_backend_table
#endif
#ifndef RESERVED
#define RESERVED 0
#endif

static const char *fault = "";

static int has(const char *name) { return strcmp(fault, name) == 0; }

static int32_t open_plugin(const zeroth_host *host, void **state, zeroth_error *error) {
  uint32_t i;
  fault = "";
  *state = (void *)host;
  for (i = 0; i < host->option_count; i++) {
    if (strcmp(host->option_keys[i], "fault") != 0) {
      return zeroth_fail(error, ZEROTH_UNSUPPORTED, "the only option is fault");
    }
    fault = strdup(host->option_values[i]);
  }
  if (has("open")) {
    return zeroth_fail(error, ZEROTH_FAILED, "no\x1b[31m device\nfound \xff");
  }
  return ZEROTH_OK;
}

static int32_t query(void *state, const zeroth_node *node, zeroth_kernel_info *info, zeroth_error *error) {
  const zeroth_host *host = state;
  if (node->op != ZEROTH_OP_ADD && node->op != ZEROTH_OP_RELU) {
    return ZEROTH_UNSUPPORTED;
  }
  if (has("query")) {
    return zeroth_fail(error, ZEROTH_FAILED, "cannot say");
  }
  if (has("log")) {
    host->log(host, ZEROTH_LOG_WARNING, "a\x1b[0m line", 10);
    host->log(host, 77, "two\nlines", 9);
    host->log((const zeroth_host *)error, 0, "from nobody", 11);
  }
  if (has("crash")) {
    *(volatile int *)8 = 1;
  }
  info->scratch_bytes = has("scratch") ? 64 : has("huge scratch") ? UINT64_MAX / 2 : 0;
  return ZEROTH_OK;
}

static int32_t bind(void *state, const zeroth_node *node, void **kernel, zeroth_error *error) {
  (void)state;
  (void)node;
  if (has("bind")) {
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory");
  }
  *kernel = malloc(1);
  return ZEROTH_OK;
}

static int32_t spoil(const zeroth_call *call, zeroth_error *error) {
  float *y = call->node->out[0]->data, *x = call->node->in[0]->data;
  int64_t count = zeroth_elements(call->node->out[0]) * call->node->out[0]->copies;
  if (has("run") || has("relu") && call->node->op == ZEROTH_OP_RELU) {
    return zeroth_fail(error, ZEROTH_FAILED, "the unit is busy");
  }
  if (has("fatal")) {
    return zeroth_fail(error, ZEROTH_FATAL, "the device is lost");
  }
  if (has("status")) {
    return 99;
  }
  if (y == NULL) {
    return ZEROTH_OK;
  }
  if (has("beyond")) {
    y[count] = 1;
  }
  if (has("before")) {
    y[-1] = 1;
  }
  if (has("input") && count > 0) {
    x[0] = 7;
  }
  if (has("scratch")) {
    ((char *)call->scratch)[call->scratch_bytes] = 1;
  }
  return ZEROTH_OK;
}

static int32_t run(void *kernel, const zeroth_call *call, zeroth_error *error) {
  const zeroth_node *node = call->node;
  int64_t count = zeroth_elements(node->out[0]), i;
  uint32_t p;
  int32_t status = spoil(call, error);
  (void)kernel;
  if (status != ZEROTH_OK) {
    return status;
  }
  for (p = 0; p < node->out[0]->copies; p++) {
    const float *a = (const float *)node->in[0]->data + (node->in[0]->copies == 1 ? 0 : p * count);
    float *y = (float *)node->out[0]->data + p * count;
    for (i = 0; i < count - (has("last") ? 1 : 0); i++) {
      if (node->op == ZEROTH_OP_RELU) {
        y[i] = a[i] < 0 ? 0 : a[i] == 0 ? 0 : a[i];
      } else {
        y[i] = a[i] + ((const float *)node->in[1]->data)[(node->in[1]->copies == 1 ? 0 : p * count) + i];
      }
    }
  }
  if (has("wrong") && count > 3) {
    ((float *)node->out[0]->data)[2] *= 1.001f;
  }
  return ZEROTH_OK;
}

static void unbind(void *kernel) { free(kernel); }

uint32_t zeroth_backend_score(void) { return SCORE; }

const zeroth_table TABLE = {
    .size = SIZE,
    .abi_version = ABI,
    .name = NAME,
    .version = "0",
    .about = "for tests",
    .kernel_flags = FLAGS,
    .open = OPEN,
#ifndef NO_LEVEL
    .kernel_query = query,
    .kernel_bind = bind,
    .kernel_run = RUN,
    .kernel_unbind = unbind,
#endif
    .reserved = {RESERVED},
};
