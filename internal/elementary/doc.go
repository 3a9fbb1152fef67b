// Package elementary has the few elementary functions that a run's bits depend
// on, with the same bits on every processor. Those of the standard library are
// assembly on some, and what it leaves to the compiler is fused into
// multiply-adds on others: their last bits differ.
//
// Here every product is rounded before it is added to anything, which Go's
// specification grants to an explicit conversion. Results are within two units
// in the last place.
//
// Kernels and training call it. Whatever is only shown may use package math.
package elementary
