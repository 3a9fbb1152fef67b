/* zeroth_backend.h: how a shared library computes for Zeroth.
 *
 * A plug-in exports two symbols:
 *
 *   zeroth_backend_score   how well it suits this machine; 0: not at all
 *   zeroth_backend_table   its functions
 *
 * and offers one or both of two levels:
 *
 *   kernels    single ops on the host's memory (kernel_query, _bind, _run, _unbind)
 *   delegates  whole partitions of a method, with tensors in memory of its own
 *              (node_query, session_…, partition_compile, executable_…)
 *
 * A level that is not offered has NULL for all of its functions. docs/PLUGINS.md
 * is the guide, examples/plugins/ has one of each, and
 * "zeroth plugin check ./libx.so" says what is missing.
 *
 * Versions. The host reads size and abi_version of the table before it calls
 * anything, and refuses a version that it does not know. Within a version structs
 * only grow at their end: every one begins with its size in bytes, set by whoever
 * fills it in, and a reader leaves alone what lies beyond the size that it knows.
 * Reserved fields are zero. Nothing is passed by value but 32-bit and 64-bit
 * integers and pointers.
 *
 * Ownership. What the host passes (structs, arrays, strings, tensors' data)
 * belongs to the host and is good until the function returns, unless its comment
 * says otherwise. What the plug-in makes (a state, kernel, session, executable)
 * belongs to the plug-in; the host holds the pointer and hands it back once to the
 * function that frees it. Nobody frees what the other has allocated. The library
 * is never unloaded, and its table stays as it is.
 *
 * Threads. The host calls from any of its threads, one call at a time for each
 * kernel and for each session with its executables. Calls for different ones may
 * come at the same time if the level's concurrency flag is set; without it the host
 * makes one call at a time into the library. *_unbind, executable_destroy and
 * session_close may come on any thread too.
 *
 * Failures. Functions return a ZEROTH_ status, and say why in the error that they
 * are given. No C++ exception, longjmp or signal may leave the library.
 *
 * Memory. Storage begins at a multiple of ZEROTH_ALIGNMENT bytes. Outputs and
 * scratch hold anything (in tests a poison that is looked for afterwards) and each
 * element of an output must be written. Inputs must be left as they are, but for
 * those marked ZEROTH_TENSOR_MUTABLE. Nothing may be read or written beyond the
 * elements that the extents of the moment give; what lies behind them in the
 * storage is undefined. Extents may be 0.
 */
#ifndef ZEROTH_BACKEND_H
#define ZEROTH_BACKEND_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZEROTH_ABI_VERSION 1u
#define ZEROTH_ALIGNMENT 64u
#define ZEROTH_MAX_SCORE 1000u

#if defined(_WIN32)
#define ZEROTH_EXPORT __declspec(dllexport)
#else
#define ZEROTH_EXPORT __attribute__((visibility("default")))
#endif

/* Status. Any other value counts as ZEROTH_FATAL. */
enum {
  ZEROTH_OK = 0,
  /* Not taken: an op, a type, an attribute, a size. The host does without. */
  ZEROTH_UNSUPPORTED = 1,
  /* It went wrong, but all mutable inputs, slots and inputs that an output lies
   * over are as they were: the host may compute the node itself. */
  ZEROTH_FAILED = 2,
  /* As ZEROTH_FAILED, for want of memory. */
  ZEROTH_NO_MEMORY = 3,
  /* What the state is now is unknown: a device is lost. The run ends. */
  ZEROTH_FATAL = 4
};

/* Where a function says why it fails. message has room for capacity bytes, a zero
 * among them, and is empty when the function is called. UTF-8, one line. */
typedef struct zeroth_error {
  uint32_t size;
  uint32_t capacity;
  char *message;
} zeroth_error;

/* Levels of zeroth_host.log. */
enum { ZEROTH_LOG_INFO = 0, ZEROTH_LOG_WARNING = 1, ZEROTH_LOG_ERROR = 2 };

/* The host, for as long as the process lasts: a plug-in may keep the pointer. */
typedef struct zeroth_host {
  uint32_t size;
  uint32_t abi_version;
  const char *name; /* "zeroth" */
  /* Takes a line of length bytes, which it copies. To be called only during a call
   * from the host, on that call's thread. host is this struct. */
  void (*log)(const struct zeroth_host *host, uint32_t level, const char *message, uint64_t length);
  /* The user's options, "--plugin libx.so,key=value,…", in their order. Refuse in
   * open what is not known. */
  const char *const *option_keys;
  const char *const *option_values;
  uint32_t option_count;
  /* The table behind ZEROTH_GAUSSIAN, see zeroth_gaussian below: 993 values. */
  uint32_t quantile_count;
  const int32_t *quantiles;
  uint64_t reserved[4];
} zeroth_host;

/* Element types. All but the first three are for weight matrices in panels. */
enum {
  ZEROTH_F32 = 1,  /* IEEE 754 binary32 */
  ZEROTH_I32 = 2,  /* token ids, positions, offsets, labels */
  ZEROTH_U32 = 3,  /* seeds */
  ZEROTH_BF16 = 4, /* the upper half of a binary32 */
  ZEROTH_I8 = 5,   /* -127 … 127, times an f32 of its row */
  ZEROTH_Q4 = 6,   /* (code - 8), code 0 … 15, times an f16 of its row and 32 columns */
  ZEROTH_NF4 = 7   /* one of 16 levels, times a scale of its row and 64 columns */
};

/* Layouts.
 *
 * ZEROTH_ROWS is row-major: [copies, extent 0, extent 1]. A copy follows the other
 * without a gap at the extents of the moment.
 *
 * ZEROTH_PANELS16 holds a weight matrix W [M, K] as ceil(M/16) panels of 16 rows.
 * A panel is a sequence of 32-bit words, K-major:
 *
 *   word g of row m:  32-bit word ((m/16) * words + g) * 16 + m%16
 *
 * A word holds consecutive columns in ascending bytes: 1 of f32, 2 of bf16, 4 of i8
 * or 8 4-bit codes, of which byte b has column b in its low half and column 4 + b
 * in its high half. words is K rounded up to whole words (and to 32 columns for q4,
 * 64 for nf4) over the columns of a word. So an f32 panel is the row-major matrix
 * [K, 16] of W's transpose. Rows past M and columns past K are zero bits.
 *
 * Behind the words of all panels lie the scales:
 *
 *   i8   f32 [M16]:                              W = code * scale[m]
 *   q4   f16 [M/16, K/32, 16]:                   W = (code - 8) * scale[m/16, k/32, m%16]
 *   nf4  u8 [M/16, K/64, 16], then f32 [M16]:    W = level[code]/127 * u8/255 * f32[m]
 *
 * M16 is M rounded up to 16, and the quotients are rounded up. level is -127, -88, -67,
 * -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127. docs/FORMAT.md has it all. */
enum { ZEROTH_ROWS = 0, ZEROTH_PANELS16 = 1 };

/* Flags of a tensor. */
enum {
  ZEROTH_TENSOR_WIDE = 1,    /* has a copy for each of P perturbations */
  ZEROTH_TENSOR_MUTABLE = 2, /* an input that the op updates in place */
  /* Has its values when a kernel is bound or a partition compiled, and keeps them:
   * it may be converted there, once. */
  ZEROTH_TENSOR_CONSTANT = 4
};

/* A tensor: its type, and in calls its extents and storage. */
typedef struct zeroth_tensor {
  uint32_t size;
  uint32_t dtype;
  uint32_t layout;
  uint32_t flags;
  uint32_t rank;       /* 0, 1 or 2; the copies are not counted */
  uint32_t copies;     /* 1, or P for a wide tensor. A query has 0 for P */
  uint32_t varies;     /* bit d: extent d differs from run to run, as P always may */
  uint32_t reserved0;
  /* Queries have -1 for an extent that varies, bind and compile the largest that
   * it will be, runs what it is. Unused ones are 1. */
  int64_t extent[2];
  uint64_t bytes;      /* size of the storage, made for the largest extents; 0 in queries */
  /* NULL where the comment of the function says that there is none; it may be where
   * the storage has no bytes. */
  void *data;
  uint64_t reserved[2];
} zeroth_tensor;

/* Kinds of attributes. */
enum { ZEROTH_INT = 1, ZEROTH_FLOAT = 2 };

typedef struct zeroth_attr {
  uint32_t size;
  uint32_t kind;
  const char *key;
  uint64_t value; /* an int64_t, or the bits of a binary64: see zeroth_int, zeroth_float */
} zeroth_attr;

/* The ops, by the numbers that program files have; w is 1 or P. runtime/op/table.go
 * defines them in full, kernels/ref computes them. A [bias] may be left out.
 *
 *   op                  inputs -> outputs                                  attributes
 *   Gather              data [w D C], indices [I] -> [w I C]
 *   RMSNormalization    x [w N C], scale [C or head] -> [w N C]            epsilon
 *   Linear              x [w N K], W [M K], [bias [M]] -> [w N M]
 *   LinearLoRA          x [w N K], W [M K], A [r K], B [M r], seed u32[2],
 *                       first i32[1], eps f32[1], [bias [M]] -> [P N M]    site scale sampler
 *   RotaryEmbedding     x [w N H*D], positions [N], cos, sin [S D/2]
 *                       -> [w N H*D]                                       num_heads interleaved
 *   Attention           q [w N H*D], k, v [w N HKV*D], offsets [S+1]
 *                       -> [w N H*D]                                       num_heads kv_num_heads scale causal
 *   SwiGLU              gate, up [w N C] -> [w N C]
 *   Add                 a, b [w N C] -> [w N C]
 *   CrossEntropyHead    x [w R C], W [V C], labels [R], [bias [V]] -> [w R]
 *   WeightedSum         x [w R], weights [R] -> [w]
 *   ChoiceLoss          nll [w R], rows [K+1], choices [G+1], gold [G] -> [w]   mean
 *   UpdateLoRA          B [M r] mutable, seed u32[2], g [Q], lr f32[1] ->  site sampler
 *   LayerNormalization  x [w N C], scale, bias [C] -> [w N C]              epsilon
 *   Gelu                x [w N C] -> [w N C]                               approximate
 *   Relu                x [w N C] -> [w N C]
 *   Slice               x [w N C] -> [w N size]                            start size
 *   Perturb             W, seed u32[2], first i32[1], eps f32[1] -> as W   site sampler
 *
 * What an op's result changes by, to first order, with tangents of its inputs: all
 * else is of width 1. The bits of given say which tangents there are.
 *
 *   LoRATangent         x [P N M], h [N r], seed u32[2] -> [P N M]         site sampler
 *   RMSNormalizationTangent
 *                       dx [P N C], x [N C], scale [C or head] -> [P N C]  epsilon
 *   LayerNormalizationTangent
 *                       dx [P N C], x [N C], scale [C] -> [P N C]          epsilon
 *   GeluTangent         dx [P N C], x [N C] -> [P N C]                     approximate
 *   ReluTangent         dx [P N C], x [N C] -> [P N C]
 *   SwiGLUTangent       d [P N C], gate, up [N C], [e [P N C]] -> [P N C]  given
 *   AttentionTangent    q [N H*D], k, v [N HKV*D], offsets [S+1], one to
 *                       three of dq, dk, dv -> [P N H*D]                   as Attention, given
 *   CrossEntropyHeadTangent
 *                       x [R C], W [V C], labels [R], dx [P R C],
 *                       [bias [V]] -> [P R]
 *   ChoiceLossTangent   nll [R], rows [K+1], choices [G+1], gold [G],
 *                       dnll [P R] -> [P]                                  mean
 *
 * Values of index inputs (indices, positions, offsets, labels, rows, choices, gold)
 * have been checked: they lead out of nothing. Output 0 may lie over input 0, in
 * the same storage, for RMSNormalization, RotaryEmbedding, SwiGLU, Add,
 * LayerNormalization, Gelu, Relu and the tangents but those of attention and losses,
 * where both have the same type. */
enum {
  ZEROTH_OP_GATHER = 1,
  ZEROTH_OP_RMS_NORMALIZATION = 2,
  ZEROTH_OP_LINEAR = 3,
  ZEROTH_OP_LINEAR_LORA = 4,
  ZEROTH_OP_ROTARY_EMBEDDING = 5,
  ZEROTH_OP_ATTENTION = 6,
  ZEROTH_OP_SWIGLU = 7,
  ZEROTH_OP_ADD = 8,
  ZEROTH_OP_CROSS_ENTROPY_HEAD = 9,
  ZEROTH_OP_WEIGHTED_SUM = 10,
  ZEROTH_OP_CHOICE_LOSS = 11,
  ZEROTH_OP_UPDATE_LORA = 12,
  ZEROTH_OP_LAYER_NORMALIZATION = 13,
  ZEROTH_OP_GELU = 14,
  ZEROTH_OP_RELU = 15,
  ZEROTH_OP_SLICE = 16,
  ZEROTH_OP_PERTURB = 17,
  ZEROTH_OP_LORA_TANGENT = 18,
  ZEROTH_OP_RMS_NORMALIZATION_TANGENT = 19,
  ZEROTH_OP_LAYER_NORMALIZATION_TANGENT = 20,
  ZEROTH_OP_GELU_TANGENT = 21,
  ZEROTH_OP_RELU_TANGENT = 22,
  ZEROTH_OP_SWIGLU_TANGENT = 23,
  ZEROTH_OP_ATTENTION_TANGENT = 24,
  ZEROTH_OP_CROSS_ENTROPY_HEAD_TANGENT = 25,
  ZEROTH_OP_CHOICE_LOSS_TANGENT = 26
};

/* A node. An input that is left out is not counted, and only the last can be. */
typedef struct zeroth_node {
  uint32_t size;
  uint32_t op;
  uint32_t op_version; /* 1 so far */
  uint32_t attr_count;
  const char *op_name;
  const char *name; /* of the node; "" for a kernel's */
  const zeroth_attr *const *attrs;
  uint32_t in_count;
  uint32_t out_count;
  const zeroth_tensor *const *in;
  const zeroth_tensor *const *out;
  /* In a partition, which of its values these are; NULL otherwise. */
  const uint32_t *in_values;
  const uint32_t *out_values;
  uint64_t reserved[2];
} zeroth_node;

/* Level 1: kernels. */

/* Flags of a level: kernel_flags and delegate_flags of the table. */
enum { ZEROTH_CONCURRENT = 1 };

/* One run of a bound kernel. */
typedef struct zeroth_call {
  uint32_t size;
  uint32_t threads; /* that the host uses itself: a hint */
  const zeroth_node *node;
  void *scratch; /* as many bytes as kernel_query asked for; NULL where none */
  uint64_t scratch_bytes;
  uint64_t reserved[2];
} zeroth_call;

/* What kernel_query says of a node that it takes; zero but for size before. */
typedef struct zeroth_kernel_info {
  uint32_t size;
  uint32_t reserved0;
  uint64_t scratch_bytes; /* wanted for runs; looked at where all extents are known */
  uint64_t reserved[2];
} zeroth_kernel_info;

/* Level 2: delegates. */

/* Kinds of a partition's values. */
enum {
  ZEROTH_VALUE_INPUT = 1, /* from the host, read at each run */
  ZEROTH_VALUE_CONST = 2, /* a constant: has its data when it is compiled */
  ZEROTH_VALUE_SLOT = 3,  /* one of the session's slots, kept by the delegate */
  ZEROTH_VALUE_TEMP = 4   /* made by a node of the partition */
};

typedef struct zeroth_value {
  uint32_t size;
  uint32_t kind;
  /* Of a slot, its number. Of a constant, what tells it from others: equal ones are
   * the same tensor in all partitions of a session. */
  uint32_t ref;
  uint32_t reserved0;
  const char *name;
  const zeroth_tensor *tensor;
  uint64_t reserved[2];
} zeroth_value;

/* A part of a method: nodes in an order in which they can be run. The order of
 * values, inputs and outputs is the same in each call for a partition. */
typedef struct zeroth_partition {
  uint32_t size;
  uint32_t mutates; /* 1 if a node updates a slot */
  const char *method;
  uint32_t node_count;
  uint32_t value_count;
  uint32_t input_count;
  uint32_t output_count;
  const zeroth_node *const *nodes;
  const zeroth_value *const *values;
  const uint32_t *inputs;  /* values that the host gives at each run */
  const uint32_t *outputs; /* values that executable_fetch can be asked for */
  uint64_t reserved[2];
} zeroth_partition;

/* What a session is made for. */
typedef struct zeroth_session_info {
  uint32_t size;
  uint32_t copies; /* P */
  uint32_t slot_count;
  uint32_t threads;
  const zeroth_tensor *const *slots; /* their types; data is NULL. Slots begin as zeros */
  uint64_t reserved[4];
} zeroth_session_info;

/* The table of functions. Every int32_t is a status. */
typedef struct zeroth_table {
  uint32_t size;
  uint32_t abi_version; /* ZEROTH_ABI_VERSION */
  const char *name;     /* what --backend plugin:NAME calls it: a-z 0-9 _ -, at most 32 */
  const char *version;  /* the plug-in's own; at most 64 bytes */
  const char *about;    /* one line: what it is and uses; at most 200 bytes */
  uint32_t kernel_flags;
  uint32_t delegate_flags;

  /* Called once, before all others. *state is handed to the functions that take one;
   * it may stay NULL. A plug-in that cannot work here says so by the score, or fails
   * here with the reason. There is no close: the process's end is. */
  int32_t (*open)(const zeroth_host *host, void **state, zeroth_error *error);

  /* Kernels. */

  /* Whether the plug-in computes the node: ZEROTH_OK or ZEROTH_UNSUPPORTED. It is asked
   * first with extents that vary unknown, and what it takes then it takes at any
   * extents; again with them before bind, for info. No tensor has data. */
  int32_t (*kernel_query)(void *state, const zeroth_node *node, zeroth_kernel_info *info, zeroth_error *error);
  /* Makes a kernel for a node. Constants have data, good until this returns: the same
   * values come with each run, so converting them is a matter of speed. Other tensors
   * have none. */
  int32_t (*kernel_bind)(void *state, const zeroth_node *node, void **kernel, zeroth_error *error);
  /* Computes. All tensors have data. It should allocate nothing. */
  int32_t (*kernel_run)(void *kernel, const zeroth_call *call, zeroth_error *error);
  void (*kernel_unbind)(void *kernel);

  /* Delegates. */

  /* Whether the delegate takes the node as a part of partitions: ZEROTH_OK or
   * ZEROTH_UNSUPPORTED. Extents are the largest. No tensor has data. */
  int32_t (*node_query)(void *state, const zeroth_node *node, zeroth_error *error);
  int32_t (*session_open)(void *state, const zeroth_session_info *info, void **session, zeroth_error *error);
  /* Makes a partition ready. Constants have data, which stay in place and as they are
   * until the session is closed: they may be used there. Other values have none.
   * ZEROTH_UNSUPPORTED and ZEROTH_NO_MEMORY leave the partition to the CPU. */
  int32_t (*partition_compile)(void *session, const zeroth_partition *partition, void **executable, zeroth_error *error);
  /* Copies all of a slot: bytes is the size of its tensor. */
  int32_t (*slot_write)(void *session, uint32_t slot, const void *data, uint64_t bytes, zeroth_error *error);
  int32_t (*slot_read)(void *session, uint32_t slot, void *data, uint64_t bytes, zeroth_error *error);
  /* Reads the inputs and computes at the extents that the tensors have now. Only
   * inputs have data. Results stay with the executable until its next run. */
  int32_t (*executable_run)(void *executable, const zeroth_partition *partition, zeroth_error *error);
  /* Copies outputs[output] of the last run: bytes is its size at that run's extents. */
  int32_t (*executable_fetch)(void *executable, uint32_t output, void *data, uint64_t bytes, zeroth_error *error);
  /* All executables of a session are destroyed before it is closed. */
  void (*executable_destroy)(void *executable);
  void (*session_close)(void *session);

  void *reserved[8];
} zeroth_table;

/* What a plug-in defines. The score is 0 where it cannot be used on this machine, else
 * 1 to ZEROTH_MAX_SCORE; of two plug-ins that take a node the higher one gets it. It is
 * called once, before open. */
ZEROTH_EXPORT uint32_t zeroth_backend_score(void);
extern ZEROTH_EXPORT const zeroth_table zeroth_backend_table;

/* Helpers. A plug-in may do without. */

/* Sets the error's message and returns the status: return zeroth_fail(…). */
static inline int32_t zeroth_fail(zeroth_error *error, int32_t status, const char *message) {
  size_t n = strlen(message);
  if (error != NULL && error->capacity > 0) {
    if (n > error->capacity - 1) {
      n = error->capacity - 1;
    }
    memcpy(error->message, message, n);
    error->message[n] = 0;
  }
  return status;
}

static inline const zeroth_attr *zeroth_find_attr(const zeroth_node *node, const char *key) {
  uint32_t i;
  for (i = 0; i < node->attr_count; i++) {
    if (strcmp(node->attrs[i]->key, key) == 0) {
      return node->attrs[i];
    }
  }
  return NULL;
}

/* An integer attribute, or 0 where the node has none of that name. */
static inline int64_t zeroth_int(const zeroth_node *node, const char *key) {
  const zeroth_attr *a = zeroth_find_attr(node, key);
  return a != NULL && a->kind == ZEROTH_INT ? (int64_t)a->value : 0;
}

/* A float attribute, or 0 where the node has none of that name. */
static inline double zeroth_float(const zeroth_node *node, const char *key) {
  const zeroth_attr *a = zeroth_find_attr(node, key);
  double v = 0;
  if (a != NULL && a->kind == ZEROTH_FLOAT) {
    memcpy(&v, &a->value, sizeof v);
  }
  return v;
}

/* Elements of one copy at the extents of the moment. */
static inline int64_t zeroth_elements(const zeroth_tensor *t) {
  return t->rank == 0 ? 1 : t->rank == 1 ? t->extent[0] : t->extent[0] * t->extent[1];
}

/* Index of element (m, k) of an f32 matrix W [M, K] in panels. */
static inline int64_t zeroth_panel_index(int64_t m, int64_t k, int64_t K) {
  return (m / 16 * K + k) * 16 + m % 16;
}

/* z: the perturbations of LinearLoRA, UpdateLoRA and Perturb (attribute sampler).
 * z(seed, site, query, k) is a pure function, the same bits everywhere. */
enum { ZEROTH_GAUSSIAN = 1, ZEROTH_RADEMACHER = 2 };

/* The four words of a block under a key: ten rounds of Philox4x32. */
static inline void zeroth_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  int i;
  for (i = 0; i < 10; i++) {
    uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)b;
    c3 = (uint32_t)a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* A standard normal deviate from a random word, by the host's table: bit 31 is the
 * sign, the others with the lowest one set are u, the chance of a larger |z| times
 * 2^31; 32 cells to an octave of u, a fraction of 14 bits, all in integers. */
static inline float zeroth_gaussian(const zeroth_host *host, uint32_t word) {
  uint32_t u = (word & 0x7fffffffu) | 1u, mantissa;
  int octave = 30, cell;
  int32_t z, fraction;
  while ((u >> octave) == 0) {
    octave--;
  }
  mantissa = u << (30 - octave);
  cell = octave * 32 + (int)((mantissa >> 25) & 31u);
  fraction = (int32_t)((mantissa >> 11) & 0x3fffu);
  z = host->quantiles[cell];
  /* The difference is not positive: round its product towards minus infinity. */
  z -= (int32_t)(((uint32_t)(z - host->quantiles[cell + 1]) * (uint32_t)fraction + 0x3fffu) >> 14);
  return (float)((word >> 31) != 0 ? -z : z) * (1.0f / (1 << 21));
}

/* Writes z(seed, site, query, first + i) for i < count. */
static inline void zeroth_draw(const zeroth_host *host, uint32_t sampler, const uint32_t seed[2], uint32_t site,
                               uint32_t query, uint32_t first, float *z, uint64_t count) {
  uint32_t per = sampler == ZEROTH_RADEMACHER ? 128 : 4; /* elements of a block */
  uint32_t counter[4], w[4] = {0, 0, 0, 0};
  uint64_t i;
  counter[1] = site;
  counter[2] = query;
  counter[3] = sampler == ZEROTH_RADEMACHER ? 1 : 0;
  for (i = 0; i < count; i++) {
    uint32_t k = first + (uint32_t)i;
    if (i == 0 || k % per == 0) {
      counter[0] = k / per;
      zeroth_philox(counter, seed, w);
    }
    if (sampler == ZEROTH_RADEMACHER) {
      z[i] = (w[k % 128 / 32] >> (k % 32)) & 1u ? 1.0f : -1.0f;
    } else {
      z[i] = zeroth_gaussian(host, w[k % 4]);
    }
  }
}

/* How copy p of a run that begins at first is perturbed: the result is sigma, 1, -1 or
 * 0, of sigma * eps * z at *query. From first >= 0 on copies come in pairs: j = first + p
 * has query j / 2, and sigma is 1 for even j, -1 for odd j. A negative first means k =
 * -1 - first + p: copy k = 0 is not perturbed, k > 0 has query k - 1 and sigma 1. */
static inline int zeroth_copy(int32_t first, uint32_t p, uint32_t *query) {
  uint32_t j = first < 0 ? ~(uint32_t)first + p : (uint32_t)first + p;
  if (first < 0) {
    *query = j == 0 ? 0 : j - 1;
    return j == 0 ? 0 : 1;
  }
  *query = j / 2;
  return j % 2 == 0 ? 1 : -1;
}

#ifdef __cplusplus
}
#endif

#endif
