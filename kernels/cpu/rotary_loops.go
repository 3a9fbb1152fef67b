//go:build amd64 || arm64

package cpu

// turnHalvesLoop turns pairs (i, i+half) of heads of 2·half elements by the
// angles i < half, a multiple of 8.
//
//go:noescape
func turnHalvesLoop(y, x, cos, sin *float32, half, heads int)

// turnPairsLoop turns pairs (2i, 2i+1) of heads of 2·half elements by the angles
// i < half, a multiple of 4.
//
//go:noescape
func turnPairsLoop(y, x, cos, sin *float32, half, heads int)

// turnHalvesVectors is routines.turnHalves.
func turnHalvesVectors(y, x, cos, sin []float32) {
	if len(cos)%8 != 0 || len(x) == 0 {
		turnHalvesGeneric(y, x, cos, sin)
		return
	}
	y, sin = y[:len(x)], sin[:len(cos)]
	turnHalvesLoop(&y[0], &x[0], &cos[0], &sin[0], len(cos), len(x)/(2*len(cos)))
}

// turnPairsVectors is routines.turnPairs.
func turnPairsVectors(y, x, cos, sin []float32) {
	if len(cos)%4 != 0 || len(x) == 0 {
		turnPairsGeneric(y, x, cos, sin)
		return
	}
	y, sin = y[:len(x)], sin[:len(cos)]
	turnPairsLoop(&y[0], &x[0], &cos[0], &sin[0], len(cos), len(x)/(2*len(cos)))
}
