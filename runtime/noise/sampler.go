package noise

import (
	"fmt"
	"math/bits"
)

// Sampler is a distribution of z with mean 0 and variance 1. The numbers are
// stored in program files and journals.
type Sampler uint8

// The samplers.
const (
	Gaussian   Sampler = 1
	Rademacher Sampler = 2 // ±1 with equal probability
)

func (s Sampler) String() string {
	switch s {
	case Gaussian:
		return "gaussian"
	case Rademacher:
		return "rademacher"
	}
	return fmt.Sprintf("sampler(%d)", uint8(s))
}

// ParseSampler reads a sampler's name.
func ParseSampler(name string) (Sampler, error) {
	for _, s := range []Sampler{Gaussian, Rademacher} {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown sampler %q: choose gaussian or rademacher", name)
}

// Fill writes z[i] = z(seed, site, query, first+i) for each i.
//
// Gaussian: element k is word k mod 4 of block (⌊k/4⌋, site, query, 0), sent
// through Quantile. Rademacher: element k is +1 where bit k mod 128 of block
// (⌊k/128⌋, site, query, 1) is set, else −1; bit b is bit b mod 32 of word ⌊b/32⌋.
func (s Sampler) Fill(z []float32, seed [2]uint32, site, query, first uint32) {
	if s == Rademacher {
		fillRademacher(z, seed, site, query, first)
		return
	}
	fillGaussian(z, seed, site, query, first)
}

func fillGaussian(z []float32, seed [2]uint32, site, query, first uint32) {
	for i := 0; i < len(z); {
		k := first + uint32(i)
		w := Philox([4]uint32{k / 4, site, query, domainGaussian}, seed)
		for j := k % 4; j < 4 && i < len(z); j++ {
			z[i] = Quantile(w[j])
			i++
		}
	}
}

func fillRademacher(z []float32, seed [2]uint32, site, query, first uint32) {
	for i := 0; i < len(z); {
		k := first + uint32(i)
		w := RademacherBlock(seed, site, query, k/128)
		for b := k % 128; b < 128 && i < len(z); b++ {
			z[i] = float32(int32(w[b/32]>>(b%32)&1)*2 - 1)
			i++
		}
	}
}

// RademacherBlock gives the random bits of elements 128·block to 128·block + 127.
func RademacherBlock(seed [2]uint32, site, query, block uint32) [4]uint32 {
	return Philox([4]uint32{block, site, query, domainRademacher}, seed)
}

// Quantile maps a random word to a standard normal deviate. Bit 31 is the
// sign; u = the other bits with the lowest set, over 2³¹, is the probability
// that |z| is larger. |z| = Φ⁻¹(1 − u/2) is read from a table with 32 cells to
// each octave of u and interpolated linearly with a 14-bit fraction, all in
// integers, then scaled by 2⁻²¹, which is exact in float32. The table is
// scaled to make the variance 1. |z| reaches 6.2.
func Quantile(word uint32) float32 {
	u := word&0x7fffffff | 1
	octave := 31 - bits.LeadingZeros32(u)
	mantissa := u << (30 - octave)
	cell := octave*32 + int(mantissa>>25&31)
	fraction := int32(mantissa >> 11 & 0x3fff)
	z := quantileTable[cell]
	z += (quantileTable[cell+1] - z) * fraction >> 14
	if word>>31 != 0 {
		z = -z
	}
	return float32(z) * (1.0 / (1 << 21))
}

// QuantileTable is the table of Quantile, for backends that carry a copy of it.
func QuantileTable() []int32 { return quantileTable[:] }

// FillUniform writes uniform values in [−bound, bound): element k is the upper
// 24 bits of word k mod 4 of block (⌊k/4⌋, site, 0, 3) under runSeed. LoRA's A
// starts from it (Kaiming-uniform with a = √5: bound = 1/√fan-in).
func FillUniform(x []float32, runSeed uint64, site uint32, bound float32) {
	for i := 0; i < len(x); i += 4 {
		w := Philox([4]uint32{uint32(i / 4), site, 0, domainUniform}, split(runSeed))
		for j := 0; j < 4 && i+j < len(x); j++ {
			unit := float32(w[j]>>8)*(1.0/(1<<23)) - 1
			x[i+j] = unit * bound
		}
	}
}
