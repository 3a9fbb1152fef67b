#include "common.cl"

// y[n, c] = x[n, start + c], bit for bit. x [rows, C] → y [rows, size]

typedef struct { uint count, C, start, size; } Params;

KERNEL(slice)(IN(uint, X), OUT(uint, Y), const Params p) {
  BEGIN(X); BEGIN(Y);
  EACH(i, p.count) Y[i] = X[i / p.size * p.C + p.start + i % p.size];
}
