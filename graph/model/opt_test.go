package model_test

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"zeroth/kernels/ref"
	"zeroth/runtime/executor"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

func floats(data []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4)
}

// run1 gives all logits of one sequence by the plain kernels.
func run1(t *testing.T, w waves, ids []int32) []float32 {
	t.Helper()
	p, err := modelOf(t, w, nil).Lower()
	if err != nil {
		t.Fatal(err)
	}
	registry, err := kernel.NewRegistry(ref.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	n := len(ids)
	e := &engine{}
	if e.session, err = executor.New(p, registry, executor.Options{
		Bounds: op.Extents{Width: 1, N: n, S: 1, R: n}, Methods: []string{"forward"},
	}); err != nil {
		t.Fatal(err)
	}
	defer e.session.Close()
	if e.forward, err = e.session.Method("forward"); err != nil {
		t.Fatal(err)
	}
	return e.logits(t, ids, n)
}

// optOracle is transformers' OPT in float64, token by token. Weights are those
// of the waves; h holds a vector a token.
type optOracle struct {
	t *testing.T
	w waves
}

func (o optOracle) weight(name string, n int) []float64 {
	values := make([]float32, n)
	if err := o.w.ReadF32("model.decoder."+name, values); err != nil {
		o.t.Fatal(err)
	}
	wide := make([]float64, n)
	for i, v := range values {
		wide[i] = float64(v)
	}
	return wide
}

// each applies f to the vector of each token.
func each(h [][]float64, f func(v []float64) []float64) [][]float64 {
	out := make([][]float64, len(h))
	for i, v := range h {
		out[i] = f(v)
	}
	return out
}

func plus(a, b [][]float64) [][]float64 {
	out := make([][]float64, len(a))
	for i := range a {
		out[i] = make([]float64, len(a[i]))
		for j := range a[i] {
			out[i][j] = a[i][j] + b[i][j]
		}
	}
	return out
}

func (o optOracle) linear(name string, h [][]float64, out int, biased bool) [][]float64 {
	in := len(h[0])
	w, b := o.weight(name+".weight", out*in), make([]float64, out)
	if biased {
		b = o.weight(name+".bias", out)
	}
	return each(h, func(v []float64) []float64 {
		y := make([]float64, out)
		for m := range y {
			y[m] = b[m]
			for k := range v {
				y[m] += w[m*in+k] * v[k]
			}
		}
		return y
	})
}

func (o optOracle) norm(name string, h [][]float64) [][]float64 {
	scale, b := o.weight(name+".weight", len(h[0])), o.weight(name+".bias", len(h[0]))
	return each(h, func(v []float64) []float64 {
		mean, variance, n := 0.0, 0.0, float64(len(v))
		for _, x := range v {
			mean += x / n
		}
		for _, x := range v {
			variance += (x - mean) * (x - mean) / n
		}
		y := make([]float64, len(v))
		for i, x := range v {
			y[i] = (x-mean)/math.Sqrt(variance+1e-5)*scale[i] + b[i]
		}
		return y
	})
}

func (o optOracle) attention(name string, h [][]float64) [][]float64 {
	C, heads := o.w.HiddenSize, o.w.Heads
	D := C / heads
	q, k, v := o.linear(name+"q_proj", h, C, true), o.linear(name+"k_proj", h, C, true), o.linear(name+"v_proj", h, C, true)
	mixed := make([][]float64, len(h))
	for i := range h {
		mixed[i] = make([]float64, C)
		for head := range heads {
			weights, total := make([]float64, i+1), 0.0
			for j := range weights {
				dot := 0.0
				for d := head * D; d < (head+1)*D; d++ {
					dot += q[i][d] / math.Sqrt(float64(D)) * k[j][d]
				}
				weights[j] = math.Exp(dot)
				total += weights[j]
			}
			for j, weight := range weights {
				for d := head * D; d < (head+1)*D; d++ {
					mixed[i][d] += weight / total * v[j][d]
				}
			}
		}
	}
	return o.linear(name+"out_proj", mixed, C, true)
}

func (o optOracle) logits(ids []int32) [][]float64 {
	c := o.w
	table := o.weight("embed_tokens.weight", c.VocabSize*c.EmbeddingSize)
	positions := o.weight("embed_positions.weight", (c.MaxPositions+2)*c.HiddenSize)
	h, at := make([][]float64, len(ids)), make([][]float64, len(ids))
	for i, id := range ids {
		h[i] = table[int(id)*c.EmbeddingSize : int(id+1)*c.EmbeddingSize]
		at[i] = positions[(i+2)*c.HiddenSize : (i+3)*c.HiddenSize]
	}
	if c.EmbeddingSize != c.HiddenSize {
		h = o.linear("project_in", h, c.HiddenSize, false)
	}
	h = plus(h, at)
	for layer := range c.Layers {
		name := fmt.Sprintf("layers.%d.", layer)
		if c.PostNorm {
			h = o.norm(name+"self_attn_layer_norm", plus(h, o.attention(name+"self_attn.", h)))
			h = o.norm(name+"final_layer_norm", plus(h, o.mlp(name, h)))
		} else {
			h = plus(h, o.attention(name+"self_attn.", o.norm(name+"self_attn_layer_norm", h)))
			h = plus(h, o.mlp(name, o.norm(name+"final_layer_norm", h)))
		}
	}
	if !c.PostNorm {
		h = o.norm("final_layer_norm", h)
	}
	if c.EmbeddingSize != c.HiddenSize {
		h = o.linear("project_out", h, c.EmbeddingSize, false)
	}
	return o.linear("embed_tokens", h, c.VocabSize, false)
}

func (o optOracle) mlp(name string, h [][]float64) [][]float64 {
	inner := each(o.linear(name+"fc1", h, o.w.IntermediateSize, true), func(v []float64) []float64 {
		for i := range v {
			v[i] = math.Max(v[i], 0)
		}
		return v
	})
	return o.linear(name+"fc2", inner, o.w.HiddenSize, true)
}

// There is no reference for OPT-350m's variant, so both are held to float64
// loops that follow transformers' modeling_opt; tiny-random-opt vouches for one.
func TestOPTVariants(t *testing.T) {
	ids := []int32{1, 5, 3, 8, 2, 18, 0, 7}
	for _, name := range []string{"opt", "opt350m"} {
		w := small()[name]
		got := run1(t, w, ids)
		for i, row := range (optOracle{t, w}).logits(ids) {
			for v, want := range row {
				if math.Abs(float64(got[i*w.VocabSize+v])-want) > 1e-5 {
					t.Fatalf("%s: position %d: logit %d is %g, want %g", name, i, v, got[i*w.VocabSize+v], want)
				}
			}
		}
	}
}
