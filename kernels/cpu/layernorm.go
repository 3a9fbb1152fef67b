package cpu

import (
	"math"

	"zeroth/runtime/kernel"
)

// layerNormalization computes y = (x − mean) / sqrt(variance + epsilon) · scale
// + bias by rows: x [w·N, C], scale and bias [C] → y [w·N, C]; y may be x.
type layerNormalization struct {
	*routines
	call        *kernel.Call
	epsilon     float64
	x, y        []float32
	scale, bias []float32
	rows        int
}

func (r *routines) bindLayerNormalization(c *kernel.Call) (kernel.Runner, error) {
	return &layerNormalization{routines: r, call: c, epsilon: c.Attrs.Float("epsilon")}, nil
}

func (n *layerNormalization) Run() error {
	in := n.call.In
	n.x, n.y, n.scale, n.bias = in[0].F32(), n.call.Out[0].F32(), in[1].Copy(0), in[2].Copy(0)
	n.rows = in[0].Width * in[0].Shape[0]
	n.call.Pool.Run(n, ceilDiv(n.rows, rowsPerTile(len(n.scale))))
	return nil
}

// Tile normalises a group of rows. The mean is taken away in two parts, so that
// the squares lose nothing to a mean far from 0.
func (n *layerNormalization) Tile(_, tile int) {
	C := len(n.scale)
	group := rowsPerTile(C)
	for r := tile * group; r < min((tile+1)*group, n.rows); r++ {
		x := n.x[r*C : (r+1)*C]
		mean := n.sum(x) / float64(C)
		high := float32(mean)
		low := float32(mean - float64(high))
		variance := n.deviations(x, mean, high, low) / float64(C)
		n.standardise(n.y[r*C:(r+1)*C], x, n.scale, n.bias, high, low, float32(1/math.Sqrt(variance+n.epsilon)))
	}
}

// deviations is Σ (x − mean)², in float64 where float32 would overflow or lose it.
func (r *routines) deviations(x []float32, mean float64, high, low float32) float64 {
	if s := r.centredSquares(x, high, low); s > 1e-30 && s < 1e38 {
		return float64(s)
	}
	s := 0.0
	for _, v := range x {
		d := float64(v) - mean
		s += float64(d * d)
	}
	return s
}

func sumGeneric(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for len(x) >= 4 {
		s0 += float64(x[0])
		s1 += float64(x[1])
		s2 += float64(x[2])
		s3 += float64(x[3])
		x = x[4:]
	}
	for _, v := range x {
		s0 += float64(v)
	}
	return (s0 + s1) + (s2 + s3)
}

func centredSquaresGeneric(x []float32, high, low float32) float32 {
	var s0, s1, s2, s3 float32
	for len(x) >= 4 {
		d0, d1, d2, d3 := x[0]-high-low, x[1]-high-low, x[2]-high-low, x[3]-high-low
		s0 += float32(d0 * d0)
		s1 += float32(d1 * d1)
		s2 += float32(d2 * d2)
		s3 += float32(d3 * d3)
		x = x[4:]
	}
	for _, v := range x {
		d := v - high - low
		s0 += float32(d * d)
	}
	return (s0 + s1) + (s2 + s3)
}

func standardiseGeneric(dst, x, scale, bias []float32, high, low, factor float32) {
	x, scale, bias = x[:len(dst)], scale[:len(dst)], bias[:len(dst)]
	for i, v := range x {
		dst[i] = float32((v-high-low)*factor*scale[i]) + bias[i]
	}
}
