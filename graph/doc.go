// Package graph is the compiler's view of a program: methods as graphs of
// nodes and values that can be built, rewritten and printed.
//
// A builder (graph/model) makes a Module from a checkpoint, passes (graph/pass)
// rewrite it, Lower turns it into a program.Program to be written or run, and
// Lift takes a mapped program back, sharing its constants, so that training can
// put LoRA sites where the user wants them.
//
// A phone that only runs programs needs none of this.
package graph
