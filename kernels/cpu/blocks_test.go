package cpu

import (
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Blocks of the largest size, many tiles one below the other, give what the plain
// kernels do. The shapes of the conformance table are too small for them: a product
// is cut finely unless enough of its blocks are that large.
func TestLargestBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 2))
	const N, K, M, r, copies = blockRows + 7, 7, wantTiles/2*blockColumns + 17, 3, 2
	x, dense := matrix(rng, 0, N, K), matrix(rng, 0, M, K)
	lora := []*kernel.Tensor{
		matrix(rng, 0, r, K), matrix(rng, 0, M, r),
		tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{0.5}, 0, 1), tensor(normal(rng, M), 0, M),
	}
	for _, w := range []*kernel.Tensor{inPanels(dense), packedWeights(t, dense, op.I8), packedWeights(t, dense, op.Q4)} {
		limit := 1e-12
		if w.Type.DType != op.F32 { // x is rounded
			limit = 1e-6
		}
		c := test{"lora " + w.Type.DType.String(), op.LinearLoRA, copies, loraAttrs(1), append([]*kernel.Tensor{x, w}, lora...)}
		c.check(t, limit)
	}
}
