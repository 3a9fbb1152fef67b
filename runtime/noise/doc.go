// Package noise is Zeroth's source of perturbations: z as a pure function of
// (step seed, site, query, index).
//
// Nothing is stored and no generator has a state that could be reset: any
// element of any direction can be computed at any time, in any order, on any
// backend, with the same bits. Bits come from Philox4x32-10 (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The Gaussian is an
// inverse normal distribution function in integer arithmetic: floating-point
// log, sin and cos differ from one GPU to the next, integers do not.
//
// The kernels of every backend implement this package; mpzo derives its step
// seeds from it. It keeps to the ground floor because the ops LinearLoRA and
// UpdateLoRA are defined by it.
package noise

//go:generate go run ./_gen
