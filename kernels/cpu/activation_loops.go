//go:build amd64 || arm64

package cpu

// geluLoop: dst[i] = x[i] · (½ + h(x[i])) for i < n, a multiple of 8, h being
// that of the curve.
//
//go:noescape
func geluLoop(dst, x *float32, n int, curve *geluCurve)

// reluLoop: dst[i] = max(x[i], 0) for i < n, a multiple of 8; NaN stays NaN.
//
//go:noescape
func reluLoop(dst, x *float32, n int)

// geluVectors is routines.gelu.
func geluVectors(dst, x []float32, curve *geluCurve) {
	n := len(dst) &^ (lanes - 1)
	x = x[:len(dst)]
	if n > 0 {
		geluLoop(&dst[0], &x[0], n, curve)
	}
	if n < len(dst) {
		var last [lanes]float32
		copy(last[:], x[n:])
		geluLoop(&last[0], &last[0], lanes, curve)
		copy(dst[n:], last[:])
	}
}

// reluVectors is routines.relu.
func reluVectors(dst, x []float32) {
	n := len(dst) &^ (lanes - 1)
	x = x[:len(dst)]
	if n > 0 {
		reluLoop(&dst[0], &x[0], n)
	}
	reluGeneric(dst[n:], x[n:])
}
