package cpu

import "math"

// Constants of exp: x = n·ln 2 + r with |r| ≤ ½ ln 2, ln 2 in two parts of which
// the first has few enough bits for n·ln2High to be exact.
const (
	expLog2E   = 1.44269504088896341
	expLn2High = 0.693359375
	expLn2Low  = -2.12194440054690583e-4
	expRound   = 12582912 // 1.5·2²³: adding and subtracting it rounds to an integer
	expLeast   = -104     // exp is 0 from here down
	expMost    = 89       // exp is +Inf from here up
)

// expPoly are the coefficients of (exp(r) − 1 − r) / r², lowest power first:
// interpolated at Chebyshev nodes over |r| ≤ ½ ln 2.
var expPoly = [6]float32{0.5000000013, 0.1666666668, 0.0416664646, 0.00833331089, 0.001393368586, 0.0001989103066}

// exp32 is eˣ within 2 units in the last place; it keeps NaN, and gives 0, +Inf
// and subnormal results where they are due.
func exp32(x float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, expLeast), expMost)
	n := float32(x*expLog2E) + expRound - expRound
	r := (x - float32(n*expLn2High)) - float32(n*expLn2Low)
	p := expPoly[5]
	for i := 4; i >= 0; i-- {
		p = float32(p*r) + expPoly[i]
	}
	p = float32(p*r*r) + r + 1
	half := int32(n) >> 1
	return p * powerOfTwo(half) * powerOfTwo(int32(n)-half)
}

// powerOfTwo is 2ⁿ for −126 ≤ n ≤ 127.
func powerOfTwo(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

func addGeneric(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func addScaledGeneric(dst, x, y []float32, factor float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] + float32(factor*y[i])
	}
}

func swigluGeneric(dst, gate, up []float32) {
	gate, up = gate[:len(dst)], up[:len(dst)]
	for i := range dst {
		dst[i] = gate[i] / (1 + exp32(-gate[i])) * up[i]
	}
}

func sumSquaresGeneric(x []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(x) >= 4 {
		s0 += float32(x[0] * x[0])
		s1 += float32(x[1] * x[1])
		s2 += float32(x[2] * x[2])
		s3 += float32(x[3] * x[3])
		x = x[4:]
	}
	for _, v := range x {
		s0 += float32(v * v)
	}
	return (s0 + s1) + (s2 + s3)
}

func scaleByGeneric(dst, x, scale []float32, factor float32) {
	x, scale = x[:len(dst)], scale[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * factor * scale[i]
	}
}

func maximumGeneric(x []float32) float32 {
	most := float32(math.Inf(-1))
	for _, v := range x {
		if v > most {
			most = v
		}
	}
	return most
}

func expSumGeneric(x []float32, shift, scale float32) float32 {
	var sum float32
	for i, v := range x {
		e := exp32((v - shift) * scale)
		x[i] = e
		sum += e
	}
	return sum
}

// stridedGeneric goes by two rows and four columns, whose sums fit registers.
func stridedGeneric(y []float32, ldy int, x []float32, ldx, step, rows, K int, b []float32, factor float32) {
	b = b[:16*K]
	for i := 0; i < rows; i += 2 {
		first, second := x[i*ldx:], x[min(i+1, rows-1)*ldx:]
		to := [2][]float32{y[i*ldy:][:16], y[min(i+1, rows-1)*ldy:][:16]}
		for j := 0; j < 16; j += 4 {
			var a0, a1, a2, a3, b0, b1, b2, b3 float32
			for k := range K {
				u, v, w := first[k*step], second[k*step], b[k*16+j:][:4]
				a0 += float32(u * w[0])
				a1 += float32(u * w[1])
				a2 += float32(u * w[2])
				a3 += float32(u * w[3])
				b0 += float32(v * w[0])
				b1 += float32(v * w[1])
				b2 += float32(v * w[2])
				b3 += float32(v * w[3])
			}
			for row, sums := range [2][4]float32{{a0, a1, a2, a3}, {b0, b1, b2, b3}} {
				for c, sum := range sums {
					to[row][j+c] = factor * sum
				}
			}
		}
	}
}

func columnMaximumGeneric(most *[16]float32, x []float32) {
	for i, v := range x {
		if v > most[i%16] {
			most[i%16] = v
		}
	}
}

func columnExpSumGeneric(x []float32, shift, sum *[16]float32) {
	for i, v := range x {
		e := exp32(v - shift[i%16])
		x[i] = e
		sum[i%16] += e
	}
}

func columnScaleAddGeneric(y, x []float32, factor *[16]float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = float32(y[i]*factor[i%16]) + v
	}
}
