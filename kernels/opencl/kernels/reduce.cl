// Sums and maxima over a work group, in a tree of fixed shape: THREADS floats of
// local memory.

float sumOfAll(float x, __local float *tree) {
  barrier(CLK_LOCAL_MEM_FENCE); // what was read of the tree before
  tree[ITEM] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint reach = THREADS / 2; reach > 0; reach /= 2) {
    if (ITEM < reach) tree[ITEM] += tree[ITEM + reach];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return tree[0];
}

// mostOfAll is the largest x, NaN left out.
float mostOfAll(float x, __local float *tree) {
  barrier(CLK_LOCAL_MEM_FENCE);
  tree[ITEM] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint reach = THREADS / 2; reach > 0; reach /= 2) {
    if (ITEM < reach && tree[ITEM + reach] > tree[ITEM]) tree[ITEM] = tree[ITEM + reach];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return tree[0];
}
