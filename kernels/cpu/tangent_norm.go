package cpu

import (
	"math"

	"zeroth/runtime/kernel"
)

// normTangent computes the tangents of RMSNormalization and LayerNormalization
// by rows: with c = x, or x less its mean, and v = mean(c²) + epsilon,
//
//	y = (dx − c · mean(c · dx) / v) / sqrt(v) · scale
//
// and for LayerNormalization less the mean of dx as well. What is x's is found
// once for all copies of a row. dx [P, N, H·D], x [N, H·D], scale [D] →
// y [P, N, H·D]; y may be dx.
type normTangent struct {
	*routines
	call        *kernel.Call
	epsilon     float64
	centred     bool      // LayerNormalization
	ones, zeros []float32 // [D]
	spaces      perWorker
	scale       []float32
	rows        int // of one copy: N·H
}

func (r *routines) bindRMSNormalizationTangent(c *kernel.Call) (kernel.Runner, error) {
	return &normTangent{routines: r, call: c, epsilon: c.Attrs.Float("epsilon")}, nil
}

func (r *routines) bindLayerNormalizationTangent(c *kernel.Call) (kernel.Runner, error) {
	n := &normTangent{routines: r, call: c, epsilon: c.Attrs.Float("epsilon"), centred: true}
	n.ones, n.zeros = make([]float32, c.In[2].Shape[0]), make([]float32, c.In[2].Shape[0])
	fill(n.ones, 1)
	return n, nil
}

func (*routines) scratchNormTangent(c *kernel.Call) int {
	var a arena
	a.takePerWorker(2*roundUp(c.In[2].Shape[0], lineElements), c.Pool.Workers())
	return a.bytes()
}

func (n *normTangent) Run() error {
	x := n.call.In[1]
	n.scale = n.call.In[2].Copy(0)
	D := len(n.scale)
	scratch := newArena(n.call.Scratch)
	n.spaces = scratch.takePerWorker(2*roundUp(D, lineElements), n.call.Pool.Workers())
	n.rows = x.Elements() / max(D, 1)
	n.call.Pool.Run(n, ceilDiv(n.rows, n.group()))
	return nil
}

// group is the number of rows in a tile.
func (n *normTangent) group() int { return max(1, tangentChunk/max(len(n.scale), 1)) }

// Tile computes a group of rows of all copies.
func (n *normTangent) Tile(worker, tile int) {
	D := len(n.scale)
	part := n.spaces.of(worker)
	centred, product := part.take(D), part.take(D)
	in, y := n.call.In, n.call.Out[0]
	for r := tile * n.group(); r < min((tile+1)*n.group(), n.rows); r++ {
		c := in[1].Copy(0)[r*D : (r+1)*D]
		var v float64
		if n.centred {
			mean, high, low := n.mean(c)
			v = n.deviations(c, mean, high, low)/float64(D) + n.epsilon
			n.standardise(centred, c, n.ones, n.zeros, high, low, 1)
			c = centred
		} else {
			v = n.squares(c)/float64(D) + n.epsilon
		}
		root := float32(1 / math.Sqrt(v))
		for p := range y.Width {
			dx, to := in[0].Copy(p)[r*D:(r+1)*D], y.Copy(p)[r*D:(r+1)*D]
			n.scaleBy(product, c, dx, 1)
			along := float32(n.sum(product) / float64(D) / v)
			if !n.centred {
				n.addScaled(to, dx, c, -along)
				n.scaleBy(to, to, n.scale, root)
				continue
			}
			_, high, low := n.mean(dx) // c has none, so this is that of what follows
			n.addScaled(to, dx, c, -along)
			n.standardise(to, to, n.scale, n.zeros, high, low, root)
		}
	}
}

// mean is that of a row, in float64 and as a sum of two float32.
func (r *routines) mean(x []float32) (mean float64, high, low float32) {
	mean = r.sum(x) / float64(len(x))
	high = float32(mean)
	return mean, high, float32(mean - float64(high))
}
