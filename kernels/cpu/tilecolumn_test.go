package cpu

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// A column of tiles computes the bits of one tile after the other, whatever it
// brings in meanwhile.
func TestTileColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	eachLevel(t, func(t *testing.T, r *routines) {
		m := r.gemm
		if m.column == nil {
			t.Skip("tiles are computed one by one at this level")
		}
		for _, kc := range []int{0, 1, 3, 4, 5, 8, 11, 23} {
			for tiles := 1; tiles < 4; tiles++ {
				rows, panel, ldd, ldc := tiles*m.MR, 16*(kc+3), m.NR*(kc%2), m.NR+tiles
				a, b := guarded(rng, rows*kc, kc%4), guarded(rng, panel*m.NR/16, tiles)
				d, c := guarded(rng, rows*max(ldd, 1)+m.NR, kc%3), guarded(rng, (rows-1)*ldc+m.NR, tiles)
				want := slices.Clone(c)
				for i := 0; i < rows; i += m.MR {
					m.fn(kc, start(a[i*kc:]), &b[0], panel, &d[i*ldd], ldd, &want[i*ldc], ldc)
				}
				m.column(tiles, kc, start(a), &b[0], panel, &d[0], ldd, &c[0], ldc, (*byte)(unsafe.Pointer(&b[0])), 64, 128)
				checkGuards(t, "column", c)
				if !slices.Equal(c, want) {
					t.Fatalf("%s: %d tiles of depth %d differ from single ones", m.name, tiles, kc)
				}
			}
		}
	})
}
