//go:build amd64 || arm64

package cpu

// addScaledLoop: dst[i] = x[i] + factor * y[i] for i < n, a multiple of 8; the
// product and the sum are rounded.
//
//go:noescape
func addScaledLoop(dst, x, y *float32, n int, factor float32)

// addScaledVectors is routines.addScaled.
func addScaledVectors(dst, x, y []float32, factor float32) {
	n := len(dst) &^ (lanes - 1)
	x, y = x[:len(dst)], y[:len(dst)]
	if n > 0 {
		addScaledLoop(&dst[0], &x[0], &y[0], n, factor)
	}
	addScaledGeneric(dst[n:], x[n:], y[n:], factor)
}
