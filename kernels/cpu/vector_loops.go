//go:build amd64 || arm64

package cpu

// The assembly of vector_avx2_amd64.s, and of vector_neon.S and exp_neon.S in
// arm64src, for multiples of eight elements. What is made of it stands in
// vector.go.

// addLoop: dst[i] = a[i] + b[i] for i < n, a multiple of 8.
//
//go:noescape
func addLoop(dst, a, b *float32, n int)

// scaleByLoop: dst[i] = x[i] * factor * scale[i] for i < n, a multiple of 8.
//
//go:noescape
func scaleByLoop(dst, x, scale *float32, n int, factor float32)

// sumSquaresLoop: Σ_{i<n} x[i]², n a multiple of 8.
//
//go:noescape
func sumSquaresLoop(x *float32, n int) float32

// maximumLoop: the largest of n, a multiple of 8, elements that is not NaN, or −Inf.
//
//go:noescape
func maximumLoop(x *float32, n int) float32

// expSumLoop: x[i] = exp((x[i] − shift) · scale) for i < n, a multiple of 8,
// and their sum.
//
//go:noescape
func expSumLoop(x *float32, n int, shift, scale float32) float32

// swigluLoop: dst[i] = gate[i] / (1 + exp(−gate[i])) · up[i] for i < n, a
// multiple of 8.
//
//go:noescape
func swigluLoop(dst, gate, up *float32, n int)
