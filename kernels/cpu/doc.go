// Package cpu holds the fast CPU kernels: packed, tiled, threaded, with
// assembly where the processor has the instructions.
//
// Kernels(features) lists one kernel for every op. Everything that depends on
// the processor is a row of a table (routines): the micro-kernel of the matrix
// product and a handful of vector loops, each with a plain Go twin that serves
// every processor and that the assembly is tested against.
//
// The matrix product follows BLIS (Van Zee and van de Geijn, "BLIS: A Framework
// for Rapidly Instantiating BLAS Functionality", 2015): x is packed block by
// block into scratch that fits the L2 cache, a slice of one weight panel stays
// in L1, and the micro-kernel keeps a tile of y in registers. The weights lie
// in the program file in the panel layout (op.Panels16) and are used there.
//
// Each element of a result is computed by the same operations in the same
// order wherever its tile lies, so results are the same bit for bit for any
// number of threads, and the copies of a widened run have the bits of runs
// made one by one.
//
// The environment variable ZEROTH_CPU caps the instruction set at one of
// Levels. With ZEROTH_CPU_REQUIRE set to one of these, the tests of this
// package fail where a lesser one is detected or chosen, so that a silent
// fallback cannot pass where the machine is known.
//
// The assembly of arm64 is generated: its sources, in GNU syntax, lie in
// arm64src, and tools/asmgen writes z*_arm64.s from them.
//
// Whoever builds a kernel.Registry may call it. Backends, quantised formats'
// file codecs and anything about training stay out.
//
//go:generate go run zeroth/tools/asmgen arm64src
package cpu
