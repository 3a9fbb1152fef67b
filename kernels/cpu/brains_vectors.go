//go:build amd64 || arm64

package cpu

import (
	"math"

	"zeroth/runtime/noise"
)

// narrowBrainsLoop: bfloat16 b of word 16·v + i = x[32·v + 16·b + i], rounded to
// nearest, ties to even, for v < n, b < 2, i < 16.
//
//go:noescape
func narrowBrainsLoop(words *byte, x *float32, n int)

// ditherBrainsLoop is narrowBrainsLoop with noise.DitherBF16 of x and dither.
//
//go:noescape
func ditherBrainsLoop(words *byte, x *float32, dither *uint32, n int)

// ditherLoop: for b < 8·blocks and j < 4
//
//	d[4*b+j] = noise.Philox({first + b, site, 0, 4}, seed)[j] & 0xffff
//
// keys holds the keys of the ten rounds, first word and second word of each.
//
//go:noescape
func ditherLoop(d *uint32, blocks int, first, site uint32, keys *[20]uint32)

// narrowBrainsVectors is routines.narrowBrains.
func narrowBrainsVectors(words []byte, x []float32) {
	if n := len(words) / 64; n > 0 {
		_ = x[32*n-1]
		narrowBrainsLoop(&words[0], &x[0], n)
	}
}

// ditherBrainsVectors is routines.ditherBrains.
func ditherBrainsVectors(words []byte, x []float32, dither []uint32) {
	if n := len(words) / 64; n > 0 {
		_, _ = x[32*n-1], dither[32*n-1]
		ditherBrainsLoop(&words[0], &x[0], &dither[0], n)
	}
}

// ditherVectors is routines.dither.
func ditherVectors(d []uint32, seed [2]uint32, site, first uint32) {
	const words, step = 4, 32 // values of one Philox block, of one vector of blocks
	head := min(int(-first%words), len(d))
	blocks := (len(d) - head) / step
	if blocks == 0 || uint64(first)+uint64(len(d)) > math.MaxUint32 {
		noise.Dither(d, seed, site, first)
		return
	}
	keys := philoxKeys(seed)
	noise.Dither(d[:head], seed, site, first)
	ditherLoop(&d[head], blocks, (first+uint32(head))/words, site, &keys)
	rest := head + blocks*step
	noise.Dither(d[rest:], seed, site, first+uint32(rest))
}
