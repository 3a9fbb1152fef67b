package cpu

import (
	"encoding/binary"
	"testing"

	"zeroth/internal/half"
	"zeroth/runtime/op"
)

// plainBF16Tile is a codeFunc for bfloat16 of any tile, over x that packQuads
// wrote and W as it lies.
func plainBF16Tile(mr, nr int) codeFunc {
	return func(groups, words int, a, b *byte, panel int, _ *float32, _ *int32, c *float32, ldc int) {
		words *= groups
		x, w, y := bytesAt(a, words*4*mr), bytesAt(b, (nr/16-1)*panel+words*64), floatsAt(c, (mr-1)*ldc+nr)
		value := func(b []byte, at int) float32 { return half.BrainToFloat(binary.LittleEndian.Uint16(b[at:])) }
		for i := range mr {
			for j := range nr {
				sum := float32(0)
				for v := range words {
					xAt, wAt := (v*mr+i)*4, j/16*panel+v*64+j%16*4
					sum += value(x, xAt)*value(w, wAt) + value(x, xAt+2)*value(w, wAt+2)
				}
				y[i*ldc+j] += sum
			}
		}
	}
}

// plainBF16 is a codeKernel for bfloat16 with two panels to a tile.
func plainBF16() codeKernel {
	return codeKernel{
		name: "plain", MR: 10, NR: 32, fn: plainBF16Tile(10, 32), half: plainBF16Tile(10, 16),
		pack: packQuads(10), xBytes: 4, wBytes: 4, step: 1,
	}
}

// A level without kernels for a type leaves it to those that decode W.
func TestCodesFor(t *testing.T) {
	r := genericRoutines()
	if r.codesFor(op.BF16) != nil || r.codesFor(op.F32) != nil || r.codesFor(op.NF4) != &r.codes {
		t.Error("plain routines have codes for I8, Q4 and NF4")
	}
	r.codes.fn = nil
	r.codesBF16 = plainBF16()
	if r.codesFor(op.BF16) != &r.codesBF16 || r.codesFor(op.I8) != nil || r.codesFor(op.Q4) != nil {
		t.Error("the kernel for BF16 serves it alone")
	}
}
