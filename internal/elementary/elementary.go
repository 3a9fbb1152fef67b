package elementary

import "math"

// ln 2 in two parts, of which the first has 21 trailing zero bits: its product
// with an exponent is exact.
const (
	log2E   = 1.44269504088896338700
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// Exp is eˣ:
//
//	x = n·ln 2 + r, |r| ≤ ½ ln 2;  eˣ = 2ⁿ · Σ_{i≤13} rⁱ / i!
func Exp(x float64) float64 {
	switch {
	case x != x || x > 710:
		return x * math.Inf(1) // NaN or +Inf
	case x < -746:
		return 0
	}
	n := math.RoundToEven(float64(x * log2E))
	r := (x - float64(n*ln2High)) - float64(n*ln2Low)
	sum := 1.0
	for i := 13.0; i >= 1; i-- {
		sum = float64(sum*r)/i + 1
	}
	half := math.Trunc(n / 2) // 2ⁿ itself may be out of range
	return sum * powerOfTwo(half) * powerOfTwo(n-half)
}

// powerOfTwo is 2ⁿ for −1022 ≤ n ≤ 1023.
func powerOfTwo(n float64) float64 { return math.Float64frombits(uint64(int64(n)+1023) << 52) }

// Log is the natural logarithm of x:
//
//	x = 2ⁿ · m, √½ ≤ m < √2;  f = (m − 1) / (m + 1)
//	log x = n·ln 2 + 2f · Σ_{i≤11} f²ⁱ / (2i + 1)
func Log(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x < 0:
		return math.NaN()
	case x != x || math.IsInf(x, 1):
		return x
	}
	m, exponent := math.Frexp(x) // ½ ≤ m < 1
	if m < math.Sqrt2/2 {
		m *= 2
		exponent--
	}
	n := float64(exponent)
	f := (m - 1) / (m + 1)
	square := float64(f * f)
	rest := 0.0 // of the sum, behind its first term
	for i := 11.0; i >= 1; i-- {
		rest = float64((rest + 1/(2*i+1)) * square)
	}
	return float64(n*ln2High) + (2*f + (float64(2*f*rest) + float64(n*ln2Low)))
}

// CosPi is cos(π·t) for 0 ≤ t ≤ 1.
func CosPi(t float64) float64 {
	switch {
	case t > 0.5:
		return -CosPi(1 - t)
	case t > 0.25:
		x := float64(math.Pi * (0.5 - t))
		return float64(x * series(x, 3))
	default:
		return series(float64(math.Pi*t), 2)
	}
}

// series is 1 − x²/((first−1)·first) · (1 − x²/((first+1)·(first+2)) · (1 − …)),
// for |x| ≤ π/4: the cosine for first = 2, the sine over x for first = 3.
func series(x, first float64) float64 {
	square := float64(x * x)
	sum := 1.0
	for i := first + 16; i >= first; i -= 2 {
		sum = 1 - float64(square*sum)/((i-1)*i)
	}
	return sum
}
