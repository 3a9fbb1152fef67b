// A weight that is moved as a whole: a vector or a matrix in rows or panels, of
// f32 or bf16, or a part of whole rows of one. A shader takes it word by word:
// one element of f32, two of bf16 that follow each other in a row.

layout(constant_id = 1) const bool PANELS = false;
layout(constant_id = 2) const bool BF16 = false;

const uint PER_WORD = BF16 ? 2 : 1;

struct Place {
  bool inside; // the word has an element
  uint m, k;   // of the first
};

// placeOf finds word i of M rows of K elements, words to a row in panels.
Place placeOf(uint i, uint M, uint K, uint words) {
  if (!PANELS) return Place(true, i / K, i % K);
  uint m = i / (words * 16) * 16 + i % 16, k = i / 16 % words * PER_WORD;
  return Place(m < M && k < K, m, k);
}

// element b of a word.
float elementOf(uint word, uint b) {
  if (!BF16) return uintBitsToFloat(word);
  return uintBitsToFloat(b == 0 ? word << 16 : word & 0xffff0000u);
}
