package ref

import (
	"encoding/binary"
	"math"

	"zeroth/internal/half"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// trainable is a weight that is moved: a vector, or a matrix in rows or panels,
// of f32 or bf16.
type trainable struct {
	t    *kernel.Tensor
	K    int
	bits []uint16 // room for a bf16 tensor's elements
}

func trainableOf(t *kernel.Tensor) trainable {
	w := trainable{t: t, K: t.Shape[len(t.Shape)-1]}
	if t.Type.DType == op.BF16 {
		w.bits = make([]uint16, t.Elements())
	}
	return w
}

// at is the offset in bytes of element e, counted row-major.
func (w *trainable) at(e int) int {
	size := w.t.Type.DType.Bytes()
	if w.t.Type.Layout == op.Rows {
		return e * size
	}
	p := w.t.Type.Panels()
	m, k := e/w.K, e%w.K
	word := (m/op.PanelRows*p.Words+k/p.DType.Word())*op.PanelRows + m%op.PanelRows
	return word*4 + k%p.DType.Word()*size
}

func (w *trainable) load(e int) float32 {
	if w.bits != nil {
		return half.BrainToFloat(binary.LittleEndian.Uint16(w.t.Data[w.at(e):]))
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(w.t.Data[w.at(e):]))
}

// store writes all elements, those of a bf16 weight as round makes them.
func (w *trainable) store(values []float32, round func(dst []uint16, x []float32)) {
	if w.bits == nil {
		for e, v := range values {
			binary.LittleEndian.PutUint32(w.t.Data[w.at(e):], math.Float32bits(v))
		}
		return
	}
	round(w.bits, values)
	for e, b := range w.bits {
		binary.LittleEndian.PutUint16(w.t.Data[w.at(e):], b)
	}
}

// bindPerturb computes y = W + σ ε z_i for the copy at first, rounded after the
// product, after the sum and to W's type. With ε = 0 it is W.
//
//	W [M, K] or [M], f32 or bf16, in rows or panels → y as W
func bindPerturb(c *kernel.Call) (kernel.Runner, error) {
	sampler, site := noise.Sampler(c.Attrs.Int("sampler")), uint32(c.Attrs.Int("site"))
	w, y := trainableOf(c.In[0]), trainableOf(c.Out[0])
	z := make([]float32, c.In[0].Elements())
	return runner(func() {
		seed, first, eps := c.In[1].U32(), c.In[2].I32()[0], c.In[3].Copy(0)[0]
		clear(c.Out[0].Data)
		query, sigma := noise.Copy(first, 0)
		eps *= float32(sigma)
		if eps == 0 {
			copy(c.Out[0].Data, c.In[0].Data)
			return
		}
		sampler.Fill(z, [2]uint32{seed[0], seed[1]}, site, query, 0)
		for e := range z {
			z[e] = float32(w.load(e) + float32(eps*z[e]))
		}
		y.store(z, func(dst []uint16, x []float32) {
			for e, v := range x {
				dst[e] = half.BrainFromFloat(v)
			}
		})
	}), nil
}

// bindUpdateLoRA computes, for each element of B [M, r] or [M] in place,
//
//	sum = 0; for i = 0 … Q−1: sum = f32(sum + f32(g[i] · z_i))
//	B = f32(B − f32(f32(lr / Q) · sum))
//
// and rounds a bf16 B stochastically. With no query B stays as it is.
func bindUpdateLoRA(c *kernel.Call) (kernel.Runner, error) {
	sampler, site := noise.Sampler(c.Attrs.Int("sampler")), uint32(c.Attrs.Int("site"))
	b := trainableOf(c.In[0])
	z := make([]float32, c.In[0].Elements())
	sum := make([]float32, c.In[0].Elements())
	return runner(func() {
		g, lr := c.In[2].Copy(0), c.In[3].Copy(0)[0]
		seed := [2]uint32{c.In[1].U32()[0], c.In[1].U32()[1]}
		if len(g) == 0 {
			return
		}
		clear(sum)
		for i, weight := range g {
			sampler.Fill(z, seed, site, uint32(i), 0)
			for e := range sum {
				sum[e] = float32(sum[e] + float32(weight*z[e]))
			}
		}
		step := float32(lr / float32(len(g)))
		for e := range sum {
			sum[e] = float32(b.load(e) - float32(step*sum[e]))
		}
		b.store(sum, func(dst []uint16, x []float32) { noise.RoundBF16(dst, x, seed, site, 0) })
	}), nil
}
