// Package vulkan computes ops on devices that Vulkan lists: GPUs, and llvmpipe,
// which is one in software.
//
// The shaders are GLSL (shaders/*.comp), compiled ahead by `make shaders` and
// embedded. They read weights of every type as the program file has them, make
// perturbations on the device with the bits of runtime/noise, keep activations
// in f32 and sum in f32. What Vulkan leaves to the driver, they do not use where
// it would matter: exp, the rounding of a division, fused additions, subnormal
// halves.
//
// An op becomes a node: dispatches in order, each a pipeline with the buffers
// that it works on, and a function that gives the push constants and the number
// of work groups for the extents of the moment (stage). A node knows its tensors
// by their places on the device (memory); where those come from is not its
// business. So far there is one kind, hostMemory: for the kernel registry, whose
// tensors lie in host memory, a kernel uploads what it reads at each run and
// downloads what it wrote. That costs more than it gains; partitions whose
// tensors stay on the device will record the same nodes.
//
// A tensor that is larger than a shader can address in one buffer (128 MiB on
// many devices) is split by rows, and an op dispatches once a part, if it is a
// weight matrix; any other fails when it is bound.
//
// The tool makes the backend from it. It uses kernels/vulkan/vk, and nothing
// outside of that knows Vulkan.
package vulkan
