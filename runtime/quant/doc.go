// Package quant converts weight matrices between float32 and the element types
// of the Panels16 layout: bf16, i8, q4 and nf4 (see op.DType and op.Panels).
//
// Encoding works on one panel, 16 rows, at a time, so that a matrix of any size
// is converted in bounded memory; decoding gives a row, for a lookup, or a slice
// of a panel, for a matrix product. Kernels, the compiler and tests share it:
// what the codes mean is defined here and nowhere else.
//
// The compiler and the kernels call it; anything that depends on a processor
// stays out.
package quant
