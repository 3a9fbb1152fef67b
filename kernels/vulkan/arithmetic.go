package vulkan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

// ArithmeticVariable names the environment variable that chooses, as
// ParseArithmetic reads it, what products are computed with.
const ArithmeticVariable = "ZEROTH_VULKAN"

// ErrArithmetic is wrapped when what products are computed with is not known.
var ErrArithmetic = errors.New("no such arithmetic")

// Arithmetic says which of a device's ways to multiply are used: those that it says
// are quick, unless they are named here.
type Arithmetic struct {
	named map[string]bool // used or not
}

// The ways, by name.
const (
	wayDot   = "dot"   // dot products of bytes, for weights of 8 or 4 bits
	wayCoop  = "coop"  // cooperative matrices of f16, for weights of 8 or 4 bits
	wayCoop8 = "coop8" // cooperative matrices of bytes, for weights of i8
	wayFP16  = "fp16"  // the same for weights of bf16 and f32, whose products lose by it
)

var ways = []string{wayDot, wayCoop, wayCoop8, wayFP16}

// ParseArithmetic reads a list such as "nodot": a way that is to be used where the
// device has it, be it quick or not, or with "no" before it one that is not.
func ParseArithmetic(text string) (Arithmetic, error) {
	a := Arithmetic{named: make(map[string]bool)}
	for _, word := range strings.Split(text, ",") {
		word = strings.TrimSpace(word)
		name, no := strings.CutPrefix(word, "no")
		switch {
		case word == "":
		case slices.Contains(ways, name):
			a.named[name] = !no
		default:
			return a, fmt.Errorf("%w: %.40q; there are %s, each with \"no\" before it or without", ErrArithmetic, word, strings.Join(ways, ", "))
		}
	}
	return a, nil
}

// uses reports whether a way is used that a device has, quick or not.
func (a Arithmetic) uses(way string, has, quick bool) bool {
	if named, ok := a.named[way]; ok {
		return has && named
	}
	return has && quick
}

// Of is what a device multiplies with. What a processor that plays a GPU has
// instructions for it does not say.
func (a Arithmetic) Of(p *vk.Physical) gpu.Arithmetic {
	out := gpu.Arithmetic{Dot: a.uses(wayDot, p.Features.IntegerDot, p.Features.FastIntegerDot)}
	half, bytes := matrixOf(p, false), matrixOf(p, true)
	if a.uses(wayCoop, half != gpu.Matrix{}, p.Kind != "cpu") {
		out.Half = half
		out.RoundFloats = a.uses(wayFP16, true, false)
	}
	if a.uses(wayCoop8, bytes != gpu.Matrix{}, false) { // f16 is nearer
		out.Bytes = bytes
	}
	return out
}

// leastMatrixShared is the shared memory that the kernels with matrices may take.
const leastMatrixShared = 32 << 10

// matrixOf picks the largest of a device's matrices that the kernels are written for.
func matrixOf(p *vk.Physical, bytes bool) (best gpu.Matrix) {
	size := p.Limits.SubgroupSize
	if !p.Sized() || p.Limits.SharedBytes < leastMatrixShared || size < 8 || gpu.Threads%size != 0 {
		return best
	}
	for _, m := range p.Matrices {
		fits := (m.M == 8 || m.M == 16) && (m.N == 8 || m.N == 16) && (m.K == 8 || m.K == 16 || m.K == 32)
		if m.Bytes == bytes && fits && m.M*m.N*m.K > best.M*best.N*best.K {
			best = gpu.Matrix{M: m.M, N: m.N, K: m.K, Subgroup: size}
		}
	}
	return best
}
