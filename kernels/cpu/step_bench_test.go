//go:build unix

package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"zeroth/kernels/cpu/peak"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// The widened step of TinyLlama-1.1B whose parts BenchmarkStep measures: q = 4,
// four sequences of 64 tokens.
const (
	stepP, stepN, stepLength    = 8, 256, 64
	stepC, stepMLP              = 2048, 5632
	stepHeads, stepKV, stepRank = 32, 4, 16
)

// stepPart is one node of the step with what it must at least do.
type stepPart struct {
	test
	bytes, flops float64
}

// BenchmarkStep measures what lies between the products of a widened step, each
// part against the ceilings of one core measured in the same process: bytes
// that must come from and go to memory against a copy, and operations against
// multiply-adds. The products themselves are in BenchmarkLinearLoRA.
func BenchmarkStep(b *testing.B) {
	for _, part := range stepParts() {
		for _, f := range levels(b)[1:] {
			b.Run(part.name+"/"+f.String(), func(b *testing.B) {
				pool := platform.NewPool(1)
				defer pool.Close()
				_, r := part.bind(b, Kernels(f), pool)
				memory, fma := peak.Copy(), peak.OnCore(loopOf(f))
				begin := cpuSeconds(b)
				b.ResetTimer()
				for range b.N {
					if err := r.Run(); err != nil {
						b.Fatal(err)
					}
				}
				used := (cpuSeconds(b) - begin) / float64(b.N)
				b.ReportMetric(used*1e3, "core-ms/op")
				b.ReportMetric(part.bytes/used/memory, "of-memory")
				if part.flops > 0 {
					b.ReportMetric(part.flops/used/fma, "of-fma")
				}
			})
		}
	}
}

func stepParts() []stepPart {
	const P, N, C, MLP, D = stepP, stepN, stepC, stepMLP, stepC / stepHeads
	rng := rand.New(rand.NewPCG(2, 6))
	x, wide := matrix(rng, P, N, C), matrix(rng, P, N, MLP)
	k, v := matrix(rng, P, N, stepKV*D), matrix(rng, P, N, stepKV*D)
	positions, offsets := make([]int32, N), make([]int32, N/stepLength+1)
	for i := range positions {
		positions[i] = int32(i % stepLength)
	}
	for i := range offsets {
		offsets[i] = int32(i * stepLength)
	}
	cos, sin := matrix(rng, 0, stepLength, D/2), matrix(rng, 0, stepLength, D/2)
	scale, bias := tensor(normal(rng, C), 0, C), tensor(normal(rng, C), 0, C)
	seed, g := tensor([]uint32{1, 2}, 0, 2), tensor(normal(rng, P/2), 0, P/2)
	one := tensor([]float32{1}, 0, 1)
	epsilon := op.Attrs{op.FloatAttr("epsilon", 1e-5)}
	elements := float64(P * N * C)
	list := []stepPart{
		{test{"add", op.Add, P, nil, []*kernel.Tensor{x, x}}, 8 * elements, 0},
		{test{"rms", op.RMSNormalization, P, epsilon, []*kernel.Tensor{x, scale}}, 8 * elements, 0},
		{test{"layernorm", op.LayerNormalization, P, epsilon, []*kernel.Tensor{x, scale, bias}}, 8 * elements, 0},
		{test{"slice", op.Slice, P, op.Attrs{op.IntAttr("start", 1024), op.IntAttr("size", 1024)}, []*kernel.Tensor{x}}, 4 * elements, 0},
		{test{"swiglu", op.SwiGLU, P, nil, []*kernel.Tensor{wide, wide}}, 8 * P * N * MLP, 0},
		{test{"relu", op.Relu, P, nil, []*kernel.Tensor{wide}}, 8 * P * N * MLP, 0},
		{test{"gelu-erf", op.Gelu, P, op.Attrs{op.IntAttr("approximate", 0)}, []*kernel.Tensor{wide}}, 8 * P * N * MLP, 0},
		{test{"gather-panels", op.Gather, 0, nil, []*kernel.Tensor{inPanels(matrix(rng, 0, 4096, C)), tensor(positions, 0, N)}}, 8 * N * C, 0},
		{test{"attention", op.Attention, P, op.Attrs{
			op.IntAttr("num_heads", stepHeads), op.IntAttr("kv_num_heads", stepKV), op.FloatAttr("scale", 0.125), op.IntAttr("causal", 1),
		}, []*kernel.Tensor{x, k, v, tensor(offsets, 0, len(offsets))}}, 8*elements + 8*P*N*stepKV*D, 2 * elements * (stepLength + 1)},
		{test{"head-32rows", op.CrossEntropyHead, P, nil, []*kernel.Tensor{
			matrix(rng, P, 4, C), inPanels(matrix(rng, 0, 32000, C)), tensor(make([]int32, 4), 0, 4),
		}}, 4 * 32000 * C, 2 * P * 4 * 32000 * C},
	}
	for interleaved := range 2 {
		attrs := op.Attrs{op.IntAttr("num_heads", stepHeads), op.IntAttr("interleaved", interleaved)}
		list = append(list, stepPart{test{
			fmt.Sprintf("rotary-interleaved%d", interleaved), op.RotaryEmbedding, P, attrs,
			[]*kernel.Tensor{x, tensor(positions, 0, N), cos, sin},
		}, 8 * elements, 0})
	}
	for sampler := 1; sampler <= 2; sampler++ {
		attrs := op.Attrs{op.IntAttr("site", 1), op.IntAttr("sampler", sampler)}
		list = append(list, stepPart{test{
			fmt.Sprintf("update-sampler%d", sampler), op.UpdateLoRA, 0, attrs, []*kernel.Tensor{matrix(rng, 0, MLP, stepRank), seed, g, one},
		}, 8 * MLP * stepRank, 0})
	}
	return list
}

// BenchmarkLowRank measures what LinearLoRA adds to Linear: its two passes over
// the base products of a layer's seven projections, whose time is left out.
func BenchmarkLowRank(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 7))
	for _, s := range [][2]int{{2048, 2048}, {2048, 256}, {2048, 5632}, {5632, 2048}} {
		K, M := s[0], s[1]
		for _, f := range levels(b)[1:] {
			for sampler := 1; sampler <= 2; sampler++ {
				benchLowRank(b, rng, f, K, M, sampler)
			}
		}
	}
}

func benchLowRank(b *testing.B, rng *rand.Rand, f Features, K, M, sampler int) {
	const P, N, r = stepP, stepN, stepRank
	attrs := op.Attrs{op.IntAttr("site", 1), op.FloatAttr("scale", 2), op.IntAttr("sampler", sampler)}
	c := test{"lora", op.LinearLoRA, P, attrs, []*kernel.Tensor{
		matrix(rng, P, N, K), inPanels(matrix(rng, 0, M, K)), matrix(rng, 0, r, K), matrix(rng, 0, M, r),
		tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{1e-2}, 0, 1),
	}}
	pool := platform.NewPool(1)
	defer pool.Close()
	_, runner := c.bind(b, Kernels(f), pool)
	if err := runner.Run(); err != nil {
		b.Fatal(err)
	}
	l := runner.(*linearLoRA)
	fma := peak.OnCore(loopOf(f))
	part := func(name string, flops float64, tiles int, tile func(i int)) {
		b.Run(fmt.Sprintf("K%d-M%d/%s/%s%d", K, M, f, name, sampler), func(b *testing.B) {
			begin := cpuSeconds(b)
			b.ResetTimer()
			for range b.N {
				for i := range tiles {
					tile(i)
				}
			}
			used := (cpuSeconds(b) - begin) / float64(b.N)
			b.ReportMetric(used*1e3, "core-ms/op")
			b.ReportMetric(flops/used/fma, "of-fma")
		})
	}
	part("perturb", P*float64(M*r), l.prepare.directions*l.prepare.groups, func(i int) { l.prepare.Tile(0, i) })
	if sampler == 1 {
		part("project", 2*P*N*float64(K*r), l.xCopies*l.project.blocks, func(i int) { l.project.Tile(0, i) })
		l.base.w.K = 0 // leaves the second pass its low-rank half and one store of y
		part("finish", 2*P*N*float64(M*r), l.xCopies*l.tiling.tiles(), func(i int) { l.Tile(0, i) })
	}
}
