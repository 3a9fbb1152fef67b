// A weight that is moved as a whole: a vector or a matrix in rows or panels, of
// f32 or bf16, or a part of whole rows of one. A kernel takes it word by word:
// one element of f32, two of bf16 that follow each other in a row.

#define PANELS C1
#define BF16 C2
#define PER_WORD (BF16 ? 2u : 1u)

typedef struct {
  bool inside; // the word has an element
  uint m, k;   // of the first
} Place;

// placeOf finds word i of M rows of K elements, words to a row in panels.
Place placeOf(uint i, uint M, uint K, uint words) {
#if PANELS
  uint m = i / (words * 16) * 16 + i % 16, k = i / 16 % words * PER_WORD;
  Place p = {m < M && k < K, m, k};
#else
  Place p = {true, i / K, i % K};
#endif
  return p;
}

// element b of a word.
float elementOf(uint word, uint b) {
#if BF16
  return as_float(b == 0 ? word << 16 : word & 0xffff0000u);
#else
  return as_float(word);
#endif
}
