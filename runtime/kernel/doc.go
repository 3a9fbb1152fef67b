// Package kernel is the contract between the executor and the code that
// computes: tensors, calls, kernels and the registry that picks among them.
//
// A kernel is bound once, when a session is made, for upper bounds of all
// extents; it allocates there whatever it needs. Running it afterwards reads
// the extents of the moment from its tensors and allocates nothing.
//
// Kernels live in kernels/…; this package has none.
package kernel
