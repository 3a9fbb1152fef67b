/* A plug-in for tests: Add and Relu as kernels or, with the macro DELEGATE, Add as a
 * delegate, and every fault that a plug-in can have. Those of the table are chosen by
 * macros when it is compiled, those of calls by the option fault=NAME. */
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

/* The delegate: a partition of Adds, one buffer a value. */

typedef struct {
  const zeroth_host *host;
  uint32_t executables;
} session;

typedef struct {
  session *session;
  uint32_t values;
  float *buffers[64];
} executable;

static int32_t node_query(void *state, const zeroth_node *node, zeroth_error *error) {
  (void)state;
  if (has("node_query")) {
    return zeroth_fail(error, ZEROTH_FAILED, "cannot say");
  }
  return node->op == ZEROTH_OP_ADD ? ZEROTH_OK : zeroth_fail(error, ZEROTH_UNSUPPORTED, "only Add");
}

static int32_t session_open(void *state, const zeroth_session_info *info, void **out, zeroth_error *error) {
  session *s = calloc(1, sizeof *s);
  (void)info;
  if (has("session")) {
    return zeroth_fail(error, ZEROTH_FAILED, "no queue");
  }
  s->host = state;
  *out = s;
  return ZEROTH_OK;
}

static int32_t compile(void *handle, const zeroth_partition *p, void **out, zeroth_error *error) {
  session *s = handle;
  executable *e = calloc(1, sizeof *e);
  uint32_t i;
  if (has("decline")) {
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "the device is full");
  }
  if (has("compile")) {
    return zeroth_fail(error, ZEROTH_FATAL, "the compiler is gone");
  }
  e->session = s;
  e->values = p->value_count;
  for (i = 0; i < p->value_count; i++) {
    e->buffers[i] = calloc(p->values[i]->tensor->bytes + 4, 1);
  }
  s->executables++;
  *out = e;
  return ZEROTH_OK;
}

static int32_t slot_write(void *handle, uint32_t slot, const void *data, uint64_t bytes, zeroth_error *error) {
  (void)handle, (void)slot, (void)data, (void)bytes;
  return zeroth_fail(error, ZEROTH_FAILED, "there are no slots");
}

static int32_t slot_read(void *handle, uint32_t slot, void *data, uint64_t bytes, zeroth_error *error) {
  (void)handle, (void)slot, (void)data, (void)bytes;
  return zeroth_fail(error, ZEROTH_FAILED, "there are no slots");
}

static const float *values_of(executable *e, const zeroth_node *node, uint32_t i, uint32_t p) {
  const zeroth_tensor *t = node->in[i];
  const float *all = t->data != NULL ? t->data : e->buffers[node->in_values[i]];
  return all + (t->copies == 1 ? 0 : p * zeroth_elements(t));
}

static int32_t execute(void *handle, const zeroth_partition *partition, zeroth_error *error) {
  executable *e = handle;
  uint32_t n, p;
  int64_t i;
  if (has("execute")) {
    return zeroth_fail(error, ZEROTH_FAILED, "the queue is stuck");
  }
  for (n = 0; n < partition->node_count; n++) {
    const zeroth_node *node = partition->nodes[n];
    int64_t count = zeroth_elements(node->out[0]);
    for (p = 0; p < node->out[0]->copies; p++) {
      for (i = 0; i < count; i++) {
        e->buffers[node->out_values[0]][p * count + i] = values_of(e, node, 0, p)[i] + values_of(e, node, 1, p)[i];
      }
    }
  }
  return ZEROTH_OK;
}

static int32_t fetch(void *handle, uint32_t output, void *data, uint64_t bytes, zeroth_error *error) {
  executable *e = handle;
  (void)output;
  if (has("fetch")) {
    return zeroth_fail(error, ZEROTH_FAILED, "the bus is down");
  }
  if (!has("nothing") && bytes > 0) {
    memcpy(data, e->buffers[e->values - 1], bytes - (has("less") ? 4 : 0)); /* the only output is the last value */
  }
  if (has("more") && bytes > 0) {
    ((char *)data)[bytes] = 1;
  }
  return ZEROTH_OK;
}

static void destroy(void *handle) {
  executable *e = handle;
  uint32_t i;
  for (i = 0; i < e->values; i++) {
    free(e->buffers[i]);
  }
  e->session->executables--;
  free(e);
}

static void session_close(void *handle) {
  session *s = handle;
  if (has("lifetimes")) {
    s->host->log(s->host, ZEROTH_LOG_INFO, s->executables == 0 ? "closed" : "early", s->executables == 0 ? 6 : 5);
  }
  free(s);
}

uint32_t zeroth_backend_score(void) { return SCORE; }

const zeroth_table TABLE = {
    .size = SIZE,
    .abi_version = ABI,
    .name = NAME,
    .version = "0",
    .about = "for tests",
    .kernel_flags = FLAGS,
    .open = OPEN,
#ifdef DELEGATE
    .node_query = node_query,
    .session_open = session_open,
    .partition_compile = compile,
    .slot_write = slot_write,
    .slot_read = slot_read,
    .executable_run = execute,
    .executable_fetch = fetch,
    .executable_destroy = destroy,
    .session_close = session_close,
#else
    .kernel_query = query,
    .kernel_bind = bind,
    .kernel_run = RUN,
    .kernel_unbind = unbind,
#endif
    .reserved = {0},
};
