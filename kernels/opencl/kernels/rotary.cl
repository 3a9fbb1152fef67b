#include "common.cl"

// Pairs of each head turned by the angle of their token's position: (2i, 2i+1)
// when interleaved, (i, i + half) otherwise. x [rows, H·2·half], rows = w·N,
// positions [N], cos and sin [S, half] → y as x; y may be x.

typedef struct { uint pairs, N, heads, halfHead, interleaved; } Params;

KERNEL(rotary)(IN(READ, X), IN(int, positions), IN(float, cosines), IN(float, sines), OUT(WRITTEN, Y), const Params p) {
  BEGIN_READ(X); BEGIN(positions); BEGIN(cosines); BEGIN(sines); BEGIN_WRITTEN(Y);
  EACH(e, p.pairs) {
    uint i = e % p.halfHead, head = e / p.halfHead; // of all rows
    uint n = head / p.heads % p.N, angle = (uint)positions[n] * p.halfHead + i;
    uint first = head * 2 * p.halfHead + (p.interleaved ? 2 * i : i);
    uint second = first + (p.interleaved ? 1 : p.halfHead);
    float a = load(X, first), b = load(X, second);
    store(Y, first, a * cosines[angle] - b * sines[angle]);
    store(Y, second, a * sines[angle] + b * cosines[angle]);
  }
}
