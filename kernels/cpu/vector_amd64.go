package cpu

// The assembly of vector_avx2_amd64.s, for multiples of eight elements, and the
// routines made of it. The last elements, fewer than eight, go through a vector
// of their own, so that an element's bits do not depend on where it lies.

const lanes = 8

// addAVX2: dst[i] = a[i] + b[i] for i < n, a multiple of 8.
//
//go:noescape
func addAVX2(dst, a, b *float32, n int)

// scaleByAVX2: dst[i] = x[i] * factor * scale[i] for i < n, a multiple of 8.
//
//go:noescape
func scaleByAVX2(dst, x, scale *float32, n int, factor float32)

// sumSquaresAVX2: Σ_{i<n} x[i]², n a multiple of 8.
//
//go:noescape
func sumSquaresAVX2(x *float32, n int) float32

// maximumAVX2: the largest of n, a multiple of 8, elements that is not NaN, or −Inf.
//
//go:noescape
func maximumAVX2(x *float32, n int) float32

// expSumAVX2: x[i] = exp((x[i] − shift) · scale) for i < n, a multiple of 8,
// and their sum.
//
//go:noescape
func expSumAVX2(x *float32, n int, shift, scale float32) float32

// swigluAVX2: dst[i] = gate[i] / (1 + exp(−gate[i])) · up[i] for i < n, a
// multiple of 8.
//
//go:noescape
func swigluAVX2(dst, gate, up *float32, n int)

// mixRows32AVX2: dst[c] = factor · Σ_{j<rows} p[j] · v[j*ld+c] for c < 32.
//
//go:noescape
func mixRows32AVX2(dst, p *float32, rows int, v *float32, ld int, factor float32)

// mixRows8AVX2: dst[c] = factor · Σ_{j<rows} p[j] · v[j*ld+c] for c < 8.
//
//go:noescape
func mixRows8AVX2(dst, p *float32, rows int, v *float32, ld int, factor float32)

// addVectors is routines.add.
func addVectors(dst, a, b []float32) {
	n := len(dst) &^ (lanes - 1)
	a, b = a[:len(dst)], b[:len(dst)]
	if n > 0 {
		addAVX2(&dst[0], &a[0], &b[0], n)
	}
	addGeneric(dst[n:], a[n:], b[n:])
}

// scaleByVectors is routines.scaleBy.
func scaleByVectors(dst, x, scale []float32, factor float32) {
	n := len(dst) &^ (lanes - 1)
	x, scale = x[:len(dst)], scale[:len(dst)]
	if n > 0 {
		scaleByAVX2(&dst[0], &x[0], &scale[0], n, factor)
	}
	scaleByGeneric(dst[n:], x[n:], scale[n:], factor)
}

// sumSquaresVectors is routines.sumSquares.
func sumSquaresVectors(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return sumSquaresGeneric(x)
	}
	return sumSquaresAVX2(&x[0], n) + sumSquaresGeneric(x[n:])
}

// maximumVectors is routines.maximum.
func maximumVectors(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if n == 0 {
		return maximumGeneric(x)
	}
	return max(maximumAVX2(&x[0], n), maximumGeneric(x[n:]))
}

// expSumVectors is routines.expSum.
func expSumVectors(x []float32, shift, scale float32) float32 {
	n := len(x) &^ (lanes - 1)
	var sum float32
	if n > 0 {
		sum = expSumAVX2(&x[0], n, shift, scale)
	}
	if n < len(x) {
		var last [lanes]float32
		copy(last[:], x[n:])
		expSumAVX2(&last[0], lanes, shift, scale)
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
		swigluAVX2(&dst[0], &gate[0], &up[0], n)
	}
	if n < len(dst) {
		var g, u [lanes]float32
		copy(g[:], gate[n:])
		copy(u[:], up[n:])
		swigluAVX2(&g[0], &g[0], &u[0], lanes)
		copy(dst[n:], g[:])
	}
}

// mixRowsVectors is routines.mixRows.
func mixRowsVectors(dst, p, v []float32, ld int, factor float32) {
	if len(p) == 0 || len(dst) == 0 {
		mixRowsGeneric(dst, p, v, ld, factor)
		return
	}
	_ = v[(len(p)-1)*ld+len(dst)-1]
	c := 0
	for ; c+32 <= len(dst); c += 32 {
		mixRows32AVX2(&dst[c], &p[0], len(p), &v[c], ld, factor)
	}
	for ; c+lanes <= len(dst); c += lanes {
		mixRows8AVX2(&dst[c], &p[0], len(p), &v[c], ld, factor)
	}
	if c < len(dst) {
		mixRowsGeneric(dst[c:], p, v[c:], ld, factor)
	}
}
