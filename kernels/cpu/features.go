package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// LimitVariable names the environment variable that caps the instruction set.
const LimitVariable = "ZEROTH_CPU"

// Features are the instruction sets that kernels may use. The zero value
// allows plain Go alone.
type Features struct {
	AVX2       bool // amd64: AVX2, FMA and F16C
	AVXVNNI    bool // amd64: 8-bit dot products of 256 bits, VEX encoded
	AVX512     bool // amd64: AVX-512 F, BW, DQ and VL
	AVX512VNNI bool // amd64: 8-bit dot products of 512 bits
	AVX512BF16 bool // amd64: bfloat16 dot products of 512 bits
	NEON       bool // arm64
	DotProd    bool // arm64: 8-bit dot products, SDOT and UDOT
	I8MM       bool // arm64: 8-bit matrix products, SMMLA
	BF16       bool // arm64: bfloat16 matrix products, BFMMLA
}

// level is a name for a set of features: what it adds and what that builds on.
type level struct {
	name     string
	features Features
}

// levelTable holds the names by which kernels can be capped. A set lies after
// those that it contains. avxvnni and avx512 do not contain each other: a level of
// AVX-512 leaves the VEX form out, which it does not need.
var levelTable = []level{
	{"generic", Features{}},
	{"avx2", Features{AVX2: true}},
	{"avxvnni", Features{AVX2: true, AVXVNNI: true}},
	{"avx512", Features{AVX2: true, AVX512: true}},
	{"avx512vnni", Features{AVX2: true, AVX512: true, AVX512VNNI: true}},
	{"avx512bf16", Features{AVX2: true, AVX512: true, AVX512VNNI: true, AVX512BF16: true}},
	{"neon", Features{NEON: true}},
	{"dotprod", Features{NEON: true, DotProd: true}},
	{"i8mm", Features{NEON: true, DotProd: true, I8MM: true}},
	{"bf16", Features{NEON: true, DotProd: true, I8MM: true, BF16: true}},
}

// Levels names the levels that Limit knows, each after those it contains.
func Levels() []string {
	names := make([]string, len(levelTable))
	for i := range levelTable {
		names[i] = levelTable[i].name
	}
	return names
}

// Detect reads what the processor and the operating system support.
func Detect() Features {
	f, _ := detect()
	return f
}

// DetectedFrom says where Detect reads the features on this system.
func DetectedFrom() string {
	_, source := detect()
	return source
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

// Limit caps f at the named level, one of Levels: the features of that level
// remain. It fails with ErrFeature on any other name and on a level that f
// does not reach.
func (f Features) Limit(name string) (Features, error) {
	i := slices.IndexFunc(levelTable, func(l level) bool { return l.name == name })
	if i < 0 {
		return Features{}, fmt.Errorf("%w: unknown %q, choose one of %s", ErrFeature, name, strings.Join(Levels(), ", "))
	}
	if !f.covers(levelTable[i].features) {
		return Features{}, fmt.Errorf("%w: this machine has no %s, it reaches %s", ErrFeature, name, f)
	}
	return levelTable[i].features, nil
}

// Reached names the Levels that f has everything of.
func (f Features) Reached() []string {
	var names []string
	for _, l := range levelTable {
		if f.covers(l.features) {
			names = append(names, l.name)
		}
	}
	return names
}

// String names the last of Levels that f reaches.
func (f Features) String() string {
	reached := f.Reached()
	return reached[len(reached)-1]
}

// covers reports whether f has everything that needs names.
func (f Features) covers(needs Features) bool {
	return (f.AVX2 || !needs.AVX2) && (f.AVXVNNI || !needs.AVXVNNI) &&
		(f.AVX512 || !needs.AVX512) && (f.AVX512VNNI || !needs.AVX512VNNI) && (f.AVX512BF16 || !needs.AVX512BF16) &&
		(f.NEON || !needs.NEON) && (f.DotProd || !needs.DotProd) && (f.I8MM || !needs.I8MM) && (f.BF16 || !needs.BF16)
}
