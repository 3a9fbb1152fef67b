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

// Tile normalises a group of rows. Each row is first brought to mean 0, so that
// its squares lose nothing to a mean far from 0.
func (n *layerNormalization) Tile(_, tile int) {
	C := len(n.scale)
	group := rowsPerTile(C)
	for r := tile * group; r < min((tile+1)*group, n.rows); r++ {
		y := n.y[r*C : (r+1)*C]
		centre(y, n.x[r*C:(r+1)*C])
		variance := n.squares(y) / float64(C)
		n.scaleBy(y, y, n.scale, float32(1/math.Sqrt(variance+n.epsilon)))
		n.add(y, y, n.bias)
	}
}

// centre: y[i] = x[i] − mean(x), the mean in float64. y may be x.
func centre(y, x []float32) {
	var s0, s1, s2, s3 float64
	rest := x
	for len(rest) >= 4 {
		s0 += float64(rest[0])
		s1 += float64(rest[1])
		s2 += float64(rest[2])
		s3 += float64(rest[3])
		rest = rest[4:]
	}
	for _, v := range rest {
		s0 += float64(v)
	}
	mean := ((s0 + s1) + (s2 + s3)) / float64(len(x))
	y = y[:len(x)]
	for i, v := range x {
		y[i] = float32(float64(v) - mean)
	}
}
