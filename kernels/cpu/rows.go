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

// rotaryEmbedding turns the pairs of each head by the angle of their position:
// x [w, N, H·D], positions [N], cos and sin [S, D/2] → [w, N, H·D]; y may be x.
type rotaryEmbedding struct {
	call      *kernel.Call
	heads     int
	step      int // from one pair's first element to the next one's
	apart     int // from a pair's first element to its second
	x, y      []float32
	cos, sin  []float32
	positions []int32
	C, half   int
	rows      int
}

func (*routines) bindRotaryEmbedding(c *kernel.Call) (kernel.Runner, error) {
	e := &rotaryEmbedding{call: c, heads: c.Attrs.Int("num_heads"), half: c.In[2].Shape[1], C: c.In[0].Shape[1]}
	e.step, e.apart = 1, e.half
	if c.Attrs.Int("interleaved") != 0 {
		e.step, e.apart = 2, 1
	}
	return e, nil
}

func (e *rotaryEmbedding) Run() error {
	in := e.call.In
	e.x, e.y, e.positions = in[0].F32(), e.call.Out[0].F32(), in[1].I32()
	e.cos, e.sin = in[2].Copy(0), in[3].Copy(0)
	e.rows = in[0].Width * in[0].Shape[0]
	e.call.Pool.Run(e, ceilDiv(e.rows, rowsPerTile(e.C)))
	return nil
}

// Tile turns a group of rows.
func (e *rotaryEmbedding) Tile(_, tile int) {
	group := rowsPerTile(e.C)
	for r := tile * group; r < min((tile+1)*group, e.rows); r++ {
		position := int(e.positions[r%len(e.positions)])
		cos, sin := e.cos[position*e.half:][:e.half], e.sin[position*e.half:][:e.half]
		for h := range e.heads {
			at := r*e.C + h*2*e.half
			e.turn(e.y[at:at+2*e.half], e.x[at:at+2*e.half], cos, sin)
		}
	}
}

// turn rotates one head.
func (e *rotaryEmbedding) turn(y, x, cos, sin []float32) {
	for i, c := range cos {
		a, b := i*e.step, i*e.step+e.apart
		first, second, s := x[a], x[b], sin[i]
		y[a], y[b] = first*c-second*s, second*c+first*s
	}
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
	K := g.w.K
	if g.w.packed != nil {
		quant.DecodeRow(y, g.w.packed, &g.w.shape, m)
		return
	}
	if !g.w.panels {
		copy(y, g.call.In[0].Copy(p)[m*K:])
		return
	}
	panel := g.w.data[m&^15*K:]
	for k := range y {
		y[k] = panel[k*16+m&15]
	}
}
