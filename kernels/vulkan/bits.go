package vulkan

import "zeroth/kernels/gpu"

// Bits names the shaders of this build, as gpu.CodeName does.
func Bits() string { return gpu.CodeName(shaders) }
