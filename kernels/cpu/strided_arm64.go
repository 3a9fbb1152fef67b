package cpu

// strided6x16Loop multiplies six rows of K elements. K may be 0.
//
//	y[i*ldy+j] = factor · Σ_{k<K} rows[i][k*step] * b[k*16+j]    for i < 6, j < 16
//
//go:noescape
func strided6x16Loop(K int, rows *[6]*float32, step int, b *float32, y *float32, ldy int, factor float32)

// stridedVectors is routines.strided. The last rows, fewer than six, are joined
// by repetitions of the last one.
func stridedVectors(y []float32, ldy int, x []float32, ldx, step, rows, K int, b []float32, factor float32) {
	const tile = 6
	_, _, _ = y[(roundUp(rows, tile)-1)*ldy+15], x[(rows-1)*ldx+(K-1)*step], b[16*K-1]
	for i := 0; i < rows; i += tile {
		var six [tile]*float32
		for j := range six {
			six[j] = &x[min(i+j, rows-1)*ldx]
		}
		strided6x16Loop(K, &six, step, &b[0], &y[i*ldy], ldy, factor)
	}
}
