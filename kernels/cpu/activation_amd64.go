package cpu

// geluAVX2: dst[i] = x[i] · (½ + h(x[i])) for i < n, a multiple of 8, h being
// that of the curve.
//
//go:noescape
func geluAVX2(dst, x *float32, n int, curve *geluCurve)

// reluAVX2: dst[i] = max(x[i], 0) for i < n, a multiple of 8; NaN stays NaN.
//
//go:noescape
func reluAVX2(dst, x *float32, n int)

// geluVectors is routines.gelu.
func geluVectors(dst, x []float32, curve *geluCurve) {
	n := len(dst) &^ (lanes - 1)
	x = x[:len(dst)]
	if n > 0 {
		geluAVX2(&dst[0], &x[0], n, curve)
	}
	if n < len(dst) {
		var last [lanes]float32
		copy(last[:], x[n:])
		geluAVX2(&last[0], &last[0], lanes, curve)
		copy(dst[n:], last[:])
	}
}

// reluVectors is routines.relu.
func reluVectors(dst, x []float32) {
	n := len(dst) &^ (lanes - 1)
	x = x[:len(dst)]
	if n > 0 {
		reluAVX2(&dst[0], &x[0], n)
	}
	reluGeneric(dst[n:], x[n:])
}
