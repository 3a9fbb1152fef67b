//go:build amd64 || arm64

package cpu

import (
	"math"

	"zeroth/runtime/noise"
)

// gaussianLoop writes 32·blocks deviates: for b < 8·blocks and j < 4
//
//	z[4*b+j] = noise.Quantile(noise.Philox({first + b, site, query, 0}, seed)[j])
//
// keys holds the keys of the ten rounds, first word and second word of each;
// table is noise.QuantileTable.
//
//go:noescape
func gaussianLoop(z *float32, blocks int, first uint32, site, query uint32, keys *[20]uint32, table *int32)

// The Weyl increments of Philox's keys (see runtime/noise).
const (
	philoxW0 = 0x9E3779B9
	philoxW1 = 0xBB67AE85
)

// philoxKeys gives the keys of the ten rounds, first word and second word of each.
func philoxKeys(seed [2]uint32) (keys [20]uint32) {
	for round := range uint32(10) {
		keys[2*round], keys[2*round+1] = seed[0]+round*philoxW0, seed[1]+round*philoxW1
	}
	return keys
}

// gaussianVectors is routines.gaussian.
func gaussianVectors(z []float32, seed [2]uint32, site, query, first uint32) {
	const words, step = 4, 32 // deviates of one Philox block, of one vector of blocks
	head := min(int(-first%words), len(z))
	blocks := (len(z) - head) / step
	if blocks == 0 || uint64(first)+uint64(len(z)) > math.MaxUint32 {
		noise.Gaussian.Fill(z, seed, site, query, first)
		return
	}
	keys := philoxKeys(seed)
	noise.Gaussian.Fill(z[:head], seed, site, query, first)
	gaussianLoop(&z[head], blocks, (first+uint32(head))/words, site, query, &keys, &noise.QuantileTable()[0])
	rest := head + blocks*step
	noise.Gaussian.Fill(z[rest:], seed, site, query, first+uint32(rest))
}
