package cpu

import (
	"unsafe"

	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

// HotTile is one tile of the product that Linear computes with weights of a type, on
// operands that stay in the first cache: the micro-kernel as the product calls it,
// with no memory, packing or rounding around it. What a product falls short of it is
// the blocking's; what it falls short of a bare loop of its instruction is its own
// or, since it loads and the loop does not, that of whoever shares the core.
type HotTile struct {
	Ops int // operations of a round; a multiply-add counts two
	run func()
}

// hotBytes is what a tile's operands may take: less than the first cache of any
// processor that has the kernels.
const hotBytes = 28 << 10

// NewHotTile makes the tile of a product with K columns of x, or with as many of them
// as the product takes at once and the first cache holds.
func NewHotTile(f Features, weights op.DType, K int) *HotTile {
	r := choose(f)
	if k := r.codesFor(weights); k != nil {
		return hotCodes(k, weights, K)
	}
	return hotFloats(&r.gemm, weights, K)
}

// Run computes the tile so many times.
func (t *HotTile) Run(rounds int) {
	for range rounds {
		t.run()
	}
}

func hotFloats(m *microKernel, weights op.DType, K int) *HotTile {
	w := weightsIn(weights, K)
	kc := min(w.depth(), K)
	for (m.MR+m.NR)*kc*4 > hotBytes {
		kc = ceilDiv(kc, 2)
	}
	a, b := ones(m.MR*kc), ones(m.NR*kc)
	d, c := ones(m.NR), ones(m.MR*m.NR)
	t := &HotTile{Ops: 2 * m.MR * m.NR * kc}
	t.run = func() { m.fn(kc, start(a), start(b), kc*op.PanelRows, &d[0], 0, &c[0], m.NR) }
	return t
}

// weightsIn is a matrix of a type as far as the cutting of K depends on it.
func weightsIn(dtype op.DType, K int) weights {
	w := weights{M: op.PanelRows, K: K}
	if dtype.Packed() {
		w.packed = []byte{}
	}
	return w
}

func hotCodes(k *codeKernel, weights op.DType, K int) *HotTile {
	t := op.Type{DType: weights, Layout: op.Panels16, Shape: []op.Dim{op.C(op.PanelRows), op.C(K)}}
	shape := t.Panels()
	words := k.codeWords(&shape)
	words = min(k.depth(words, weights), words)
	unit := k.step
	if shape.Groups > 0 {
		unit = max(unit, weights.Group()/4)
	}
	for (k.MR*k.xBytes+k.NR*k.wBytes)*words > hotBytes {
		words = roundUp(ceilDiv(words, 2), unit)
	}
	groups, each := groupsOf(&shape, words)
	a, b := bytesOfOnes(k.MR*k.xBytes*words), bytesOfOnes(k.NR*k.wBytes*words)
	scales, first, c := make([]float32, groups*k.NR), make([]int32, groups*k.NR), make([]float32, k.MR*k.NR)
	panel := op.PanelRows * k.wBytes * words
	hot := &HotTile{Ops: 2 * k.MR * k.NR * words * wordColumns(weights)}
	hot.run = func() { k.fn(groups, each, &a[0], &b[0], panel, &scales[0], &first[0], &c[0], k.NR) }
	return hot
}

// ones are no zeros, with which some processors are quicker, and whose sums stay
// finite.
func ones(n int) []float32 {
	s := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(platform.Aligned(4*max(n, 1))))), n)
	for i := range s {
		s[i] = 1
	}
	return s
}

func bytesOfOnes(n int) []byte {
	s := platform.Aligned(max(n, 1))
	for i := range s {
		s[i] = 1
	}
	return s
}
