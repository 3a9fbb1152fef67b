package cpu

import (
	"math"

	"zeroth/runtime/kernel"
	"zeroth/runtime/quant"
)

// chunkElements is about the number of elements in a tile of the ops that
// handle each row or element by itself.
const chunkElements = 8192

// rowsPerTile is how many rows of the given length make such a tile.
func rowsPerTile(length int) int { return max(1, chunkElements/max(length, 1)) }

// rmsNormalization computes y = x / sqrt(mean(x²) + epsilon) · scale by rows:
// x [w·N, C], scale [C] → y [w·N, C]; y may be x. With a scale of one head's D
// channels, the rows are heads: [w·N·H, D].
type rmsNormalization struct {
	*routines
	call    *kernel.Call
	epsilon float64
	x, y    []float32
	scale   []float32
	rows    int
}

func (r *routines) bindRMSNormalization(c *kernel.Call) (kernel.Runner, error) {
	return &rmsNormalization{routines: r, call: c, epsilon: c.Attrs.Float("epsilon")}, nil
}

func (n *rmsNormalization) Run() error {
	x := n.call.In[0]
	n.x, n.y, n.scale = x.F32(), n.call.Out[0].F32(), n.call.In[1].Copy(0)
	n.rows = x.Width * x.Elements() / max(len(n.scale), 1)
	n.call.Pool.Run(n, ceilDiv(n.rows, rowsPerTile(len(n.scale))))
	return nil
}

// Tile normalises a group of rows.
func (n *rmsNormalization) Tile(_, tile int) {
	C := len(n.scale)
	group := rowsPerTile(C)
	for r := tile * group; r < min((tile+1)*group, n.rows); r++ {
		x := n.x[r*C : (r+1)*C]
		mean := n.squares(x) / float64(C)
		n.scaleBy(n.y[r*C:(r+1)*C], x, n.scale, float32(1/math.Sqrt(mean+n.epsilon)))
	}
}

// squares is Σ x², in float64 where float32 would overflow or lose it.
func (r *routines) squares(x []float32) float64 {
	if s := r.sumSquares(x); s > 1e-30 && s < 1e38 {
		return float64(s)
	}
	s := 0.0
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s
}

// gather copies rows: y[i, :] = data[indices[i], :]. data [w, D, C] in either
// layout, indices [I] → y [w, I, C].
type gather struct {
	call *kernel.Call
	w    weights
	I    int
}

func (*routines) bindGather(c *kernel.Call) (kernel.Runner, error) { return &gather{call: c}, nil }

func (g *gather) Run() error {
	g.w, g.I = weightsOf(g.call.In[0]), g.call.In[1].Shape[0]
	g.call.Pool.Run(g, g.call.Out[0].Width*ceilDiv(g.I, rowsPerTile(g.w.K)))
	return nil
}

// Tile copies a group of rows of one copy.
func (g *gather) Tile(_, tile int) {
	group := rowsPerTile(g.w.K)
	p, first := tile/ceilDiv(g.I, group), tile%ceilDiv(g.I, group)*group
	y, indices := g.call.Out[0].Copy(p), g.call.In[1].I32()
	for i := first; i < min(first+group, g.I); i++ {
		g.row(y[i*g.w.K:(i+1)*g.w.K], p, int(indices[i]))
	}
}

// row copies row m of copy p of the data to y.
func (g *gather) row(y []float32, p, m int) {
	if g.w.packed == nil && !g.w.panels {
		copy(y, g.call.In[0].Copy(p)[m*g.w.K:])
		return
	}
	g.w.row(y, m)
}

// row copies row m to y.
func (w *weights) row(y []float32, m int) {
	switch {
	case w.packed != nil:
		quant.DecodeRow(y, w.packed, &w.shape, m)
	case w.panels:
		panel := w.data[m&^15*w.K:]
		for k := range y {
			y[k] = panel[k*16+m&15]
		}
	default:
		copy(y, w.data[m*w.K:])
	}
}
