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
				report, err := conformance.Run(t.Context(), registry, shared(op))
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

// shared are a geometry test's options: with -short a share of the cases, since
// plain tiles are slow under an emulator.
func shared(op string) conformance.Options {
	o := conformance.Options{Op: op, Workers: []int{2}}
	if testing.Short() {
		o.Parts = 8
	}
	return o
}

// plainCodes is a codeFunc of any tile over words as the file holds them, x being
// codes plus shift.
func plainCodes(mr, nr int, shift int32) codeFunc {
	return func(groups, words int, a, b *byte, panel int, scales *float32, start *int32, c *float32, ldc int) {
		total := groups * words
		as, bs := bytesAt(a, total*mr*4), bytesAt(b, (nr/16-1)*panel+total*64)
		scale, first := floatsAt(scales, groups*nr), intsAt(start, groups*nr)
		cs := floatsAt(c, (mr-1)*ldc+nr)
		for g := range groups {
			for i := range mr {
				for j := range nr {
					acc := first[g*nr+j]
					for k := 4 * words * g; k < 4*words*(g+1); k++ {
						x, w := as[(k/4*mr+i)*4+k%4], bs[j/16*panel+k/4*64+j%16*4+k%4]
						acc += (int32(int8(x-byte(shift))) + shift) * int32(int8(w))
					}
					cs[i*ldc+j] += scale[g*nr+j] * float32(acc)
				}
			}
		}
	}
}

// packPlain is packQuads with shift added to each code.
func packPlain(mr int, shift int32) func(dst []byte, codes []int8, ld, rows, words int) {
	pack := packQuads(mr)
	return func(dst []byte, codes []int8, ld, rows, words int) {
		pack(dst, codes, ld, rows, words)
		for i := range dst[:words*mr*4] {
			dst[i] += byte(shift)
		}
	}
}

// The same for products of codes: a wide tile with a half, shifted codes, and
// words by twos.
func TestConformanceWithAWideCodeTile(t *testing.T) {
	const MR, NR, shift = 14, 32, 128
	r := genericRoutines()
	r.codes = codeKernel{
		name: "plain", MR: MR, NR: NR, fn: plainCodes(MR, NR, shift), half: plainCodes(MR, 16, shift),
		pack: packPlain(MR, shift), xBytes: 4, wBytes: 4, shift: shift, step: 2,
	}
	registry, err := kernel.NewRegistry(r.kernels())
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"linear", "crossentropy"} {
		report, err := conformance.Run(t.Context(), registry, shared(op))
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
}
