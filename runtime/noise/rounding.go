package noise

import "math"

// Dither writes to dst what RoundBF16 adds to element first + i: the lower 16
// bits of word k mod 4 of block (⌊k/4⌋, site, 0, 4), k = first + i.
func Dither(dst []uint32, seed [2]uint32, site, first uint32) {
	for i := 0; i < len(dst); {
		k := first + uint32(i)
		w := Philox([4]uint32{k / 4, site, 0, domainRounding}, seed)
		for j := k % 4; j < 4 && i < len(dst); j++ {
			dst[i] = w[j] & 0xffff
			i++
		}
	}
}

// DitherBF16 rounds x to one of its two neighbours: dither, below 2¹⁶, is added
// to its bits, and what is carried counts. Infinities stay, NaN stays NaN.
func DitherBF16(x float32, dither uint32) uint16 {
	bits := math.Float32bits(x)
	switch {
	case x != x:
		bits |= 1 << 22 // a NaN whose upper half is one too
	case bits&0x7f800000 != 0x7f800000:
		bits += dither
	}
	return uint16(bits >> 16)
}

// RoundBF16 writes x[i] as bfloat16, rounded to one of its two neighbours with a
// probability that makes the mean right.
func RoundBF16(dst []uint16, x []float32, seed [2]uint32, site, first uint32) {
	var dither [256]uint32
	for done := 0; done < len(x); {
		n := min(len(dither), len(x)-done)
		Dither(dither[:n], seed, site, first+uint32(done))
		for i, v := range x[done : done+n] {
			dst[done+i] = DitherBF16(v, dither[i])
		}
		done += n
	}
}
