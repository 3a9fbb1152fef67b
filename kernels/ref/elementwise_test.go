package ref

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

func TestRMSNormalization(t *testing.T) {
	attrs := op.Attrs{op.FloatAttr("epsilon", 0)}
	y := compute(t, op.RMSNormalization, 2, attrs, tensor([]float32{3, 4 /* copy 1 */, -5, 5}, 2, 1, 2), narrow([]float32{1, 2}, 2))
	root := math.Sqrt(12.5)
	for i, want := range []float64{3 / root, 8 / root, -1, 2} {
		near(t, "y", y.F32()[i], want)
	}
	y = compute(t, op.RMSNormalization, 1, op.Attrs{op.FloatAttr("epsilon", 0.25)}, narrow([]float32{0, 0}, 1, 2), narrow([]float32{1, 2}, 2))
	near(t, "y of a zero row", y.F32()[1], 0)
	y = compute(t, op.RMSNormalization, 1, attrs, narrow([]float32{0, 0, 1, 1}, 2, 2), narrow([]float32{1, 1}, 2))
	if !isNaN(y.F32()[0]) || y.F32()[2] != 1 {
		t.Errorf("a zero row without epsilon gives %v, want NaN there alone", y.F32())
	}
}

// With a scale of D channels each head is normalised by itself.
func TestRMSNormalizationOfHeads(t *testing.T) {
	y := compute(t, op.RMSNormalization, 2, op.Attrs{op.FloatAttr("epsilon", 0)},
		tensor([]float32{3, 4, -5, 5, 0, 2, 1, 1 /* copy 1 */, 6, 8, -5, 5, 0, 2, 3, 3}, 2, 2, 4), narrow([]float32{1, 2}, 2))
	root := math.Sqrt(12.5)
	one := []float64{3 / root, 8 / root, -1, 2, 0, 2 * math.Sqrt2, 1, 2}
	for i, want := range append(one, one...) {
		near(t, "y", y.F32()[i], want)
	}
}

func TestLayerNormalization(t *testing.T) {
	y := compute(t, op.LayerNormalization, 2, op.Attrs{op.FloatAttr("epsilon", 0)},
		tensor([]float32{1, 3, -1, 5 /* copy 1 */, 7, 7, 8, 8}, 2, 2, 2), narrow([]float32{1, 2}, 2), narrow([]float32{10, -10}, 2))
	for i, want := range []float64{9, -8, 9, -8, math.NaN(), math.NaN(), math.NaN(), math.NaN()} {
		near(t, "y", y.F32()[i], want)
	}
	y = compute(t, op.LayerNormalization, 1, op.Attrs{op.FloatAttr("epsilon", 0.25)},
		narrow([]float32{1000, 1000, 1001, 999}, 1, 4), narrow([]float32{1, 1, 1, 3}, 4), narrow([]float32{0, 0, 0, 1}, 4))
	for i, want := range []float64{0, 0, 1 / math.Sqrt(0.75), 1 - 3/math.Sqrt(0.75)} {
		near(t, "y", y.F32()[i], want)
	}
}

// The values of Φ are those of tables of the normal distribution.
func TestGelu(t *testing.T) {
	inf := float32(math.Inf(1))
	x := []float32{0, 1, -1, 2, -3, 1000, -1000, inf, -inf}
	for approximate, values := range [][]float64{
		{0, 0.8413447460685429, -0.15865525393145707, 1.9544997361036416, -0.0040496940962, 1000, 0, math.Inf(1), math.NaN()},
		{0, 0.8411919906082768, -0.15880800939172324, 1.9545976940877752, -0.0036373920817, 1000, 0, math.Inf(1), math.NaN()},
	} {
		y := compute(t, op.Gelu, 1, op.Attrs{op.IntAttr("approximate", approximate)}, narrow(x, 3, 3))
		for i, want := range values {
			near(t, "gelu", y.F32()[i], want)
		}
	}
}

func TestRelu(t *testing.T) {
	nan := float32(math.NaN())
	y := compute(t, op.Relu, 2, nil, tensor([]float32{-1, 2, nan, -1e-40 /* copy 1 */, 0, float32(math.Inf(-1)), 1e-40, 3}, 2, 2, 2))
	if got := fmt.Sprint(y.F32()); got != "[0 2 NaN 0 0 0 1e-40 3]" {
		t.Error(got)
	}
}

func TestSlice(t *testing.T) {
	y := compute(t, op.Slice, 2, op.Attrs{op.IntAttr("start", 1), op.IntAttr("size", 2)},
		tensor([]float32{1, 2, 3, 4, 5, 6, 7, 8 /* copy 1 */, 10, 20, 30, 40, 50, 60, 70, 80}, 2, 2, 4))
	if got := fmt.Sprint(y.F32()); got != "[2 3 6 7 20 30 60 70]" {
		t.Error(got)
	}
}

func TestSwiGLU(t *testing.T) {
	gate := []float32{0, 1, -2, 100, -1000, float32(math.Inf(1))}
	up := []float32{5, 2, 3, 2, 1, 2}
	y := compute(t, op.SwiGLU, 1, nil, narrow(gate, 2, 3), narrow(up, 2, 3))
	for i, want := range []float64{0, 2 / (1 + math.Exp(-1)), -6 * (math.Tanh(-1) + 1) / 2, 200, 0, math.Inf(1)} {
		if got := float64(y.F32()[i]); got != want && math.Abs(got-want) > 1e-6 {
			t.Errorf("element %d: %g, want %g", i, got, want)
		}
	}
}

func TestAddMixesWidths(t *testing.T) {
	wide, plain := tensor([]float32{1, 2, 3, 4}, 2, 1, 2), narrow([]float32{10, 20}, 1, 2)
	for _, in := range [][2]*kernel.Tensor{{wide, plain}, {plain, wide}} {
		if y := compute(t, op.Add, 2, nil, in[0], in[1]); fmt.Sprint(y.F32()) != "[11 22 13 24]" {
			t.Errorf("sum %v", y.F32())
		}
	}
}

func TestInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	x, other := random(rng, 2*3*4), narrow(random(rng, 12), 3, 4)
	rotary := []*kernel.Tensor{tensor([]int32{1, 0, 1}, 0, 3), narrow([]float32{1, 0.6}, 2, 1), narrow([]float32{0, 0.8}, 2, 1)}
	for _, c := range []struct {
		id    op.ID
		attrs op.Attrs
		rest  []*kernel.Tensor
	}{
		{op.RMSNormalization, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{narrow(random(rng, 4), 4)}},
		{op.RotaryEmbedding, op.Attrs{op.IntAttr("num_heads", 2), op.IntAttr("interleaved", 0)}, rotary},
		{op.RotaryEmbedding, op.Attrs{op.IntAttr("num_heads", 2), op.IntAttr("interleaved", 1)}, rotary},
		{op.RMSNormalization, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{narrow(random(rng, 2), 2)}},
		{op.LayerNormalization, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{narrow(random(rng, 4), 4), narrow(random(rng, 4), 4)}},
		{op.Gelu, op.Attrs{op.IntAttr("approximate", 1)}, nil},
		{op.Relu, nil, nil},
		{op.SwiGLU, nil, []*kernel.Tensor{other}},
		{op.Add, nil, []*kernel.Tensor{other}},
	} {
		in := append([]*kernel.Tensor{tensor(append([]float32(nil), x...), 2, 3, 4)}, c.rest...)
		want := fmt.Sprint(compute(t, c.id, 2, c.attrs, in...).F32())
		call, r := bind(t, c.id, 2, c.attrs, in...)
		call.Out[0].Data = in[0].Data
		if err := r.Run(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(in[0].F32()); got != want {
			t.Errorf("%s in place: %s, want %s", c.id, got, want)
		}
	}
}
