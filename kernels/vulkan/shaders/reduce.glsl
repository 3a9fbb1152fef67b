// Sums and maxima over a work group, in a tree of fixed shape.

shared float reduceTree[THREADS];

float sumOfAll(float x) {
  uint t = gl_LocalInvocationID.x;
  barrier(); // what was read of the tree before
  reduceTree[t] = x;
  barrier();
  for (uint half_ = THREADS / 2; half_ > 0; half_ /= 2) {
    if (t < half_) reduceTree[t] += reduceTree[t + half_];
    barrier();
  }
  return reduceTree[0];
}

// mostOfAll is the largest x, NaN left out.
float mostOfAll(float x) {
  uint t = gl_LocalInvocationID.x;
  barrier();
  reduceTree[t] = x;
  barrier();
  for (uint half_ = THREADS / 2; half_ > 0; half_ /= 2) {
    if (t < half_ && reduceTree[t + half_] > reduceTree[t]) reduceTree[t] = reduceTree[t + half_];
    barrier();
  }
  return reduceTree[0];
}
