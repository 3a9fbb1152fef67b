// Package op is the vocabulary of Zeroth: the data types, the tensor types with
// symbolic dimensions and width, and the table of operations with their
// attributes, shape and width rules.
//
// The compiler (graph), the loader (runtime/program), the kernels and the
// conformance suite all read the same table, so that there is one place where
// an op is defined. An op's arithmetic is specified by its plain kernel in
// kernels/ref; its shape, width and index rules are specified here.
//
// # Width
//
// Every value has a width: 1 when it is the same for all perturbations, or P
// (Wide) when it holds one copy per perturbation. A wide value is stored copy
// after copy, [P, shape...], row-major. P is bound when a program is run.
//
// # Adding an op
//
// Add one row to the table (a new ID: ids are stored in program files and are
// never reused), its inference rule, a plain kernel in kernels/ref and rows in
// kernels/conformance. A completeness test names whatever is missing.
package op
