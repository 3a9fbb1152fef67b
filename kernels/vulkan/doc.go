// Package vulkan computes ops on devices that Vulkan lists: GPUs, and llvmpipe,
// which is one in software. It gives kernels/gpu a device; what an op is made of
// is there.
//
// The shaders are GLSL (shaders/*.comp), compiled ahead by `make shaders` and
// embedded. They read weights of every type as the program file has them, make
// perturbations on the device with the bits of runtime/noise, and sum in f32;
// activations lie in memory as f32, or as f16 in the variants compiled with HALF; products are by dot products of bytes or by cooperative
// matrices of a rounded x where the device is quick at that (Arithmetic). What
// Vulkan leaves to the driver, they do not use where it would matter: exp, the
// rounding of a division, fused additions, subnormal halves.
//
// A list of stages is recorded once (recording): parameters and numbers of work
// groups lie in a buffer that the host writes before a run, and only where they
// have changed.
//
// The tool makes the backend from it. It uses kernels/vulkan/vk, and nothing
// outside of that knows Vulkan.
package vulkan
