package cpu

// microKernel computes one tile of a matrix product in registers:
//
//	for i := range MR {
//		for j := range NR {
//			c[i*ldc+j] = d[i*ldd+j] + Σ_{k<kc} a[k*MR+i] * b[j/16*panel+k*16+j%16]
//		}
//	}
//
// The sum is accumulated from zero in order of k, then added to d. d may be c.
// With ldd = 0 one row, such as a bias, serves all.
type microKernel struct {
	name   string // tile and instruction set: "6x16_avx2"
	MR, NR int    // NR is 16, or 32: two adjacent panels
	fn     microFunc
	// half is the same with NR = 16, for the odd panel at the end; nil where
	// NR is 16.
	half microFunc
}

// microFunc is the function of a microKernel. kc may be 0. panel is the
// distance in elements between adjacent panels of b.
type microFunc func(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)

// routines is everything that depends on the instruction set. The doc of a
// field is the loop it computes; dst may be any of the sources.
type routines struct {
	needs Features
	gemm  microKernel
	// pack copies a panel of width rows of kc elements, row i at src[i*ld],
	// to dst[k*width+i]. Rows past rows are undefined: their products are
	// thrown away. It may write up to packSlack elements past the panel.
	pack func(dst, src []float32, ld, rows, width, kc int)
	// add: dst[i] = a[i] + b[i].
	add func(dst, a, b []float32)
	// swiglu: dst[i] = gate[i] / (1 + exp(−gate[i])) · up[i].
	swiglu func(dst, gate, up []float32)
	// gelu: dst[i] = x[i] · (½ + h(x[i])), h being that of the curve.
	gelu func(dst, x []float32, curve *geluCurve)
	// relu: dst[i] = max(x[i], 0).
	relu func(dst, x []float32)
	// sumSquares: Σ x[i]².
	sumSquares func(x []float32) float32
	// scaleBy: dst[i] = x[i] · factor · scale[i].
	scaleBy func(dst, x, scale []float32, factor float32)
	// maximum: the largest x[i] that is not NaN, or −Inf.
	maximum func(x []float32) float32
	// expSum: x[i] = exp((x[i] − shift) · scale), and returns their sum.
	expSum func(x []float32, shift, scale float32) float32
	// mixRows: dst[c] = factor · Σ_{j<len(p)} p[j] · v[j*ld+c] for c < len(dst).
	mixRows func(dst, p, v []float32, ld int, factor float32)
	// gaussian: z[i] = noise.Gaussian at index first+i.
	gaussian func(z []float32, seed [2]uint32, site, query, first uint32)
}

// packSlack is how far past its panel pack may write.
const packSlack = 16

// choose returns the first row of the table that f covers. The last row needs
// nothing.
func choose(f Features) *routines {
	table := archRoutines()
	for i := range table {
		if f.covers(table[i].needs) {
			return &table[i]
		}
	}
	plain := genericRoutines()
	return &plain
}

// genericRoutines are the plain Go twins.
func genericRoutines() routines {
	return routines{
		gemm:       microKernel{name: "4x16_generic", MR: 4, NR: 16, fn: gemm4x16Generic},
		pack:       packGeneric,
		add:        addGeneric,
		swiglu:     swigluGeneric,
		gelu:       geluGeneric,
		relu:       reluGeneric,
		sumSquares: sumSquaresGeneric,
		scaleBy:    scaleByGeneric,
		maximum:    maximumGeneric,
		expSum:     expSumGeneric,
		mixRows:    mixRowsGeneric,
		gaussian:   gaussianGeneric,
	}
}
