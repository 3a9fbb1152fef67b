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

// project6x16AVX2 does the same for six rows a tile and j < 16.
//
//go:noescape
func project6x16AVX2(tiles, K int, x *float32, ldx int, b, y *float32, ldy int, factor float32)

// projectTiles is routines.project. Eight columns take half the time of sixteen, but
// where rows lie a multiple of 4096 bytes apart, of which the first cache has room
// for eight, and not for twelve.
func projectTiles(y []float32, ldy int, x []float32, ldx, rows, columns, K int, b []float32, factor float32) {
	tile, width, run := 6, 16, project6x16AVX2
	if columns <= 8 && ldx%1024 != 0 {
		tile, width, run = 12, 8, project12x8AVX2
	}
	whole := rows / tile * tile
	if whole > 0 {
		_, _, _ = y[(whole-1)*ldy+width-1], x[(whole-1)*ldx+K-1], b[16*K-1]
		run(whole/tile, K, &x[0], ldx, &b[0], &y[0], ldy, factor)
	}
	if whole < rows {
		stridedTiles(y[whole*ldy:], ldy, x[whole*ldx:], ldx, 1, rows-whole, K, b, factor)
	}
}
