// Package opencl computes ops on devices that OpenCL lists: GPUs, and PoCL,
// which is one in software.
//
// It is a gpu.Device: memory, and the kernels that package gpu names, in OpenCL
// C 1.2 (kernels/*.cl, embedded). They are built when they are first used and
// the binaries kept in the user's cache folder, so that the driver's compiler
// runs once for each version of driver and kernels. What OpenCL leaves to the
// driver they do not use where it would matter: exp, the rounding of a
// division, fused additions. Activations are f16 in memory where that is wanted, by
// functions that every device has (common.cl).
//
// A buffer of a kernel is passed with the number of the word at which a tensor
// begins, its parameters as one structure. The device's only queue runs all in
// order. Nothing waits without a limit, be it a copy, a run or the compiler: what
// does not end in time is given up, with all the memory that it may still write.
//
// The tool makes the backend from it. It uses kernels/opencl/cl, and nothing
// outside of that knows OpenCL.
package opencl
