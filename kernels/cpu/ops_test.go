package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

func TestAttention(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, s := range [][3]int{{1, 1, 1}, {4, 2, 8}, {4, 1, 5}, {2, 2, 32}, {3, 3, 17}, {2, 1, 48}, {1, 1, 100}} {
		heads, kvHeads, D := s[0], s[1], s[2]
		for _, offsets := range [][]int32{{0, 1}, {0, 7, 7, 20}, {0, 60, 61, 110}, {0}} {
			N := int(offsets[len(offsets)-1])
			for wide := range 8 {
				copies := func(bit int) int { return wide >> bit & 1 * 2 }
				c := test{fmt.Sprint(s, offsets, wide), op.Attention, 2, op.Attrs{
					op.IntAttr("num_heads", heads), op.IntAttr("kv_num_heads", kvHeads),
					op.FloatAttr("scale", 0.3), op.IntAttr("causal", wide%2),
				}, []*kernel.Tensor{
					matrix(rng, copies(0), N, heads*D), matrix(rng, copies(1), N, kvHeads*D), matrix(rng, copies(2), N, kvHeads*D),
					tensor(offsets, 0, len(offsets)),
				}}
				c.check(t, 1e-12)
				c.attrs[3] = op.IntAttr("causal", 1-wide%2)
				c.check(t, 1e-12)
			}
		}
	}
}

// What a causal query must not see must not reach it, be it NaN.
func TestAttentionHidesWhatFollows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	const N, D = 40, 16
	k, v := matrix(rng, 0, N, D), matrix(rng, 0, N, D)
	k.F32()[30*D], v.F32()[20*D+3], v.F32()[10*D] = float32(math.NaN()), float32(math.NaN()), float32(math.Inf(1))
	c := test{"nan", op.Attention, 1, op.Attrs{
		op.IntAttr("num_heads", 1), op.IntAttr("kv_num_heads", 1), op.FloatAttr("scale", 0.3), op.IntAttr("causal", 1),
	}, []*kernel.Tensor{matrix(rng, 0, N, D), k, v, tensor([]int32{0, N}, 0, 2)}}
	c.check(t, 1e-12)
}

func TestRowOps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for _, C := range []int{1, 2, 7, 16, 33, 100, 288} {
		for _, copies := range []int{0, 3} {
			x, scale := matrix(rng, copies, 37, C), tensor(normal(rng, C), 0, C)
			(&test{"rms", op.RMSNormalization, copies, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, scale}}).check(t, 1e-13)
			y := matrix(rng, 0, 37, C)
			(&test{"add", op.Add, copies, nil, []*kernel.Tensor{x, y}}).check(t, 1e-14)
			(&test{"add", op.Add, copies, nil, []*kernel.Tensor{y, x}}).check(t, 1e-14)
			(&test{"swiglu", op.SwiGLU, copies, nil, []*kernel.Tensor{x, y}}).check(t, 1e-13)
			indices := tensor([]int32{36, 0, 3, 3, 17, 15, 16}, 0, 7)
			(&test{"gather", op.Gather, copies, nil, []*kernel.Tensor{x, indices}}).check(t, 0)
			(&test{"gather", op.Gather, 0, nil, []*kernel.Tensor{inPanels(y), indices}}).check(t, 0)
		}
	}
	positions := make([]int32, 37)
	for i := range positions {
		positions[i] = int32(rng.IntN(9))
	}
	for interleaved := range 2 {
		(&test{"rotary", op.RotaryEmbedding, 2, op.Attrs{op.IntAttr("num_heads", 3), op.IntAttr("interleaved", interleaved)}, []*kernel.Tensor{
			matrix(rng, 2, 37, 24), tensor(positions, 0, 37), matrix(rng, 0, 9, 4), matrix(rng, 0, 9, 4),
		}}).check(t, 1e-13)
	}
}

func TestRMSNormalizationOfExtremes(t *testing.T) {
	for _, size := range []float32{1e-25, 1e25} {
		x := tensor([]float32{size, -2 * size, 3 * size}, 0, 1, 3)
		(&test{"rms", op.RMSNormalization, 0, op.Attrs{op.FloatAttr("epsilon", 0)}, []*kernel.Tensor{x, tensor([]float32{1, 2, 3}, 0, 3)}}).check(t, 1e-13)
	}
}

// In place, output 0 lies where input 0 does.
func TestInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	x, y := matrix(rng, 2, 37, 24), matrix(rng, 0, 37, 24)
	for _, c := range []test{
		{"add", op.Add, 2, nil, []*kernel.Tensor{x, y}},
		{"swiglu", op.SwiGLU, 2, nil, []*kernel.Tensor{x, y}},
		{"rms", op.RMSNormalization, 2, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, tensor(normal(rng, 24), 0, 24)}},
		{"rotary", op.RotaryEmbedding, 2, op.Attrs{op.IntAttr("num_heads", 3), op.IntAttr("interleaved", 1)}, []*kernel.Tensor{
			x, tensor(make([]int32, 37), 0, 37), matrix(rng, 0, 9, 4), matrix(rng, 0, 9, 4),
		}},
	} {
		for _, f := range levels(t) {
			pool := platform.NewPool(2)
			want := c.run(t, Kernels(f), 2, 1)
			call, r := c.bind(t, Kernels(f), pool)
			copy(call.Out[0].Data, call.In[0].Data)
			call.In[0].Data = call.Out[0].Data
			if err := r.Run(); err != nil {
				t.Fatal(err)
			}
			if e := nmse(t, c.name, call.Out[0].F32(), want); e != 0 {
				t.Errorf("%s %s: in place differs by nmse %g", c.name, f, e)
			}
			pool.Close()
		}
	}
}

func TestCrossEntropyHead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for _, s := range [][4]int{{1, 1, 1, 0}, {5, 8, 300, 3}, {70, 16, 256, 0}, {13, 33, 1000, 2}, {0, 4, 50, 2}} {
		R, C, V, copies := s[0], s[1], s[2], s[3]
		labels := make([]int32, R)
		for i := range labels {
			labels[i] = int32(rng.IntN(V))
		}
		x, w := matrix(rng, copies, R, C), matrix(rng, 0, V, C)
		for _, weights := range []*kernel.Tensor{w, inPanels(w)} {
			(&test{fmt.Sprint(s), op.CrossEntropyHead, copies, nil, []*kernel.Tensor{x, weights, tensor(labels, 0, R)}}).check(t, 1e-12)
		}
	}
}

// A row of −Inf, +Inf or NaN logits gives what the definition gives.
func TestCrossEntropyHeadOfInfinities(t *testing.T) {
	const V = 600
	inf := float32(math.Inf(1))
	for _, c := range []struct{ first, rest float32 }{{0, -inf}, {1, inf}, {-inf, -inf}, {float32(math.NaN()), 0}, {-inf, 0}, {float32(math.NaN()), -inf}} {
		w := make([]float32, V)
		for i := range w {
			w[i] = c.rest
		}
		w[1] = c.first
		for label := range int32(3) {
			(&test{fmt.Sprint(c), op.CrossEntropyHead, 0, nil, []*kernel.Tensor{
				tensor([]float32{1}, 0, 1, 1), tensor(w, 0, V, 1), tensor([]int32{label}, 0, 1),
			}}).check(t, 1e-12)
		}
	}
}

func TestLosses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 10))
	for _, copies := range []int{0, 3} {
		nll := tensor(normal(rng, max(copies, 1)*9), copies, 9)
		(&test{"sum", op.WeightedSum, copies, nil, []*kernel.Tensor{nll, tensor(normal(rng, 9), 0, 9)}}).check(t, 1e-13)
		for mean := range 2 {
			attrs := op.Attrs{op.IntAttr("mean", mean)}
			(&test{"choice", op.ChoiceLoss, copies, attrs, []*kernel.Tensor{
				nll, tensor([]int32{0, 2, 2, 5, 9}, 0, 5), tensor([]int32{0, 3, 4}, 0, 3), tensor([]int32{2, 0}, 0, 2),
			}}).check(t, 1e-13)
			(&test{"no choice", op.ChoiceLoss, copies, attrs, []*kernel.Tensor{
				tensor([]float32(nil), copies, 0), tensor([]int32{0}, 0, 1), tensor([]int32{0}, 0, 1), tensor([]int32(nil), 0, 0),
			}}).check(t, 0)
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 12))
	one, seed := tensor([]float32{1}, 0, 1), tensor([]uint32{1, 2}, 0, 2)
	x, w := matrix(rng, 2, 50, 24), matrix(rng, 0, 40, 24)
	offsets := tensor([]int32{0, 20, 50}, 0, 3)
	site := op.Attrs{op.IntAttr("site", 1), op.IntAttr("sampler", 1)}
	for _, c := range []test{
		{"linear", op.Linear, 2, nil, []*kernel.Tensor{x, w}},
		{"lora", op.LinearLoRA, 2, loraAttrs(1), []*kernel.Tensor{x, w, matrix(rng, 0, 4, 24), matrix(rng, 0, 40, 4), seed, tensor([]int32{0}, 0, 1), one}},
		{"update", op.UpdateLoRA, 2, site, []*kernel.Tensor{w, seed, tensor(normal(rng, 3), 0, 3), one}},
		{"attention", op.Attention, 2, op.Attrs{
			op.IntAttr("num_heads", 2), op.IntAttr("kv_num_heads", 1), op.FloatAttr("scale", 1), op.IntAttr("causal", 1),
		}, []*kernel.Tensor{x, matrix(rng, 0, 50, 12), matrix(rng, 0, 50, 12), offsets}},
		{"head", op.CrossEntropyHead, 2, nil, []*kernel.Tensor{x, w, tensor(make([]int32, 50), 0, 50)}},
		{"swiglu", op.SwiGLU, 2, nil, []*kernel.Tensor{x, x}},
		{"add", op.Add, 2, nil, []*kernel.Tensor{x, x}},
		{"gather", op.Gather, 2, nil, []*kernel.Tensor{w, tensor(make([]int32, 5), 0, 5)}},
		{"rms", op.RMSNormalization, 2, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, tensor(normal(rng, 24), 0, 24)}},
		{"rotary", op.RotaryEmbedding, 2, op.Attrs{op.IntAttr("num_heads", 3), op.IntAttr("interleaved", 1)}, []*kernel.Tensor{
			x, tensor(make([]int32, 50), 0, 50), matrix(rng, 0, 9, 4), matrix(rng, 0, 9, 4),
		}},
		{"sum", op.WeightedSum, 2, nil, []*kernel.Tensor{tensor(normal(rng, 8), 2, 4), tensor(normal(rng, 4), 0, 4)}},
		{"choice", op.ChoiceLoss, 2, op.Attrs{op.IntAttr("mean", 1)}, []*kernel.Tensor{
			tensor(normal(rng, 8), 2, 4), tensor([]int32{0, 2, 4}, 0, 3), tensor([]int32{0, 2}, 0, 2), tensor([]int32{1}, 0, 1),
		}},
	} {
		for _, f := range levels(t) {
			pool := platform.NewPool(2)
			_, r := c.bind(t, Kernels(f), pool)
			if n := testing.AllocsPerRun(20, func() { _ = r.Run() }); n != 0 {
				t.Errorf("%s %s: %g allocations a run", c.name, f, n)
			}
			pool.Close()
		}
	}
}

func TestEveryOpHasAKernel(t *testing.T) {
	for _, f := range levels(t) {
		have := map[op.ID]int{}
		for _, k := range Kernels(f) {
			have[k.Op]++
			if k.Cost <= 0 || k.Cost >= 1000 {
				t.Errorf("%s costs %d: a plain kernel would be picked before it", k.Name, k.Cost)
			}
		}
		for _, s := range op.All() {
			if have[s.ID] == 0 {
				t.Errorf("%s: %s has no kernel", f, s.Name)
			}
		}
	}
}
