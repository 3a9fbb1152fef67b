// Package peak measures the ceilings that kernels are held against: loops of
// nothing but independent multiply-adds of one instruction, and reading and
// copying memory.
//
// [Loops] lists the loops of this architecture, [OnCore] runs one on the
// caller's core. Whoever compares a kernel with a ceiling runs both in turn, on
// the same threads and over the same time, because other programs on the machine
// change what it reaches. The package knows no kernels; kernels know not of it.
//
// The sources of arm64's loops are in arm64src; tools/asmgen writes
// zpeak_arm64.s from them.
package peak

//go:generate go run zeroth/tools/asmgen arm64src
