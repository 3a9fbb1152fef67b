package vulkan

import (
	"fmt"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

// ArithmeticVariable names the environment variable that chooses, as
// ParseArithmetic reads it, what products are computed with and whether activations
// are stored as f16.
const ArithmeticVariable = "ZEROTH_VULKAN"

// Arithmetic says which of a device's ways to multiply are used, and how activations
// are stored.
type Arithmetic struct{ choice gpu.Choice }

// The ways, by name.
const (
	wayDot   = "dot"   // dot products of bytes, for weights of 8 or 4 bits
	wayCoop  = "coop"  // cooperative matrices of f16, for weights of 8 or 4 bits
	wayCoop8 = "coop8" // cooperative matrices of bytes, for weights of i8
	wayFP16  = "fp16"  // the same for weights of bf16 and f32, whose products lose by it
)

var ways = []string{wayDot, wayCoop, wayCoop8, wayFP16, gpu.WayStore16}

// ParseArithmetic reads a list of ways, as gpu.ParseChoice does.
func ParseArithmetic(text string) (Arithmetic, error) {
	c, err := gpu.ParseChoice(text, ways...)
	return Arithmetic{c}, err
}

// Of is what a device multiplies with and how it stores activations. An error wraps
// gpu.ErrChoice where that is to be as f16 and the device cannot.
func (a Arithmetic) Of(p *vk.Physical) (gpu.Arithmetic, error) {
	out := a.products(p)
	var err error
	if out.Store16, err = a.choice.Store16(p.Features.FP16Storage); err != nil {
		err = fmt.Errorf("%s: %w", p.Name, err)
	}
	return out, err
}

// products is what a device multiplies with. What a processor that plays a GPU has
// instructions for it does not say. A device whose shaders may have too few buffers
// multiplies in f32.
func (a Arithmetic) products(p *vk.Physical) gpu.Arithmetic {
	if p.Limits.StorageBuffers < vk.MostBindings {
		return gpu.Arithmetic{}
	}
	out := gpu.Arithmetic{Dot: a.choice.Uses(wayDot, p.Features.IntegerDot, p.Features.FastIntegerDot)}
	half, bytes := matrixOf(p, false), matrixOf(p, true)
	if a.choice.Uses(wayCoop, half != gpu.Matrix{}, p.Kind != "cpu") {
		out.Half = half
		out.RoundFloats = a.choice.Uses(wayFP16, true, false)
	}
	if a.choice.Uses(wayCoop8, bytes != gpu.Matrix{}, false) { // f16 is nearer
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
