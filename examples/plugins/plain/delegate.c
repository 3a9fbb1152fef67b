/* A delegate in plain C: it takes all partitions of Llama's methods with f32 weights,
 * and shows each call that a delegate gets. Its "device" is memory from malloc;
 * constants are used where they lie.
 *
 *   cc -O2 -ffp-contract=off -fPIC -shared -I../../../kernels/plugin -o libzeroth_plain.so *.c -lm
 */
#include "plain.h"

#include <stdlib.h>

typedef struct {
  const zeroth_host *host;
  uint32_t slot_count;
  void **slots;
  uint64_t *bytes;
} session;

typedef struct {
  session *session;
  uint32_t value_count, output_count;
  void **temps;      /* by value; NULL for what is not made here */
  uint64_t *bytes;   /* of temps */
  uint32_t *outputs; /* values */
  const void **constants;
  double *scratch;
} executable;

static const plain_op ops[] = {
    {ZEROTH_OP_GATHER, run_gather, NULL},
    {ZEROTH_OP_RMS_NORMALIZATION, run_rms_normalization, NULL},
    {ZEROTH_OP_LINEAR, run_linear, NULL},
    {ZEROTH_OP_LINEAR_LORA, run_linear_lora, needs_linear_lora},
    {ZEROTH_OP_ROTARY_EMBEDDING, run_rotary_embedding, NULL},
    {ZEROTH_OP_ATTENTION, run_attention, needs_attention},
    {ZEROTH_OP_SWIGLU, run_swiglu, NULL},
    {ZEROTH_OP_ADD, run_add, NULL},
    {ZEROTH_OP_CROSS_ENTROPY_HEAD, run_cross_entropy_head, needs_cross_entropy_head},
    {ZEROTH_OP_WEIGHTED_SUM, run_weighted_sum, NULL},
    {ZEROTH_OP_CHOICE_LOSS, run_choice_loss, needs_choice_loss},
    {ZEROTH_OP_UPDATE_LORA, run_update_lora, needs_update_lora},
};

const plain_op *find_op(uint32_t op) {
  size_t i;
  for (i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    if (ops[i].op == op) {
      return &ops[i];
    }
  }
  return NULL;
}

/* The state of the plug-in is the host's struct, for its table of quantiles. */
static int32_t open_plugin(const zeroth_host *host, void **state, zeroth_error *error) {
  if (host->option_count > 0) {
    return zeroth_fail(error, ZEROTH_UNSUPPORTED, "there are no options");
  }
  *state = (void *)host;
  return ZEROTH_OK;
}

static int32_t query(void *state, const zeroth_node *node, zeroth_error *error) {
  uint32_t i;
  (void)state;
  if (find_op(node->op) == NULL || node->op_version != 1 || node->in_count > MAX_INPUTS) {
    return zeroth_fail(error, ZEROTH_UNSUPPORTED, "not an op of Llama");
  }
  for (i = 0; i < node->in_count; i++) {
    if (node->in[i]->dtype != ZEROTH_F32 && node->in[i]->dtype != ZEROTH_I32 && node->in[i]->dtype != ZEROTH_U32) {
      return zeroth_fail(error, ZEROTH_UNSUPPORTED, "weights must be f32");
    }
  }
  return ZEROTH_OK;
}

static void session_close(void *handle) {
  session *s = handle;
  uint32_t i;
  for (i = 0; s->slots != NULL && i < s->slot_count; i++) {
    free(s->slots[i]);
  }
  free(s->slots);
  free(s->bytes);
  free(s);
}

/* calloc that gives memory for nothing too, so that NULL means that there is none. */
static void *zeros(uint64_t count, size_t size) { return calloc(count > 0 ? (size_t)count : 1, size); }

static int32_t session_open(void *state, const zeroth_session_info *info, void **handle, zeroth_error *error) {
  session *s = zeros(1, sizeof *s);
  uint32_t i;
  if (s == NULL) {
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory for a session");
  }
  s->host = state;
  s->slot_count = info->slot_count;
  s->slots = zeros(info->slot_count, sizeof *s->slots);
  s->bytes = zeros(info->slot_count, sizeof *s->bytes);
  for (i = 0; s->slots != NULL && s->bytes != NULL && i < info->slot_count; i++) {
    s->bytes[i] = info->slots[i]->bytes;
    s->slots[i] = zeros(s->bytes[i], 1);
    if (s->slots[i] == NULL) {
      break;
    }
  }
  if (s->slots == NULL || s->bytes == NULL || i < info->slot_count) {
    session_close(s);
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory for the slots");
  }
  *handle = s;
  return ZEROTH_OK;
}

static int32_t slot_write(void *handle, uint32_t slot, const void *data, uint64_t bytes, zeroth_error *error) {
  session *s = handle;
  if (slot >= s->slot_count || bytes != s->bytes[slot]) {
    return zeroth_fail(error, ZEROTH_FAILED, "not the size of that slot");
  }
  if (bytes > 0) {
    memcpy(s->slots[slot], data, (size_t)bytes);
  }
  return ZEROTH_OK;
}

static int32_t slot_read(void *handle, uint32_t slot, void *data, uint64_t bytes, zeroth_error *error) {
  session *s = handle;
  if (slot >= s->slot_count || bytes != s->bytes[slot]) {
    return zeroth_fail(error, ZEROTH_FAILED, "not the size of that slot");
  }
  if (bytes > 0) {
    memcpy(data, s->slots[slot], (size_t)bytes);
  }
  return ZEROTH_OK;
}

static void executable_destroy(void *handle) {
  executable *e = handle;
  uint32_t i;
  for (i = 0; e->temps != NULL && i < e->value_count; i++) {
    free(e->temps[i]);
  }
  free(e->temps);
  free(e->bytes);
  free(e->outputs);
  free(e->constants);
  free(e->scratch);
  free(e);
}

/* Makes room for what the partition computes and for the largest scratch of a node. */
static int allocate(executable *e, const zeroth_partition *p) {
  int64_t most = 1;
  uint32_t i;
  e->temps = zeros(p->value_count, sizeof *e->temps);
  e->bytes = zeros(p->value_count, sizeof *e->bytes);
  e->outputs = zeros(p->output_count, sizeof *e->outputs);
  e->constants = zeros(p->value_count, sizeof *e->constants);
  if (e->temps == NULL || e->bytes == NULL || e->outputs == NULL || e->constants == NULL) {
    return 0;
  }
  for (i = 0; i < p->value_count; i++) {
    e->constants[i] = p->values[i]->tensor->data;
    if (p->values[i]->kind == ZEROTH_VALUE_TEMP) {
      e->bytes[i] = p->values[i]->tensor->bytes;
      e->temps[i] = zeros(e->bytes[i], 1);
      if (e->temps[i] == NULL) {
        return 0;
      }
    }
  }
  if (p->output_count > 0) {
    memcpy(e->outputs, p->outputs, p->output_count * sizeof *e->outputs);
  }
  for (i = 0; i < p->node_count; i++) {
    const plain_op *op = find_op(p->nodes[i]->op);
    int64_t needs = op->needs == NULL ? 0 : op->needs(p->nodes[i]);
    most = needs > most ? needs : most;
  }
  e->scratch = zeros((uint64_t)most, sizeof(double));
  return e->scratch != NULL;
}

static int32_t compile(void *handle, const zeroth_partition *p, void **out, zeroth_error *error) {
  executable *e;
  uint32_t i;
  for (i = 0; i < p->node_count; i++) {
    if (query(NULL, p->nodes[i], error) != ZEROTH_OK) {
      return ZEROTH_UNSUPPORTED;
    }
  }
  e = zeros(1, sizeof *e);
  if (e == NULL) {
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory for a partition");
  }
  e->session = handle;
  e->value_count = p->value_count;
  e->output_count = p->output_count;
  if (!allocate(e, p)) {
    executable_destroy(e);
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory for a partition's values");
  }
  *out = e;
  return ZEROTH_OK;
}

/* Where value v lies: with the host, in a slot or in a buffer of the partition. */
static void *locate(const executable *e, const zeroth_partition *p, uint32_t v) {
  const zeroth_value *value = p->values[v];
  switch (value->kind) {
  case ZEROTH_VALUE_INPUT:
    return value->tensor->data;
  case ZEROTH_VALUE_CONST:
    return (void *)e->constants[v];
  case ZEROTH_VALUE_SLOT:
    return e->session->slots[value->ref];
  default:
    return e->temps[v];
  }
}

static int32_t run(void *handle, const zeroth_partition *p, zeroth_error *error) {
  executable *e = handle;
  uint32_t i, j;
  (void)error;
  for (i = 0; i < p->node_count; i++) {
    const zeroth_node *node = p->nodes[i];
    run_args a = {.host = e->session->host, .node = node, .scratch = e->scratch};
    for (j = 0; j < node->in_count; j++) {
      a.in[j] = locate(e, p, node->in_values[j]);
    }
    if (node->out_count > 0) {
      a.out = locate(e, p, node->out_values[0]);
    }
    find_op(node->op)->run(&a);
  }
  return ZEROTH_OK;
}

static int32_t fetch(void *handle, uint32_t output, void *data, uint64_t bytes, zeroth_error *error) {
  executable *e = handle;
  if (output >= e->output_count || bytes > e->bytes[e->outputs[output]]) {
    return zeroth_fail(error, ZEROTH_FAILED, "no such output, or not its size");
  }
  if (bytes > 0) {
    memcpy(data, e->temps[e->outputs[output]], (size_t)bytes);
  }
  return ZEROTH_OK;
}

uint32_t zeroth_backend_score(void) { return 1; }

const zeroth_table zeroth_backend_table = {
    .size = sizeof(zeroth_table),
    .abi_version = ZEROTH_ABI_VERSION,
    .name = "plain",
    .version = "1",
    .about = "a delegate in plain C for f32 Llama, made to be read",
    .delegate_flags = ZEROTH_CONCURRENT,
    .open = open_plugin,
    .node_query = query,
    .session_open = session_open,
    .partition_compile = compile,
    .slot_write = slot_write,
    .slot_read = slot_read,
    .executable_run = run,
    .executable_fetch = fetch,
    .executable_destroy = executable_destroy,
    .session_close = session_close,
};
