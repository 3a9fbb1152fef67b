package cpu

// project6x16AVX2 projects six rows of K elements. K may be 0.
//
//	y[i*ldy+j] = factor · Σ_{k<K} rows[i][k] * a[k*16+j]    for i < 6, j < 16
//
//go:noescape
func project6x16AVX2(K int, rows *[6]*float32, a *float32, y *float32, ldy int, factor float32)

// projectAVX2 is routines.project. The last rows, fewer than six, are joined by
// repetitions of the last one.
func projectAVX2(y []float32, ldy int, x []float32, ldx, rows, K int, a []float32, factor float32) {
	const step = 6
	_, _, _ = y[(roundUp(rows, step)-1)*ldy+15], x[(rows-1)*ldx+K-1], a[16*K-1]
	for i := 0; i < rows; i += step {
		var six [step]*float32
		for j := range six {
			six[j] = &x[min(i+j, rows-1)*ldx]
		}
		project6x16AVX2(K, &six, &a[0], &y[i*ldy], ldy, factor)
	}
}
