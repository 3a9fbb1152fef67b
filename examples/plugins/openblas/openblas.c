/* A plug-in with one kernel: Linear on f32 by OpenBLAS's cblas_sgemm.
 *
 *   cc -O2 -fPIC -shared -I../../../kernels/plugin -o libzeroth_openblas.so openblas.c -lopenblas
 *   zeroth plugin check ./libzeroth_openblas.so
 *   zeroth train m.zpt … --plugin ./libzeroth_openblas.so,threads=4
 *
 * Option threads: how many OpenBLAS uses, 1 to 256, else 1. */
#include "zeroth_backend.h"

#include <cblas.h>
#include <limits.h>
#include <stdlib.h>

extern void openblas_set_num_threads(int threads);

/* What a bound kernel keeps. */
typedef struct {
  float *rows; /* W [M, K] row-major where it was a constant in panels, else NULL */
} linear;

/* ZEROTH_OK from beginning to end of "12", with the number; no libc function does that
 * and refuses everything else. */
static int32_t parse_threads(const char *text, int *threads) {
  int n = 0;
  const char *c;
  for (c = text; *c >= '0' && *c <= '9' && n <= 256; c++) {
    n = n * 10 + (*c - '0');
  }
  *threads = n;
  return *c != 0 || n < 1 || n > 256 ? ZEROTH_UNSUPPORTED : ZEROTH_OK;
}

static int32_t open_plugin(const zeroth_host *host, void **state, zeroth_error *error) {
  int threads = 1;
  uint32_t i;
  (void)state;
  for (i = 0; i < host->option_count; i++) {
    if (strcmp(host->option_keys[i], "threads") != 0) {
      return zeroth_fail(error, ZEROTH_UNSUPPORTED, "the only option is threads");
    }
    if (parse_threads(host->option_values[i], &threads) != ZEROTH_OK) {
      return zeroth_fail(error, ZEROTH_UNSUPPORTED, "threads must be 1 to 256");
    }
  }
  openblas_set_num_threads(threads);
  return ZEROTH_OK;
}

static int converted_at_run(const zeroth_tensor *w) {
  return w->layout == ZEROTH_PANELS16 && !(w->flags & ZEROTH_TENSOR_CONSTANT);
}

static int32_t query(void *state, const zeroth_node *node, zeroth_kernel_info *info, zeroth_error *error) {
  const zeroth_tensor *w;
  (void)state;
  if (node->op != ZEROTH_OP_LINEAR || node->in[1]->dtype != ZEROTH_F32) {
    return zeroth_fail(error, ZEROTH_UNSUPPORTED, "only Linear with f32 weights");
  }
  w = node->in[1];
  if (w->extent[0] > INT_MAX || w->extent[1] > INT_MAX) {
    return zeroth_fail(error, ZEROTH_UNSUPPORTED, "more rows or columns than cblas_sgemm takes");
  }
  if (converted_at_run(w)) {
    info->scratch_bytes = (uint64_t)w->extent[0] * (uint64_t)w->extent[1] * sizeof(float);
  }
  return ZEROTH_OK;
}

/* rows [M, K] = panels of W: each is the row-major matrix [K, 16] of its transpose. */
static void unpack(float *rows, const float *panels, int64_t M, int64_t K) {
  int64_t m, k;
  for (m = 0; m < M; m++) {
    const float *from = panels + zeroth_panel_index(m, 0, K);
    for (k = 0; k < K; k++) {
      rows[m * K + k] = from[k * 16];
    }
  }
}

static int32_t bind(void *state, const zeroth_node *node, void **kernel, zeroth_error *error) {
  const zeroth_tensor *w = node->in[1];
  int64_t M = w->extent[0], K = w->extent[1];
  linear *l = calloc(1, sizeof *l);
  (void)state;
  if (l == NULL) {
    return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory for a kernel");
  }
  if (w->layout == ZEROTH_PANELS16 && !converted_at_run(w) && M > 0 && K > 0) {
    l->rows = malloc((size_t)M * (size_t)K * sizeof(float));
    if (l->rows == NULL) {
      free(l);
      return zeroth_fail(error, ZEROTH_NO_MEMORY, "no memory for a row-major copy of W");
    }
    unpack(l->rows, w->data, M, K);
  }
  *kernel = l;
  return ZEROTH_OK;
}

/* y [w·N, M] = x [w·N, K] · W [M, K] transposed + bias. */
static int32_t run(void *kernel, const zeroth_call *call, zeroth_error *error) {
  const linear *l = kernel;
  const zeroth_node *node = call->node;
  const zeroth_tensor *x = node->in[0], *w = node->in[1];
  const float *rows = l->rows, *bias = node->in_count > 2 ? node->in[2]->data : NULL;
  float *y = node->out[0]->data;
  int64_t N = (int64_t)x->copies * x->extent[0], M = w->extent[0], K = w->extent[1], n, m;
  if (N == 0 || M == 0) {
    return ZEROTH_OK;
  }
  if (N > INT_MAX) {
    return zeroth_fail(error, ZEROTH_FAILED, "more rows of x than cblas_sgemm takes");
  }
  if (K == 0) {
    memset(y, 0, (size_t)N * (size_t)M * sizeof(float));
  } else {
    if (w->layout == ZEROTH_ROWS) {
      rows = w->data;
    } else if (rows == NULL) {
      unpack(call->scratch, w->data, M, K);
      rows = call->scratch;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)N, (int)M, (int)K, 1, x->data, (int)K, rows, (int)K, 0, y, (int)M);
  }
  for (n = 0; bias != NULL && n < N; n++) {
    for (m = 0; m < M; m++) {
      y[n * M + m] += bias[m];
    }
  }
  return ZEROTH_OK;
}

static void unbind(void *kernel) {
  linear *l = kernel;
  free(l->rows);
  free(l);
}

uint32_t zeroth_backend_score(void) { return 100; }

/* Not concurrent: OpenBLAS has one set of threads. */
const zeroth_table zeroth_backend_table = {
    .size = sizeof(zeroth_table),
    .abi_version = ZEROTH_ABI_VERSION,
    .name = "openblas",
    .version = "1",
    .about = "Linear on f32 by OpenBLAS's cblas_sgemm",
    .open = open_plugin,
    .kernel_query = query,
    .kernel_bind = bind,
    .kernel_run = run,
    .kernel_unbind = unbind,
};
