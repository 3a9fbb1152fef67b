package cpu

// strided8x16AVX512 multiplies eight rows of K elements. K may be 0.
//
//	y[i*ldy+j] = factor · Σ_{k<K} rows[i][k*step] * b[k*16+j]    for i < 8, j < 16
//
//go:noescape
func strided8x16AVX512(K int, rows *[8]*float32, step int, b *float32, y *float32, ldy int, factor float32)

// stridedWide is routines.strided by tiles of eight rows.
func stridedWide(y []float32, ldy int, x []float32, ldx, step, rows, K int, b []float32, factor float32) {
	const tile = 8
	_, _, _ = y[(roundUp(rows, tile)-1)*ldy+15], x[(rows-1)*ldx+(K-1)*step], b[16*K-1]
	for i := 0; i < rows; i += tile {
		var eight [tile]*float32
		for j := range eight {
			eight[j] = &x[min(i+j, rows-1)*ldx]
		}
		strided8x16AVX512(K, &eight, step, &b[0], &y[i*ldy], ldy, factor)
	}
}

// columnMaximumAVX512: most[j] = max(most[j], x[i*16+j] for i < rows), without
// NaN.
//
//go:noescape
func columnMaximumAVX512(most, x *float32, rows int)

// columnExpSumAVX512: x[i*16+j] = exp(x[i*16+j] − shift[j]), which are added to
// sum[j], for i < rows, j < 16.
//
//go:noescape
func columnExpSumAVX512(x *float32, rows int, shift, sum *float32)

// columnMaximumWide is routines.columnMaximum.
func columnMaximumWide(most *[16]float32, x []float32) {
	if len(x) > 0 {
		columnMaximumAVX512(&most[0], &x[0], len(x)/16)
	}
}

// columnExpSumWide is routines.columnExpSum.
func columnExpSumWide(x []float32, shift, sum *[16]float32) {
	if len(x) > 0 {
		columnExpSumAVX512(&x[0], len(x)/16, &shift[0], &sum[0])
	}
}
