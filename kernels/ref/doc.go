// Package ref holds the plain kernel of every op: the specification that all
// other kernels are compared with. It is written to be read, not to be fast.
//
// Sums run in float64 in the order of their indices and are rounded to f32
// once, when the result is stored. Two results are exact to the bit, and every
// backend must agree with them to the bit: Gather, which only moves, and
// UpdateLoRA, whose arithmetic is f32 with a rounding after each product and
// each sum. The perturbed matrix B + σεz inside LinearLoRA is rounded in the
// same way. There each rounding is an explicit float32(…), because Go may
// otherwise fuse x*y + z.
//
// # Values that are not finite
//
// Nothing is tested for; IEEE arithmetic decides. NaN in an input gives NaN in
// every result whose formula reads it, and in no other: a token that the mask
// hides, another sequence, row or copy is not read. Softmax and logsumexp
// subtract the largest term first, so finite terms never overflow. A term of
// −Inf beside a finite one counts nothing; a term of +Inf, or all terms −Inf,
// gives NaN. A label or a gold candidate whose term is −Inf costs +Inf.
// SwiGLU of gate −Inf is NaN. A weight of 0 does not hide NaN or Inf.
//
// # Empty extents
//
// Any extent may be 0. An empty sum is 0; without elements nothing is written.
// ChoiceLoss of no example is 0, and UpdateLoRA of no query leaves B as it is.
//
// # Aliasing
//
// Where op.Spec.InPlace holds, output 0 may share the storage of input 0.
// Other tensors must not overlap.
//
// Kernels allocate when they are bound, at the extents that their tensors have
// then, which must bound those of each run. The package may be imported by the
// conformance suite, by tests and by the tool; kernels do not build on it.
package ref
