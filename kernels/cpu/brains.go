package cpu

import (
	"encoding/binary"

	"zeroth/internal/half"
	"zeroth/runtime/noise"
)

// Words of two bfloat16 as panels have them, written in plain Go.

// narrowBrainsGeneric is the inverse of widenBrains: number b of word 16·v + i is
// x[32·v + 16·b + i] rounded to the nearest bfloat16, ties to even.
func narrowBrainsGeneric(words []byte, x []float32) {
	for at := 0; at < len(words); at += 2 {
		v, i, b := at/64, at%64/4, at%4/2
		binary.LittleEndian.PutUint16(words[at:], half.BrainFromFloat(x[32*v+16*b+i]))
	}
}

// ditherBrainsGeneric is narrowBrains, rounded by noise.DitherBF16 with dither in
// the order of x.
func ditherBrainsGeneric(words []byte, x []float32, dither []uint32) {
	for at := 0; at < len(words); at += 2 {
		v, i, b := at/64, at%64/4, at%4/2
		binary.LittleEndian.PutUint16(words[at:], noise.DitherBF16(x[32*v+16*b+i], dither[32*v+16*b+i]))
	}
}

// ditherGeneric: d[i] = noise.Dither at index first+i.
func ditherGeneric(d []uint32, seed [2]uint32, site, first uint32) {
	noise.Dither(d, seed, site, first)
}
