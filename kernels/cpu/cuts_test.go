package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// A product has the bits of any other cut of it into blocks, and of any number of
// pairs at a time: which it gets depends on how large it is, and most tests are
// small.
func TestCutsChangeNoBits(t *testing.T) {
	const M, r, copies = 133, 9, 5
	all := levels(t)
	pool := platform.NewPool(3)
	defer pool.Close()
	for i, f := range all {
		for _, d := range op.WeightTypes() {
			// K is one slice or more. The rows are a block of the largest size, which
			// fills the scratch, and a part of one.
			for _, e := range []struct{ N, K int }{{17, 60}, {80, 60}, {80, 700}} {
				N, K := e.N, e.K
				if e.N > 17 && (testing.Short() || i < len(all)-1) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/N%d/K%d", f, d, N, K), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(12, uint64(K)))
					dense := matrix(rng, 0, M, K)
					w := inPanels(dense)
					if d.Packed() {
						w = packedWeights(t, dense, d)
					}
					x, bias := matrix(rng, copies, N, K), tensor(normal(rng, M), 0, M)
					linear := test{"linear", op.Linear, copies, nil, []*kernel.Tensor{x, w, bias}}
					lora := test{"lora", op.LinearLoRA, copies, loraAttrs(1), []*kernel.Tensor{
						x, w, matrix(rng, 0, r, K), matrix(rng, 0, M, r), tensor([]uint32{1, 2}, 0, 2),
						tensor([]int32{0}, 0, 1), tensor([]float32{0.5}, 0, 1), bias,
					}}
					head := test{"head", op.CrossEntropyHead, copies, nil, []*kernel.Tensor{x, w, tensor(make([]int32, N), 0, N)}}
					for _, c := range []test{linear, lora, head} {
						call, run := c.bind(t, Kernels(f), pool)
						if err := run.Run(); err != nil {
							t.Fatal(err)
						}
						cutAnew(t, c.name, call, run)
					}
				})
			}
		}
	}
}

// cutAnew computes a call again, whose first pass is done, in blocks of other sizes.
func cutAnew(t *testing.T, name string, call *kernel.Call, run kernel.Runner) {
	t.Helper()
	y := call.Out[0].F32()
	want := slices.Clone(y)
	poison := func(x []float32) {
		for i := range x {
			x[i] = float32(math.NaN())
		}
	}
	poison(y)
	same := func(cut string) {
		t.Helper()
		for i, v := range y {
			if math.Float32bits(v) != math.Float32bits(want[i]) {
				t.Fatalf("%s cut into %s: element %d is %g, want %g", name, cut, i, v, want[i])
			}
		}
		poison(y)
	}
	nothing := func() {}
	codes := func(p *codeProduct, blocks *tiling, task platform.Task, after func(), widths ...int) {
		unit := leastCommonMultiple(p.kernel.MR, p.gemm.MR)
		for _, rows := range []int{unit, p.blockRows()} {
			for _, width := range widths {
				for p.group = 1; p.group <= p.matrices; p.group++ {
					if p.group > 1 && p.depth < p.words && p.group*roundUp(2*min(rows, p.N), p.kernel.MR) > 2*p.blockRows() {
						break
					}
					*blocks = blocks.of(rows, width)
					call.Pool.Run(task, blocks.tiles())
					after()
					same(fmt.Sprintf("%d by %d, %d pairs at a time", rows, width, p.group))
				}
			}
		}
	}
	floats := func(p *product, blocks *tiling, task platform.Task, copies int, before func()) {
		if p.w.packsOnce() {
			t.Fatal("W is too large for blocks that pack x")
		}
		for _, rows := range []int{p.gemm.MR, 2 * p.gemm.MR, p.gemm.blockRows()} {
			for _, width := range []int{32, leastColumns, blockColumns} {
				*blocks = blocks.of(rows, width)
				before()
				call.Pool.Run(task, copies*blocks.tiles())
				same(fmt.Sprintf("%d by %d", rows, width))
			}
		}
	}
	switch r := run.(type) {
	case *codedLinear:
		codes(&r.product, &r.tiling, r, nothing, leastCodeColumns, codeColumns)
	case *codedLoRA:
		codes(&r.product, &r.blocks, r, nothing, leastCodeColumns, codeColumns)
	case *codedHead:
		codes(&r.codes, &r.blocks, r, func() { call.Pool.Run(&r.join, ceilDiv(r.tiling.rows, joinRows)) }, vocabChunk)
	case *linear:
		floats(&r.product, &r.tiling, r, 1, nothing)
	case *linearLoRA:
		floats(&r.base, &r.tiling, r, r.xCopies, func() {
			if r.projectsInTiles() {
				poison(r.t) // which the blocks make
			} else {
				r.project.run()
			}
		})
	case *crossEntropyHead: // has blocks of one size
	default:
		t.Fatalf("%s is computed by a %T", name, run)
	}
}

// of is the tiling of the same extents into other blocks.
func (t *tiling) of(rows, columns int) tiling {
	u := *t
	u.MC, u.NC = rows, columns
	u.rowBlocks, u.columnBlocks = ceilDiv(u.rows, rows), ceilDiv(u.columns, columns)
	return u
}
