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

// codeLoop is the ceiling of products with weights of type d.
func codeLoop(f Features, d op.DType) peak.Loop {
	for _, loop := range peak.Loops(func(level string) bool { _, err := f.Limit(level); return err == nil }) {
		if loop.Type == "i8" || loop.Type == d.String() {
			return loop
		}
	}
	return loopOf(f)
}

// The parts of a product of codes with 2048 rows of x, 8 copies in pairs: as
// shares of one core's ceiling by processor time, and rounding as a share of the
// whole's time.
func BenchmarkCodes(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 7))
	const N, copies = 2048, 8
	for _, s := range [][2]int{{2048, 2048}, {2048, 5632}, {5632, 2048}} {
		K, M := s[0], s[1]
		x, dense := matrix(rng, copies, N/copies, K), matrix(rng, 0, M, K)
		for _, d := range []op.DType{op.I8, op.NF4, op.Q4} {
			w := packedWeights(b, dense, d)
			for _, f := range levels(b)[1:] {
				name := fmt.Sprintf("%s/%s/K%d-M%d", f, d, K, M)
				c := test{name, op.Linear, copies, nil, []*kernel.Tensor{x, w}}
				b.Run(name, func(b *testing.B) { benchCodes(b, &c, f, d, 2*N*float64(K)*float64(M)) })
			}
		}
	}
}

func benchCodes(b *testing.B, c *test, f Features, d op.DType, ops float64) {
	pool := platform.NewPool(1)
	defer pool.Close()
	_, runner := c.bind(b, Kernels(f), pool)
	l := runner.(*codedLinear)
	timed := func(work func()) float64 {
		begin := cpuSeconds(b)
		work()
		return cpuSeconds(b) - begin
	}
	loop := codeLoop(f, d)
	rounds := int(ops) / loop.Ops // as many operations as the product has
	var whole, round, bare float64
	for b.Loop() {
		whole += timed(func() {
			if err := l.Run(); err != nil {
				b.Fatal(err)
			}
		})
		round += timed(func() { pool.Run(&l.round, l.product.roundTasks()) })
		bare += timed(func() { loop.Run(rounds) })
	}
	b.ReportMetric(bare/whole, "of-ceiling")
	b.ReportMetric(bare/(whole-round), "of-ceiling-product")
	b.ReportMetric(round/whole, "rounding")
	b.ReportMetric(ops*float64(b.N)/bare/1e9, "Gop/s-ceiling")
}
