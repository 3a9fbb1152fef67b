#include "common.cl"

// y[n, c] = x[n, start + c], bit for bit. x [rows, C] → y [rows, size]

typedef struct { uint count, C, start, size; } Params;

KERNEL(slice)(IN(READ, X), OUT(WRITTEN, Y), const Params p) {
  BEGIN_READ(X); BEGIN_WRITTEN(Y);
  EACH(i, p.count) store(Y, i, load(X, i / p.size * p.C + p.start + i % p.size));
}
