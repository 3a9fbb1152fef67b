// Package peak measures the ceiling that kernels are held against: how many
// floating-point operations a second one core does in a loop of nothing but
// independent fused multiply-adds.
package peak

import "time"

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

// fmaGeneric is the loop in plain Go, one lane wide: sixteen registers hold
// the chains.
func fmaGeneric(n int) {
	var s [fmaChains]float32
	a0, a1, a2, a3, a4, a5 := s[0], s[1], s[2], s[3], s[4], s[5]
	a6, a7, a8, a9, a10, a11 := s[6], s[7], s[8], s[9], s[10], s[11]
	x, y := float32(n), float32(1)
	for range n {
		a0 += x * y
		a1 += x * y
		a2 += x * y
		a3 += x * y
		a4 += x * y
		a5 += x * y
		a6 += x * y
		a7 += x * y
		a8 += x * y
		a9 += x * y
		a10 += x * y
		a11 += x * y
	}
	if a0+a1+a2+a3+a4+a5+a6+a7+a8+a9+a10+a11 < 0 {
		panic("a sum of positive numbers is negative")
	}
}
