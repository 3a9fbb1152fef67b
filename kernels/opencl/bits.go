package opencl

import "zeroth/kernels/gpu"

// Bits names the kernels of this build, as gpu.CodeName does.
func Bits() string { return gpu.CodeName(sources) }
