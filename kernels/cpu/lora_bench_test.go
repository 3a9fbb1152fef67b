//go:build unix

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

// BenchmarkLowRankShare measures LinearLoRA against the Linear of the same wide x
// and weights, run in turn: the least time of each.
func BenchmarkLowRankShare(b *testing.B) {
	const P, N, r = stepP, stepN, stepRank
	rng := rand.New(rand.NewPCG(2, 8))
	pool := platform.NewPool(1)
	defer pool.Close()
	for _, s := range [][2]int{{2048, 2048}, {2048, 256}, {2048, 5632}, {5632, 2048}} {
		K, M := s[0], s[1]
		x, w := matrix(rng, P, N, K), matrix(rng, 0, M, K)
		for _, d := range []op.DType{op.F32, op.I8} {
			weights := inPanels(w)
			if d != op.F32 {
				weights = packedWeights(b, w, d)
			}
			plain := test{"linear", op.Linear, P, nil, []*kernel.Tensor{x, weights}}
			lora := test{"lora", op.LinearLoRA, P, loraAttrs(1), []*kernel.Tensor{
				x, weights, matrix(rng, 0, r, K), matrix(rng, 0, M, r),
				tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{1e-2}, 0, 1),
			}}
			for _, f := range levels(b)[1:] {
				b.Run(fmt.Sprintf("K%d-M%d/%s/%s", K, M, d, f), func(b *testing.B) {
					_, base := plain.bind(b, Kernels(f), pool)
					_, whole := lora.bind(b, Kernels(f), pool)
					least := [2]float64{math.Inf(1), math.Inf(1)}
					for range b.N {
						for i, r := range []kernel.Runner{base, whole} {
							begin := cpuSeconds(b)
							if err := r.Run(); err != nil {
								b.Fatal(err)
							}
							least[i] = min(least[i], cpuSeconds(b)-begin)
						}
					}
					b.ReportMetric(least[0]*1e3, "linear-ms")
					b.ReportMetric((least[1]-least[0])*1e3, "low-rank-ms")
					b.ReportMetric(least[1]/least[0]-1, "over-linear")
				})
			}
		}
	}
}
