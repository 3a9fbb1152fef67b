package opencl

import (
	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
)

// ArithmeticVariable names the environment variable that chooses, as
// ParseArithmetic reads it, what products are computed with and activations stored as.
const ArithmeticVariable = "ZEROTH_OPENCL"

// wayDot is dot products of bytes, for weights of 8 or 4 bits.
const wayDot = "dot"

// Arithmetic says which of a device's ways to multiply are used.
type Arithmetic struct{ choice gpu.Choice }

// ParseArithmetic reads a list of ways, as gpu.ParseChoice does: dot and
// gpu.WayStore16.
func ParseArithmetic(text string) (Arithmetic, error) {
	c, err := gpu.ParseChoice(text, wayDot, gpu.WayStore16)
	return Arithmetic{c}, err
}

// Of is what a device multiplies with. Any can be made to multiply bytes: it is of
// use where the device has an instruction for it. What a processor that plays a GPU
// has one for it does not say. Any can store f16, too: OpenCL asks for that.
func (a Arithmetic) Of(p *cl.Physical) gpu.Arithmetic {
	return gpu.Arithmetic{
		Dot:     a.choice.Uses(wayDot, true, p.Features.FastIntegerDot && p.Kind != "cpu"),
		Store16: a.choice.Uses(gpu.WayStore16, true, false),
	}
}
