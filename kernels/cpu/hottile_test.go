package cpu

import (
	"testing"

	"zeroth/runtime/op"
)

// A hot tile runs the micro-kernel that Linear picks for the type, within the first
// cache, for any K.
func TestHotTiles(t *testing.T) {
	for _, f := range levels(t) {
		r := choose(f)
		for _, d := range op.WeightTypes() {
			MR, NR := r.gemm.MR, r.gemm.NR
			if k := r.codesFor(d); k != nil {
				MR, NR = k.MR, k.NR
			}
			for _, K := range []int{1, 5, 64, 172, 288, 2048, 5632} {
				tile := NewHotTile(f, d, K)
				tile.Run(3)
				if depth := tile.Ops / (2 * MR * NR); depth*2*MR*NR != tile.Ops || depth < min(K, 64) || depth > max(roundUp(K, 64), maxCodeBytes) {
					t.Errorf("%s, %s, K %d: %d operations, of tiles of %d by %d", f, d, K, tile.Ops, MR, NR)
				}
			}
		}
	}
}

// Nor does it allocate.
func TestHotTilesAllocateNothing(t *testing.T) {
	for _, d := range op.WeightTypes() {
		tile := NewHotTile(Detect(), d, 2048)
		if n := testing.AllocsPerRun(10, func() { tile.Run(2) }); n != 0 {
			t.Errorf("%s: %g allocations", d, n)
		}
	}
}
