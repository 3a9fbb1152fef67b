package cpu

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// LimitVariable names the environment variable that caps the instruction set.
const LimitVariable = "ZEROTH_CPU"

// Features are the instruction sets that kernels may use. The zero value
// allows plain Go alone.
type Features struct {
	AVX2   bool // amd64: AVX2 and FMA
	AVX512 bool // amd64: AVX-512 F, BW, DQ and VL
	NEON   bool // arm64
}

// Detect reads what the processor and the operating system support.
func Detect() Features {
	avx2 := cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3)
	return Features{
		AVX2:   avx2,
		AVX512: avx2 && cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL),
		NEON:   runtime.GOARCH == "arm64",
	}
}

// DetectLimited is Detect, capped by the environment variable ZEROTH_CPU.
func DetectLimited() (Features, error) {
	limit := os.Getenv(LimitVariable)
	if limit == "" {
		return Detect(), nil
	}
	f, err := Detect().Limit(limit)
	if err != nil {
		return Features{}, fmt.Errorf("environment variable %s: %w", LimitVariable, err)
	}
	return f, nil
}

// Limit caps f at the named level: generic, avx2, avx512 or neon. It fails
// with ErrFeature on any other name and on a level that f does not reach.
func (f Features) Limit(level string) (Features, error) {
	levels := []string{"generic", "avx2", "avx512", "neon"}
	if !slices.Contains(levels, level) {
		return Features{}, fmt.Errorf("%w: unknown %q, choose one of %s", ErrFeature, level, strings.Join(levels, ", "))
	}
	switch {
	case level == "generic":
		return Features{}, nil
	case level == "avx2" && f.AVX2:
		return Features{AVX2: true}, nil
	case level == "avx512" && f.AVX512:
		return Features{AVX2: true, AVX512: true}, nil
	case level == "neon" && f.NEON:
		return Features{NEON: true}, nil
	}
	return Features{}, fmt.Errorf("%w: this machine has no %s, it reaches %s", ErrFeature, level, f)
}

// String names the highest level: generic, avx2, avx512 or neon.
func (f Features) String() string {
	switch {
	case f.AVX512:
		return "avx512"
	case f.AVX2:
		return "avx2"
	case f.NEON:
		return "neon"
	}
	return "generic"
}

// covers reports whether f has everything that needs names.
func (f Features) covers(needs Features) bool {
	return (f.AVX2 || !needs.AVX2) && (f.AVX512 || !needs.AVX512) && (f.NEON || !needs.NEON)
}
