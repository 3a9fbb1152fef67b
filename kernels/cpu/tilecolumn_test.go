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
				before, want := slices.Clone(c), slices.Clone(c)
				for i := 0; i < rows; i += m.MR {
					m.fn(kc, start(a[i*kc:]), &b[0], panel, &d[i*ldd], ldd, &want[i*ldc], ldc)
				}
				for _, column := range columnsOf(&m) {
					copy(c, before)
					column(tiles, kc, start(a), &b[0], panel, &d[0], ldd, &c[0], ldc, (*byte)(unsafe.Pointer(&b[0])), 64, 128)
					checkGuards(t, "column", c)
					if !slices.Equal(c, want) {
						t.Fatalf("%s: %d tiles of depth %d differ from single ones", m.name, tiles, kc)
					}
				}
			}
		}
	})
}

// columnsOf are the columns of tiles that a kernel has.
func columnsOf(m *microKernel) []microColumn {
	return slices.DeleteFunc([]microColumn{m.column, m.narrow}, func(c microColumn) bool { return c == nil })
}

func codeColumnsOf(k *codeKernel) []codeColumn {
	return slices.DeleteFunc([]codeColumn{k.column, k.narrow}, func(c codeColumn) bool { return c == nil })
}

// Processors that load 64 bits at a time get the kernels for them, where there are
// some, and others keep theirs.
func TestSuitNarrowLoads(t *testing.T) {
	column := func(tiles, kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int, next *byte, step, apart int) {
	}
	codes := func(tiles, stride, groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int, next *byte, step, apart int) {
	}
	r := routines{gemm: microKernel{narrow: column}, codes: codeKernel{narrow: codes}, codesQ4: codeKernel{column: codes}}
	r.suitNarrowLoads()
	if r.gemm.column == nil || r.codes.column == nil || r.codesQ4.column == nil || r.codesBF16.column != nil {
		t.Error("the kernels for narrow loads were not picked, or others lost theirs")
	}
}

// The same for codes and for bfloat16, whose tiles lie stride bytes apart.
func TestCodeTileColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 2))
	check := func(t *testing.T, k *codeKernel, random func(*rand.Rand, []byte)) {
		t.Helper()
		if len(codeColumnsOf(k)) == 0 {
			return
		}
		for words := 0; words < 10; words += k.step {
			for shape := range 6 {
				checkCodeColumn(t, rng, k, random, 1+shape%3, 1+shape%2, words)
			}
		}
	}
	eachCodeKernel(t, func(t *testing.T, k *codeKernel) {
		check(t, k, func(rng *rand.Rand, b []byte) { randomCodes(rng, signed(b)) })
	})
	eachLevel(t, func(t *testing.T, r *routines) { check(t, &r.codesBF16, randomBrains) })
}

func checkCodeColumn(t *testing.T, rng *rand.Rand, k *codeKernel, random func(*rand.Rand, []byte), tiles, groups, words int) {
	t.Helper()
	all := groups * words
	stride, panel, ldc := (all+1)*k.MR*k.xBytes, 16*k.wBytes*(all+words%3), k.NR+tiles
	a, b := make([]byte, tiles*stride), make([]byte, k.NR/16*panel+2)
	random(rng, a)
	random(rng, b)
	scales, first := normal(rng, groups*k.NR), make([]int32, groups*k.NR)
	for i := range first {
		first[i] = rng.Int32N(2001) - 1000
	}
	c := guarded(rng, (tiles*k.MR-1)*ldc+k.NR, words%4)
	before, want := slices.Clone(c), slices.Clone(c)
	for i := range tiles {
		k.fn(groups, words, &a[i*stride], &b[0], panel, &scales[0], &first[0], &want[i*k.MR*ldc], ldc)
	}
	for _, column := range codeColumnsOf(k) {
		copy(c, before)
		column(tiles, stride, groups, words, &a[0], &b[0], panel, &scales[0], &first[0], &c[0], ldc, &b[0], 64, 128)
		checkGuards(t, k.name, c)
		if !slices.Equal(c, want) {
			t.Fatalf("%s: %d tiles of %d groups of %d words differ from single ones", k.name, tiles, groups, words)
		}
	}
}
