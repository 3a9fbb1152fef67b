//go:build amd64 || arm64

package cpu

// sumLoop: Σ x[i] in float64 for i < n, a multiple of 8.
//
//go:noescape
func sumLoop(x *float32, n int) float64

// centredSquaresLoop: Σ ((x[i] − high) − low)² for i < n, a multiple of 8.
//
//go:noescape
func centredSquaresLoop(x *float32, n int, high, low float32) float32

// standardiseLoop: dst[i] = ((x[i] − high) − low) * factor * scale[i] + bias[i]
// for i < n, a multiple of 8.
//
//go:noescape
func standardiseLoop(dst, x, scale, bias *float32, n int, high, low, factor float32)

// sumVectors is routines.sum.
func sumVectors(x []float32) float64 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return sumGeneric(x)
	}
	return sumLoop(&x[0], n) + sumGeneric(x[n:])
}

// centredSquaresVectors is routines.centredSquares.
func centredSquaresVectors(x []float32, high, low float32) float32 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return centredSquaresGeneric(x, high, low)
	}
	return centredSquaresLoop(&x[0], n, high, low) + centredSquaresGeneric(x[n:], high, low)
}

// standardiseVectors is routines.standardise.
func standardiseVectors(dst, x, scale, bias []float32, high, low, factor float32) {
	n := len(dst) &^ (lanes - 1)
	x, scale, bias = x[:len(dst)], scale[:len(dst)], bias[:len(dst)]
	if n > 0 {
		standardiseLoop(&dst[0], &x[0], &scale[0], &bias[0], n, high, low, factor)
	}
	standardiseGeneric(dst[n:], x[n:], scale[n:], bias[n:], high, low, factor)
}
