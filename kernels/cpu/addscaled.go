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

// columnMaximumLoop: most[j] = max(most[j], x[i*16+j] for i < rows), without NaN.
//
//go:noescape
func columnMaximumLoop(most, x *float32, rows int)

// columnExpSumLoop: x[i*16+j] = exp(x[i*16+j] − shift[j]), which are added to
// sum[j], for i < rows, j < 16.
//
//go:noescape
func columnExpSumLoop(x *float32, rows int, shift, sum *float32)

// columnScaleAddLoop: y[i*16+j] = y[i*16+j] * factor[j] + x[i*16+j] for i < rows,
// j < 16; the product and the sum are rounded.
//
//go:noescape
func columnScaleAddLoop(y, x *float32, rows int, factor *float32)

// columnMaximumVectors is routines.columnMaximum.
func columnMaximumVectors(most *[16]float32, x []float32) {
	if len(x) > 0 {
		columnMaximumLoop(&most[0], &x[0], len(x)/16)
	}
}

// columnExpSumVectors is routines.columnExpSum.
func columnExpSumVectors(x []float32, shift, sum *[16]float32) {
	if len(x) > 0 {
		columnExpSumLoop(&x[0], len(x)/16, &shift[0], &sum[0])
	}
}

// columnScaleAddVectors is routines.columnScaleAdd.
func columnScaleAddVectors(y, x []float32, factor *[16]float32) {
	x = x[:len(y)]
	if len(y) > 0 {
		columnScaleAddLoop(&y[0], &x[0], len(y)/16, &factor[0])
	}
}
