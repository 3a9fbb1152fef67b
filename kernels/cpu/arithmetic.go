package cpu

import (
	"crypto/sha256"
	_ "embed" // of the bits
	"encoding/hex"
	"slices"

	"zeroth/runtime/op"
)

// bits is what a test holds the kernels of all levels to.
//
//go:embed testdata/bits.txt
var bits []byte

// Bits names the bits that this build's kernels give: another name is there where
// they were changed.
func Bits() string {
	sum := sha256.Sum256(bits)
	return hex.EncodeToString(sum[:8])
}

// Arithmetic names how the kernels for f round on weights of some types. Kernels
// of the same name give the same bits, on any processor: "fused" where products
// are added unrounded, "plain" for Go's, and "fused bf16" where the processor
// multiplies bfloat16 weights itself.
func Arithmetic(f Features, weights []op.DType) string {
	r := choose(f)
	switch {
	case r.needs == Features{}:
		return "plain"
	case r.codesFor(op.BF16) != nil && slices.Contains(weights, op.BF16):
		return "fused bf16"
	}
	return "fused"
}
