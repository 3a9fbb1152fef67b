package noise

import "math"

// RoundBF16 writes x[i] as bfloat16, rounded to one of its two neighbours with a
// probability that makes the mean right: the lower 16 bits of word k mod 4 of
// block (⌊k/4⌋, site, 0, 4), k = first + i, are added to those of x[i], and what
// is carried counts. Infinities stay, NaN stays NaN.
func RoundBF16(dst []uint16, x []float32, seed [2]uint32, site, first uint32) {
	for i := 0; i < len(x); {
		k := first + uint32(i)
		w := Philox([4]uint32{k / 4, site, 0, domainRounding}, seed)
		for j := k % 4; j < 4 && i < len(x); j++ {
			bits := math.Float32bits(x[i])
			switch {
			case x[i] != x[i]:
				bits |= 1 << 22 // a NaN whose upper half is one too
			case bits&0x7f800000 != 0x7f800000:
				bits += w[j] & 0xffff
			}
			dst[i] = uint16(bits >> 16)
			i++
		}
	}
}
