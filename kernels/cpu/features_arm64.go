package cpu

import "github.com/klauspost/cpuid/v2"

// detect reads the operating system's account of the processor: that covers
// the cores of every cluster, which an ID register, being of one core, does
// not. NEON belongs to the architecture.
func detect() (Features, string) {
	if f, ok := hwcapFeatures(); ok {
		return f, "the auxiliary vector as the Go runtime keeps it (AT_HWCAP, AT_HWCAP2)"
	}
	return Features{
		NEON:    true,
		DotProd: cpuid.CPU.Supports(cpuid.ASIMDDP),
		I8MM:    cpuid.CPU.Supports(cpuid.I8MM),
		BF16:    cpuid.CPU.Supports(cpuid.BF16),
	}, "the operating system, through the cpuid package"
}
