// Package gpu computes ops on a device that runs kernels over buffers, whatever
// the interface that it is reached by. kernels/vulkan and kernels/opencl give it
// a Device; it knows neither.
//
// An op becomes a node: stages in order, each a kernel of the device (Kernel,
// with constants that it is compiled for), the buffers that it works on, and a
// function that gives its parameters and the number of work groups for the
// extents of the moment. A node knows its tensors by their places on the device
// (memory); where those come from is not its business.
//
// Partitions of a method become lists of stages (executable): constants are
// uploaded once a session and shared by its methods, slots live on the device,
// temporaries in one arena that all partitions share, planned by runtime/plan.
// A partition is recorded once; a run uploads its inputs and those parameters
// that have changed, and outputs come back when they are asked for. The kernels
// for the registry, whose tensors lie in host memory, are partitions of one node
// (backend.Kernels).
//
// What each kernel computes, and what its buffers and parameters are, is written
// in kernels/vulkan/shaders; other devices' kernels take the same. Stages that
// share bytes of which one is written run one after another; a device may run
// all others together (Waits).
//
// Where the user wants it and the device can, activations lie in memory as f16
// (Arithmetic.Store16): kernels have a variant that loads and stores them so and
// computes in f32.
//
// The tiles of products are tried on the device, once for each class of shapes, and
// kept in the user's cache (tuner).
//
// A tensor that is larger than a kernel can address in one buffer (128 MiB on
// many devices) is split by rows, and an op runs once for each part, if it is a
// weight matrix; any other fails when it is bound.
package gpu
