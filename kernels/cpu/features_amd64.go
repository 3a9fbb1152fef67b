package cpu

import "github.com/klauspost/cpuid/v2"

// detect asks the processor. cpuid reports a vector set only where the
// operating system saves its registers too.
func detect() (Features, string) {
	has := func(ids ...cpuid.FeatureID) bool { return cpuid.CPU.Supports(ids...) }
	avx2 := has(cpuid.AVX2, cpuid.FMA3, cpuid.F16C)
	avx512 := avx2 && has(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL)
	return Features{
		AVX2:       avx2,
		AVXVNNI:    avx2 && has(cpuid.AVXVNNI),
		AVX512:     avx512,
		AVX512VNNI: avx512 && has(cpuid.AVX512VNNI),
		AVX512BF16: avx512 && has(cpuid.AVX512BF16),
	}, "the CPUID instruction"
}
