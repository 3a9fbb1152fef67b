//go:build amd64 || arm64

package cpu

import (
	"math"

	"zeroth/runtime/noise"
)

// signsLoop writes 32·words signs: z[32*w+b] = +1 where bit b of words[w] is
// set, else −1.
//
//go:noescape
func signsLoop(z *float32, words *uint32, n int)

// rademacherVectors is routines.rademacher.
func rademacherVectors(z []float32, seed [2]uint32, site, query, first uint32) {
	const step = 128 // signs of one Philox block
	head := min(int(-first%step), len(z))
	last := head + (len(z)-head)/step*step
	if uint64(first)+uint64(len(z)) > math.MaxUint32 {
		head, last = len(z), len(z)
	}
	noise.Rademacher.Fill(z[:head], seed, site, query, first)
	for i := head; i < last; i += step {
		block := noise.RademacherBlock(seed, site, query, (first+uint32(i))/step)
		signsLoop(&z[i], &block[0], len(block))
	}
	noise.Rademacher.Fill(z[last:], seed, site, query, first+uint32(last))
}
