// Package peak measures the ceiling that kernels are held against: how many
// floating-point operations a second one core does in a loop of nothing but
// independent fused multiply-adds.
package peak

import (
	"runtime"
	"time"
)

// iterations is the length of a measured loop.
const iterations = 200000

// FMA measures the ceiling of one core, in float32 operations a second with a
// multiply-add counted as two, with the vectors of an instruction set: avx512,
// avx2, neon or, by any other name, one lane of plain Go. The processor must
// have it. It takes a few milliseconds and returns the best of several runs.
func FMA(level string) float64 {
	loop, lanes := fmaLoop(level)
	best := 0.0
	for range 12 {
		begin := time.Now()
		loop(iterations)
		best = max(best, float64(iterations*fmaChains*2*lanes)/time.Since(begin).Seconds())
	}
	return best
}

// fmaChains is the number of independent chains of multiply-adds in a loop.
const fmaChains = 12

// fmaGeneric is the loop in plain Go, one lane wide.
func fmaGeneric(n int) { runtime.KeepAlive(chains(n, 1)) }

// chains is the sum of twelve chains of n multiply-adds. It is not inlined, so
// that the products are not folded into constants.
//
//go:noinline
func chains(n int, x float32) float32 {
	var a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 float32
	for range n {
		a0 += x * x
		a1 += x * x
		a2 += x * x
		a3 += x * x
		a4 += x * x
		a5 += x * x
		a6 += x * x
		a7 += x * x
		a8 += x * x
		a9 += x * x
		a10 += x * x
		a11 += x * x
	}
	return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11
}
