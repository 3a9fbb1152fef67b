//go:build !amd64 && !arm64

package cpu

// detect knows no kernels but the plain ones for this architecture.
func detect() (Features, string) { return Features{}, "the architecture" }
