package noise

import "math/bits"

// Philox4x32-10 constants: multipliers and Weyl key increments (Salmon et al.
// 2011, table 2 and section 4.3).
const (
	philoxM0 = 0xD2511F53
	philoxM1 = 0xCD9E8D57
	philoxW0 = 0x9E3779B9
	philoxW1 = 0xBB67AE85
)

// Domains keep the uses of one key apart: the last word of the counter.
const (
	domainGaussian   = 0
	domainRademacher = 1
	domainStepSeed   = 2
	domainUniform    = 3
	domainRounding   = 4
)

// Philox returns the four words of block counter under key: ten rounds of
// Philox4x32.
func Philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		hi0, lo0 := bits.Mul32(philoxM0, c0)
		hi1, lo1 := bits.Mul32(philoxM1, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += philoxW0
		k1 += philoxW1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// StepSeed derives the seed of one step from the seed of the run. It is a pure
// function, so a step's seed does not depend on how the run came there.
func StepSeed(runSeed, step uint64) [2]uint32 {
	w := Philox([4]uint32{uint32(step), uint32(step >> 32), 0, domainStepSeed}, split(runSeed))
	return [2]uint32{w[0], w[1]}
}

func split(seed uint64) [2]uint32 { return [2]uint32{uint32(seed), uint32(seed >> 32)} }
