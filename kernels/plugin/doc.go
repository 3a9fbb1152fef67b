// Package plugin loads vendors' kernels and delegates: shared libraries behind
// the C interface of zeroth_backend.h, which is the contract and says who owns
// what and who may call when.
//
//	p, err := plugin.Open("./libx.so", plugin.Options{})
//	registry, err := kernel.NewRegistry(p.Preferred(cpuKernels), cpuKernels)
//
// A file is looked at before it is loaded, its table before anything in it is
// called, and what it returns is never believed: a status, a size, a string out
// of range is an error that names the plug-in. Code in the process can still do
// anything; docs/PLUGINS.md says what nothing here protects against.
//
// [Plugin.Kernels] are the plug-in's kernels as they are, for the conformance
// suite. [Plugin.Preferred] are those that a session should have: where one
// fails, the node is computed by another kernel, and so are the op's others from
// then on. [Plugin.Delegate] takes partitions.
//
// The structs of abi.go have the layout of those in C; a test compiles a probe
// that compares them.
package plugin
