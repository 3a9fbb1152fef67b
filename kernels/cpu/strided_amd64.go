package cpu

// strided6x16AVX2 multiplies rows of K elements, rows ≥ 1, and writes up to five rows
// more, which mean nothing. K may be 0.
//
//	y[i*ldy+j] = factor · Σ_{k<K} x[i*ldx+k*step] * b[k*16+j]    for i < rows, j < 16
//
//go:noescape
func strided6x16AVX2(rows, K int, x *float32, ldx, step int, b, y *float32, ldy int, factor float32)

// stridedTiles is routines.strided.
func stridedTiles(y []float32, ldy int, x []float32, ldx, step, rows, K int, b []float32, factor float32) {
	_, _, _ = y[(roundUp(rows, 6)-1)*ldy+15], x[(rows-1)*ldx+(K-1)*step], b[16*K-1]
	strided6x16AVX2(rows, K, &x[0], ldx, step, &b[0], &y[0], ldy, factor)
}

// project12x8AVX2 multiplies rows of K elements, 12 a tile, tiles ≥ 1. K may be 0.
//
//	y[i*ldy+j] = factor · Σ_{k<K} x[i*ldx+k] * b[k*16+j]    for i < 12·tiles, j < 8
//
//go:noescape
func project12x8AVX2(tiles, K int, x *float32, ldx int, b, y *float32, ldy int, factor float32)

// projectTiles is routines.project: eight columns take half the time of sixteen, but
// where rows lie a multiple of 4096 bytes apart, of which the first cache has room
// for eight, and not for twelve.
func projectTiles(y []float32, ldy int, x []float32, ldx, rows, columns, K int, b []float32, factor float32) {
	const tile, narrow, page = 12, 8, 1024
	done := 0
	if columns <= narrow && ldx%page != 0 {
		done = rows / tile * tile
	}
	if done > 0 {
		_, _, _ = y[(done-1)*ldy+narrow-1], x[(done-1)*ldx+K-1], b[16*K-1]
		project12x8AVX2(done/tile, K, &x[0], ldx, &b[0], &y[0], ldy, factor)
	}
	if done < rows {
		stridedTiles(y[done*ldy:], ldy, x[done*ldx:], ldx, 1, rows-done, K, b, factor)
	}
}
