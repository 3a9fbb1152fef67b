// Package conformance is the suite that every kernel registry must pass: one
// table of nodes, each run on guarded memory and compared with kernels/ref.
//
// [Cases] is the table: op × shape × width × layout × attributes, with ragged
// and empty extents, and cases with NaN, infinities, huge and denormal values.
// [Run] binds the kernels that a registry picks for each case and demands:
//
//   - the result of the plain kernel, within the case's limit on the
//     normalised mean squared error Σ(a−b)² / Σb², or bit for bit, and the same
//     class (finite, NaN, +Inf, −Inf) for each element;
//   - every element of an output written, and nothing outside of it: buffers
//     lie between guard words, outputs and scratch are poisoned before a run;
//   - inputs left as they were;
//   - the same bits with 1, 2 and 7 workers (or others), and in place where the
//     op allows;
//   - the same quality at smaller extents than those it was bound for, down to
//     0, and again at the full ones;
//   - no panic. One on a goroutine of the pool ends the process, so the first pool
//     should have one worker.
//
// Kernels that keep activations as f16 (kernel.Kernel.Half) have to round them to
// nearest, ties to even. The plain kernel gets inputs that are rounded so; of a result
// that error is judged by the same limits which there was before it was rounded, the
// least that explains it. So where f32 arithmetic decides which of two neighbours
// a value in the middle becomes, either is right, and nothing else is. For them there
// are cases with results in the middle, beyond f16 and below its normal numbers.
//
// Inputs are seeded by the name of the case: a case is the same everywhere and
// always. Float inputs are filled with NaN outside of the run's elements, so
// reading too far shows in the result.
//
// The package is used by tests of kernels, by `zeroth conformance`, and by
// backends and plug-ins, which appear in it as kernels on host memory. It
// imports runtime and kernels/ref and no other kernels.
package conformance
