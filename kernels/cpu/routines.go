package cpu

import (
	"sync"

	"zeroth/runtime/platform"
)

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
	// column runs fn for tiles one below the other; nil where that gains nothing.
	column microColumn
	// narrow is column for processors that load 64 bits at a time; nil where column
	// serves them as well.
	narrow microColumn
}

// microFunc is the function of a microKernel. kc may be 0. panel is the
// distance in elements between adjacent panels of b.
type microFunc func(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int)

// microColumn is a microFunc for tiles one below the other, tiles ≥ 1 of them:
// tile t has a[t*MR*kc:], d[t*MR*ldd:] and c[t*MR*ldc:]. With every columnStep
// columns of k it begins to bring a line of memory for each panel of b into the second
// cache, at next and apart bytes behind it first and then step bytes further each
// time; it reads nothing there.
type microColumn func(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int)

// columnStep is how many columns of k a microColumn takes at a time.
const columnStep = 4

// routines is everything that depends on the instruction set. The doc of a
// field is the loop it computes; dst may be any of the sources.
type routines struct {
	needs Features
	gemm  microKernel
	// codes is the micro-kernel for packed weights, with the loops around it.
	codes codeKernel
	// codesQ4 is that for Q4, where it is another: its sums need to be right
	// only for levels from −8 to 8, groups of at most 8 words, and start being
	// what shift asks for.
	codesQ4 codeKernel
	// codesBF16 is that for bfloat16, where there is one.
	codesBF16 codeKernel
	// roundBF16: dst[i] = x[i] to the nearest bfloat16, ties to even.
	roundBF16 func(dst []uint16, x []float32)
	// largest: the greatest |x[i]|; NaN or +Inf where x has one.
	largest func(x []float32) float32
	// pairRows: mean[i] = a[i]/2 + b[i]/2 − first[i], half[i] = a[i]/2 − b[i]/2, and
	// most what largest gives of either. first may be empty: zeros.
	pairRows func(mean, half, a, b, first []float32, most *[2]float32)
	// roundCodes: dst[i] = x[i] · factor to the nearest integer, ties to even.
	roundCodes func(dst []int8, x []float32, factor float32)
	// splitCodes makes rows of y of those of products of codes.
	splitCodes func(codeSplit)
	// unpackCodes turns 64-byte vectors of 4-bit codes into two of levels each:
	// dst[128·v + i] = levels[src[64·v+i] & 15], dst[128·v + 64 + i] that of >> 4.
	unpackCodes func(dst, src []byte, levels *[16]int8)
	// sumCodes: dst[g*stride+j] = factor · Σ of the signed bytes of words
	// 64·v + 4·j …+3 of group g, j < 16, a group being size bytes.
	sumCodes func(dst []int32, stride int, words []byte, size int, factor int32)
	// halfScales decodes rows of 16 float16: dst[g*stride+i] = src[16·g + i].
	halfScales func(dst []float32, stride int, src []byte)
	// byteScales: dst[g*stride+i] = float32(src[16·g + i]) · rows[i], i < 16.
	byteScales func(dst []float32, stride int, src []byte, rows *[16]float32)
	// widenBrains decodes words of two bfloat16: dst[32·v + 16·b + i] is number b
	// of word 16·v + i.
	widenBrains func(dst []float32, words []byte)
	// narrowBrains is its inverse: number b of word 16·v + i is x[32·v + 16·b + i]
	// rounded to the nearest bfloat16, ties to even.
	narrowBrains func(words []byte, x []float32)
	// ditherBrains is narrowBrains, rounded by noise.DitherBF16 with dither in the
	// order of x.
	ditherBrains func(words []byte, x []float32, dither []uint32)
	// dither: d[i] = noise.Dither at index first+i.
	dither func(d []uint32, seed [2]uint32, site, first uint32)
	// fetch begins to bring what is at b into the second cache, without waiting
	// for it; nil where nothing is known to gain by it, or columns of tiles do it.
	fetch func(b []byte)
	// pack copies a panel of width rows of kc elements, row i at src[i*ld],
	// to dst[k*width+i]. Rows past rows are undefined: their products are
	// thrown away. It may write up to packSlack elements past the panel.
	pack func(dst, src []float32, ld, rows, width, kc int)
	// add: dst[i] = a[i] + b[i].
	add func(dst, a, b []float32)
	// addScaled: dst[i] = x[i] + factor · y[i], the product rounded to float32.
	addScaled func(dst, x, y []float32, factor float32)
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
	// sum: Σ x[i] in float64.
	sum func(x []float32) float64
	// centredSquares: Σ ((x[i] − high) − low)².
	centredSquares func(x []float32, high, low float32) float32
	// standardise: dst[i] = ((x[i] − high) − low) · factor · scale[i] + bias[i].
	standardise func(dst, x, scale, bias []float32, high, low, factor float32)
	// turnHalves turns the pairs (i, half+i) of each head of 2·half elements, of
	// which x is made, half being len(cos): a, b := x[i], x[half+i],
	// y[i] = a·cos[i] − b·sin[i], y[half+i] = b·cos[i] + a·sin[i].
	turnHalves func(y, x, cos, sin []float32)
	// turnPairs is turnHalves for the pairs (2i, 2i+1).
	turnPairs func(y, x, cos, sin []float32)
	// maximum: the largest x[i] that is not NaN, or −Inf.
	maximum func(x []float32) float32
	// expSum: x[i] = exp((x[i] − shift) · scale), and returns their sum.
	expSum func(x []float32, shift, scale float32) float32
	// strided: y[i*ldy+j] = factor · Σ_{k<K} x[i*ldx+k*step] · b[k*16+j] for
	// i < rows and j < 16; K and rows are not 0. It may write up to stridedSlack
	// further rows of y.
	strided func(y []float32, ldy int, x []float32, ldx, step, rows, K int, b []float32, factor float32)
	// project: strided for a step of 1 where only the first columns ≤ 16 are wanted;
	// nil where strided is as quick.
	project func(y []float32, ldy int, x []float32, ldx, rows, columns, K int, b []float32, factor float32)
	// columnMaximum: most[j] = the largest of most[j] and of all x[i*16+j] that
	// are not NaN.
	columnMaximum func(most *[16]float32, x []float32)
	// columnExpSum: x[i*16+j] = exp(x[i*16+j] − shift[j]), and sum[j] grows by
	// each of them.
	columnExpSum func(x []float32, shift, sum *[16]float32)
	// columnScaleAdd: y[i*16+j] = y[i*16+j] · factor[j] + x[i*16+j], the product
	// rounded to float32.
	columnScaleAdd func(y, x []float32, factor *[16]float32)
	// rademacher: z[i] = noise.Rademacher at index first+i.
	rademacher func(z []float32, seed [2]uint32, site, query, first uint32)
	// gaussian: z[i] = noise.Gaussian at index first+i.
	gaussian func(z []float32, seed [2]uint32, site, query, first uint32)
}

// packSlack is how far past its panel pack may write.
const packSlack = 16

// stridedSlack is how many rows past its last one strided may write.
const stridedSlack = 7

// choose returns the first row of the table that f covers. The last row needs
// nothing.
func choose(f Features) *routines {
	table := archRoutines()
	for i := range table {
		if f.covers(table[i].needs) {
			if narrowLoads() {
				table[i].suitNarrowLoads()
			}
			return &table[i]
		}
	}
	plain := genericRoutines()
	return &plain
}

// narrowLoads reports whether no processor here loads 128 bits at once. It changes
// no bits.
var narrowLoads = sync.OnceValue(platform.NarrowLoads)

// suitNarrowLoads picks the kernels for processors that load 64 bits at a time.
func (r *routines) suitNarrowLoads() {
	if r.gemm.narrow != nil {
		r.gemm.column = r.gemm.narrow
	}
	for _, k := range []*codeKernel{&r.codes, &r.codesQ4, &r.codesBF16} {
		if k.narrow != nil {
			k.column = k.narrow
		}
	}
}

// Used are the features that the kernels for f make use of: those of the best
// level of f that kernels are written for.
func Used(f Features) Features { return choose(f).needs }

// genericRoutines are the plain Go twins.
func genericRoutines() routines {
	return routines{
		gemm: microKernel{name: "4x16_generic", MR: 4, NR: 16, fn: gemm4x16Generic},
		pack: packGeneric,
		codes: codeKernel{
			name: "4x16_generic", MR: 4, NR: 16, fn: code4x16Generic, pack: packQuads(4), xBytes: 4, wBytes: 4, step: 1,
		},
		roundBF16:    roundBF16Generic,
		largest:      largestGeneric,
		pairRows:     pairRowsGeneric,
		roundCodes:   roundCodesGeneric,
		splitCodes:   splitCodesGeneric,
		unpackCodes:  unpackCodesGeneric,
		sumCodes:     sumCodesGeneric,
		halfScales:   halfScalesGeneric,
		byteScales:   byteScalesGeneric,
		widenBrains:  widenBrainsGeneric,
		narrowBrains: narrowBrainsGeneric,
		ditherBrains: ditherBrainsGeneric,
		dither:       ditherGeneric,
		add:          addGeneric,
		addScaled:    addScaledGeneric,
		swiglu:       swigluGeneric,
		gelu:         geluGeneric,
		relu:         reluGeneric,
		sumSquares:   sumSquaresGeneric,
		scaleBy:      scaleByGeneric,
		maximum:      maximumGeneric,
		expSum:       expSumGeneric,
		strided:      stridedGeneric,

		sum:            sumGeneric,
		centredSquares: centredSquaresGeneric,
		standardise:    standardiseGeneric,
		turnHalves:     turnHalvesGeneric,
		turnPairs:      turnPairsGeneric,
		columnMaximum:  columnMaximumGeneric,
		columnExpSum:   columnExpSumGeneric,
		columnScaleAdd: columnScaleAddGeneric,

		gaussian:   gaussianGeneric,
		rademacher: rademacherGeneric,
	}
}
