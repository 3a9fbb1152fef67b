//go:build amd64 || arm64

package cpu

// The routines made of the vector loops of this architecture, which take
// multiples of lanes elements. The last elements, fewer than eight, go through a
// vector of their own, so that an element's bits do not depend on where it lies.

// lanes is how many elements a loop takes at once: one vector of AVX2, two of
// NEON.
const lanes = 8

// addVectors is routines.add.
func addVectors(dst, a, b []float32) {
	n := len(dst) &^ (lanes - 1)
	a, b = a[:len(dst)], b[:len(dst)]
	if n > 0 {
		addLoop(&dst[0], &a[0], &b[0], n)
	}
	addGeneric(dst[n:], a[n:], b[n:])
}

// scaleByVectors is routines.scaleBy.
func scaleByVectors(dst, x, scale []float32, factor float32) {
	n := len(dst) &^ (lanes - 1)
	x, scale = x[:len(dst)], scale[:len(dst)]
	if n > 0 {
		scaleByLoop(&dst[0], &x[0], &scale[0], n, factor)
	}
	scaleByGeneric(dst[n:], x[n:], scale[n:], factor)
}

// sumSquaresVectors is routines.sumSquares.
func sumSquaresVectors(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return sumSquaresGeneric(x)
	}
	return sumSquaresLoop(&x[0], n) + sumSquaresGeneric(x[n:])
}

// maximumVectors is routines.maximum.
func maximumVectors(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return maximumGeneric(x)
	}
	return max(maximumLoop(&x[0], n), maximumGeneric(x[n:]))
}

// expSumVectors is routines.expSum.
func expSumVectors(x []float32, shift, scale float32) float32 {
	n := len(x) &^ (lanes - 1)
	var sum float32
	if n > 0 {
		sum = expSumLoop(&x[0], n, shift, scale)
	}
	if n < len(x) {
		var last [lanes]float32
		copy(last[:], x[n:])
		expSumLoop(&last[0], lanes, shift, scale)
		copy(x[n:], last[:])
		for _, e := range x[n:] {
			sum += e
		}
	}
	return sum
}

// swigluVectors is routines.swiglu.
func swigluVectors(dst, gate, up []float32) {
	n := len(dst) &^ (lanes - 1)
	gate, up = gate[:len(dst)], up[:len(dst)]
	if n > 0 {
		swigluLoop(&dst[0], &gate[0], &up[0], n)
	}
	if n < len(dst) {
		var g, u [lanes]float32
		copy(g[:], gate[n:])
		copy(u[:], up[n:])
		swigluLoop(&g[0], &g[0], &u[0], lanes)
		copy(dst[n:], g[:])
	}
}
