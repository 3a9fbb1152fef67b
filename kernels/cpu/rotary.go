package cpu

import "zeroth/runtime/kernel"

// rotaryEmbedding turns the pairs of each head by the angle of their position:
// x [w, N, H·D], positions [N], cos and sin [S, D/2] → [w, N, H·D]; y may be x.
type rotaryEmbedding struct {
	call      *kernel.Call
	turn      func(y, x, cos, sin []float32)
	x, y      []float32
	cos, sin  []float32
	positions []int32
	C, half   int
	rows      int
}

func (r *routines) bindRotaryEmbedding(c *kernel.Call) (kernel.Runner, error) {
	e := &rotaryEmbedding{call: c, turn: r.turnHalves, half: c.In[2].Shape[1], C: c.In[0].Shape[1]}
	if c.Attrs.Int("interleaved") != 0 {
		e.turn = r.turnPairs
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
		e.turn(e.y[r*e.C:(r+1)*e.C], e.x[r*e.C:(r+1)*e.C], cos, sin)
	}
}

func turnHalvesGeneric(y, x, cos, sin []float32) {
	half := len(cos)
	for h := 0; h < len(x); h += 2 * half {
		for i, c := range cos {
			a, b, s := x[h+i], x[h+half+i], sin[i]
			y[h+i], y[h+half+i] = float32(a*c)-float32(b*s), float32(b*c)+float32(a*s)
		}
	}
}

func turnPairsGeneric(y, x, cos, sin []float32) {
	for h := 0; h < len(x); h += 2 * len(cos) {
		for i, c := range cos {
			a, b, s := x[h+2*i], x[h+2*i+1], sin[i]
			y[h+2*i], y[h+2*i+1] = float32(a*c)-float32(b*s), float32(b*c)+float32(a*s)
		}
	}
}
