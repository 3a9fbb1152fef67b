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

// A product that packs x once has the bits of its blocks, each of which packs x
// itself, whatever the extents, the type of W and the copies.
func TestPackingOnceChangesNoBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	const K, M, r = 701, 393, 3
	dense := matrix(rng, 0, M, K)
	pool := platform.NewPool(2)
	defer pool.Close()
	for _, f := range levels(t) {
		for _, w := range []*kernel.Tensor{dense, inPanels(dense), packedWeights(t, dense, op.BF16)} {
			if choose(f).codesFor(w.Type.DType) != nil {
				continue
			}
			for _, N := range []int{1, 17, 150} {
				if testing.Short() && N > 17 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s/N%d", f, w.Type.DType, w.Type.Layout, N), func(t *testing.T) {
					const copies = 2
					x := matrix(rng, copies, N, K)
					want := plainBlocks(choose(f), x, w)
					linear := test{"linear", op.Linear, copies, nil, []*kernel.Tensor{x, w}}
					lora := test{"lora", op.LinearLoRA, copies, loraAttrs(1), []*kernel.Tensor{
						x, w, matrix(rng, 0, r, K), tensor(make([]float32, M*r), 0, M, r),
						tensor([]uint32{1, 2}, 0, 2), tensor([]int32{0}, 0, 1), tensor([]float32{0}, 0, 1),
					}}
					for _, c := range []test{linear, lora} {
						call, run := c.bind(t, Kernels(f), pool)
						if err := run.Run(); err != nil {
							t.Fatal(err)
						}
						for i, v := range call.Out[0].F32() {
							if v != want[i] {
								t.Fatalf("%s: element %d is %g, want %g", c.name, i, v, want[i])
							}
						}
					}
					head := test{"head", op.CrossEntropyHead, copies, nil, []*kernel.Tensor{x, w, tensor(make([]int32, N), 0, N)}}
					call, run := head.bind(t, Kernels(f), pool)
					if err := run.Run(); err != nil {
						t.Fatal(err)
					}
					for i, v := range call.Out[0].F32() {
						if nll := negativeLogLikelihood(want[i*M:(i+1)*M], 0); math.Abs(float64(v)-nll) > 1e-4 {
							t.Fatalf("head: row %d is %g, want %g", i, v, nll)
						}
					}
				})
			}
		}
	}
}

// negativeLogLikelihood is that of a label, of not too large logits.
func negativeLogLikelihood(logits []float32, label int) float64 {
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(float64(l))
	}
	return math.Log(sum) - float64(logits[label])
}

// plainBlocks computes x Wᵀ as one block of at most blockRows rows after the
// other, each packing its x.
func plainBlocks(r *routines, x, w *kernel.Tensor) []float32 {
	p := product{routines: r, w: weightsOf(w)}
	if !p.w.packsOnce() {
		panic("W is too small")
	}
	storage := newArena(bytesOf(make([]float32, 2*r.gemm.workspaceSize())))
	space := r.gemm.newWorkspace(&storage)
	rows, K, M := x.Width*x.Shape[0], p.w.K, p.w.M
	y := make([]float32, rows*M)
	for r0 := 0; r0 < rows; r0 += r.gemm.blockRows() {
		for c0 := 0; c0 < M; c0 += blockColumns {
			p.compute(&space, &block{
				x: x.F32()[r0*K:], rows: min(r.gemm.blockRows(), rows-r0), c0: c0, c1: min(c0+blockColumns, M), y: y[r0*M+c0:], ldy: M,
			})
		}
	}
	return y
}
