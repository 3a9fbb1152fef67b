//go:build unix

package cpu

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"zeroth/kernels/cpu/peak"
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// cpuSeconds is the processor time that this process has had.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// loopOf is the loop of f32 multiply-adds that f reaches.
func loopOf(f Features) peak.Loop {
	for _, loop := range peak.Loops(func(level string) bool { _, err := f.Limit(level); return err == nil }) {
		if loop.Type == "f32" {
			return loop
		}
	}
	panic("plain Go is always there")
}

// benchRun runs a call and reports Gflop/s of wall time and, as a share of the
// ceiling of one core measured in the same process, Gflop/s of processor time,
// which other programs on the machine disturb less.
func benchRun(b *testing.B, c *test, f Features, workers int, flops float64) {
	b.Helper()
	pool := platform.NewPool(workers)
	defer pool.Close()
	_, r := c.bind(b, Kernels(f), pool)
	ceiling := peak.OnCore(loopOf(f))
	b.ReportAllocs()
	begin := cpuSeconds(b)
	b.ResetTimer()
	for range b.N {
		if err := r.Run(); err != nil {
			b.Fatal(err)
		}
	}
	if flops > 0 {
		rate := flops * float64(b.N) / b.Elapsed().Seconds()
		used := cpuSeconds(b) - begin
		b.ReportMetric(rate/1e9, "Gflop/s")
		b.ReportMetric(flops*float64(b.N)/used/ceiling, "of-ceiling/core")
	}
}

var benchShapes = [][2]int{{2048, 2048}, {2048, 5632}, {128, 128}, {128, 352}, {352, 128}, {288, 768}}

func BenchmarkLinear(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 1))
	const N = 2048
	for _, s := range benchShapes {
		K, M := s[0], s[1]
		x, w := matrix(rng, 0, N, K), matrix(rng, 0, M, K)
		for _, f := range levels(b) {
			for _, in := range []*kernel.Tensor{inPanels(w), w} {
				if f == (Features{}) && (K*M > 1<<20 || in == w) {
					continue
				}
				for _, workers := range []int{1, 2} {
					name := fmt.Sprintf("%s/K%d-M%d/%s/workers%d", f, K, M, in.Type.Layout, workers)
					b.Run(name, func(b *testing.B) {
						c := test{name, op.Linear, 0, nil, []*kernel.Tensor{x, in}}
						benchRun(b, &c, f, workers, 2*N*float64(K)*float64(M))
					})
				}
			}
		}
	}
}

// The widened step's product: P = 8 copies of N tokens, rank 16.
func BenchmarkLinearLoRA(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 2))
	const P, r = 8, 16
	shapes := [][3]int{{32, 128, 128}, {32, 128, 352}, {32, 2048, 2048}}
	for _, s := range benchShapes {
		shapes = append(shapes, [3]int{256, s[0], s[1]})
	}
	for _, s := range shapes {
		N, K, M := s[0], s[1], s[2]
		w := inPanels(matrix(rng, 0, M, K))
		a, loraB := matrix(rng, 0, r, K), matrix(rng, 0, M, r)
		for _, f := range levels(b)[1:] {
			for _, copies := range []int{P, 0} {
				name := fmt.Sprintf("%s/N%d-K%d-M%d/x%d", f, N, K, M, max(copies, 1))
				b.Run(name, func(b *testing.B) {
					c := test{name, op.LinearLoRA, P, loraAttrs(1), []*kernel.Tensor{
						matrix(rng, copies, N, K), w, a, loraB,
						tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{1e-2}, 0, 1),
					}}
					flops := 2 * float64(N) * (float64(max(copies, 1)*K*(M+r)) + float64(P*M*r))
					benchRun(b, &c, f, 1, flops)
				})
			}
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 3))
	for _, s := range [][4]int{{8, 8, 32, 32}, {32, 4, 64, 64}, {32, 4, 64, 512}} {
		heads, kvHeads, D, length := s[0], s[1], s[2], s[3]
		N := max(512, length)
		var offsets []int32
		for o := 0; o <= N; o += length {
			offsets = append(offsets, int32(o))
		}
		for _, f := range levels(b) {
			name := fmt.Sprintf("%s/H%d-%d-D%d-T%d", f, heads, kvHeads, D, length)
			b.Run(name, func(b *testing.B) {
				c := test{name, op.Attention, 0, op.Attrs{
					op.IntAttr("num_heads", heads), op.IntAttr("kv_num_heads", kvHeads), op.FloatAttr("scale", 0.1), op.IntAttr("causal", 1),
				}, []*kernel.Tensor{matrix(rng, 0, N, heads*D), matrix(rng, 0, N, kvHeads*D), matrix(rng, 0, N, kvHeads*D), tensor(offsets, 0, len(offsets))}}
				benchRun(b, &c, f, 1, 2*float64(N)*float64(length)*float64(heads*D))
			})
		}
	}
}

// Elementwise ops: nanoseconds an element, in place of a share.
func BenchmarkElements(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 4))
	const N, C = 512, 352
	x := matrix(rng, 0, N, C)
	positions := tensor(make([]int32, N), 0, N)
	for _, c := range []test{
		{"add", op.Add, 0, nil, []*kernel.Tensor{x, x}},
		{"swiglu", op.SwiGLU, 0, nil, []*kernel.Tensor{x, x}},
		{"rms", op.RMSNormalization, 0, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, []*kernel.Tensor{x, tensor(normal(rng, C), 0, C)}},
		{"rotary-pairs", op.RotaryEmbedding, 0, op.Attrs{op.IntAttr("num_heads", 11), op.IntAttr("interleaved", 1)}, []*kernel.Tensor{
			x, positions, matrix(rng, 0, 9, 16), matrix(rng, 0, 9, 16),
		}},
		{"rotary-halves", op.RotaryEmbedding, 0, op.Attrs{op.IntAttr("num_heads", 11), op.IntAttr("interleaved", 0)}, []*kernel.Tensor{
			x, positions, matrix(rng, 0, 9, 16), matrix(rng, 0, 9, 16),
		}},
		{"update-per-z", op.UpdateLoRA, 0, op.Attrs{op.IntAttr("site", 1), op.IntAttr("sampler", 1)}, []*kernel.Tensor{
			x, tensor([]uint32{1, 2}, 0, 2), tensor([]float32{1}, 0, 1), tensor([]float32{1}, 0, 1),
		}},
	} {
		for _, f := range levels(b) {
			b.Run(c.name+"/"+f.String(), func(b *testing.B) {
				benchRun(b, &c, f, 1, 0)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(N*C), "ns/element")
			})
		}
	}
}

// The fused head: 64 rows, 32000 logits.
func BenchmarkCrossEntropyHead(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 5))
	const R, C, V = 64, 288, 32000
	w := inPanels(matrix(rng, 0, V, C))
	for _, f := range levels(b)[1:] {
		b.Run(f.String(), func(b *testing.B) {
			c := test{"head", op.CrossEntropyHead, 0, nil, []*kernel.Tensor{matrix(rng, 0, R, C), w, tensor(make([]int32, R), 0, R)}}
			benchRun(b, &c, f, 1, 2*R*C*V)
		})
	}
}

// Perturbing a matrix of each type, beside drawing its noise alone in the same
// process: what reading, moving and writing the weights costs in addition.
func BenchmarkPerturb(b *testing.B) {
	const M, K = 512, 1024
	for _, d := range []op.DType{op.F32, op.BF16} {
		for _, f := range levels(b) {
			b.Run(fmt.Sprintf("%s/%s", d, f), func(b *testing.B) {
				w := &kernel.Tensor{Type: op.Type{DType: d, Shape: []op.Dim{op.C(M), op.C(K)}, Layout: op.Panels16}, Width: 1, Shape: []int{M, K}}
				w.Data = bytesOf(storage(M * K / d.Word()))
				c := test{"perturb", op.Perturb, 0, op.Attrs{op.IntAttr("site", 1), op.IntAttr("sampler", int(noise.Gaussian))}, []*kernel.Tensor{
					w, tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{1e-3}, 0, 1),
				}}
				benchRun(b, &c, f, 1, 0)
				each := b.Elapsed().Seconds() / float64(b.N)
				b.StopTimer()
				z, r := make([]float32, K), choose(f)
				begin := time.Now()
				for range b.N {
					for m := range M {
						r.gaussian(z, [2]uint32{1, 2}, 1, 0, uint32(m*K))
					}
				}
				b.ReportMetric(each*1e9/(M*K), "ns/element")
				b.ReportMetric(each/(time.Since(begin).Seconds()/float64(b.N)), "of-noise-alone")
			})
		}
	}
}
