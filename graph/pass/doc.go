// Package pass rewrites modules: it puts LoRA sites in and takes them out,
// moves row gathers up to where rows are first mixed, and removes what no
// output needs. Every pass leaves the types inferred.
package pass
