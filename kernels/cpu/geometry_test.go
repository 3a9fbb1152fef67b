package cpu

import (
	"fmt"
	"testing"
	"unsafe"

	"zeroth/kernels/conformance"
	"zeroth/runtime/kernel"
)

// plainTile is a microFunc of any tile, written as the definition is.
func plainTile(mr, nr int) microFunc {
	return func(kc int, a, b *float32, panel int, d *float32, ldd int, c *float32, ldc int) {
		as, bs := unsafe.Slice(a, kc*mr), unsafe.Slice(b, (nr/16-1)*panel+kc*16)
		ds, cs := unsafe.Slice(d, (mr-1)*ldd+nr), unsafe.Slice(c, (mr-1)*ldc+nr)
		for i := range mr {
			for j := range nr {
				sum := float32(0)
				for k := range kc {
					sum += as[k*mr+i] * bs[j/16*panel+k*16+j%16]
				}
				cs[i*ldc+j] = ds[i*ldd+j] + sum
			}
		}
	}
}

// What surrounds the micro-kernel works with the tiles of every instruction
// set, also of those that this machine lacks.
func TestConformanceWithEveryTile(t *testing.T) {
	for _, tile := range []struct{ mr, nr int }{{14, 32}, {3, 32}} {
		t.Run(fmt.Sprintf("%dx%d", tile.mr, tile.nr), func(t *testing.T) {
			r := genericRoutines()
			r.codesBF16 = plainBF16()
			r.gemm = microKernel{name: "plain", MR: tile.mr, NR: tile.nr, fn: plainTile(tile.mr, tile.nr)}
			if tile.nr > 16 {
				r.gemm.half = plainTile(tile.mr, 16)
			}
			registry, err := kernel.NewRegistry(r.kernels())
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range []string{"linear", "attention", "crossentropy"} {
				report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: op, Workers: []int{2}})
				if err != nil {
					t.Fatal(err)
				}
				if len(report.Results) == 0 {
					t.Fatalf("no case of %s was run", op)
				}
				for _, f := range report.Failed() {
					t.Errorf("%s %s: %s", f.Op, f.Case, f.Message)
				}
			}
		})
	}
}
