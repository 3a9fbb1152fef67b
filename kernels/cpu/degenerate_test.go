package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// Products with no columns of K are the bias, and those of no rows nothing, for
// weights of every type.
func TestEmptyProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	const M, r, copies = 37, 3, 4
	bias := tensor(normal(rng, M), 0, M)
	for _, d := range op.WeightTypes() {
		for _, e := range []struct{ N, K int }{{3, 0}, {0, 64}, {1, 1}} {
			t.Run(fmt.Sprintf("%s/N%d/K%d", d, e.N, e.K), func(t *testing.T) {
				w := inPanels(matrix(rng, 0, M, e.K))
				if d.Packed() {
					w = packedWeights(t, matrix(rng, 0, M, e.K), d)
				}
				x := matrix(rng, copies, e.N, e.K)
				linear := test{"linear", op.Linear, copies, nil, []*kernel.Tensor{x, w, bias}}
				linear.check(t, 1e-4)
				lora := test{"lora", op.LinearLoRA, copies, loraAttrs(1), []*kernel.Tensor{
					x, w, matrix(rng, 0, r, e.K), matrix(rng, 0, M, r), tensor([]uint32{1, 2}, 0, 2),
					tensor([]int32{0}, 0, 1), tensor([]float32{0.5}, 0, 1), bias,
				}}
				lora.check(t, 1e-4)
				head := test{"head", op.CrossEntropyHead, copies, nil, []*kernel.Tensor{x, w, tensor(make([]int32, e.N), 0, e.N)}}
				head.check(t, 1e-4)
			})
		}
	}
}
