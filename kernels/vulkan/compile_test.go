package vulkan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"zeroth/kernels/gpu"
)

// The device's compiler takes every kernel that the device can have. It needs nothing
// that runs: Mesa's libraries of noop devices list cards that are not there, and their
// compilers are the ones of real cards (docs/BACKENDS.md).
func TestCompile(t *testing.T) {
	all := strings.Join(ways, ",")
	if !open(t).Physical().Features.FP16Storage {
		all += ",no" + gpu.WayStore16
	}
	a, err := ParseArithmetic(all)
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, Options{Arithmetic: a, Cache: t.TempDir()})
	has := d.limits.Arithmetic
	list := slices.Concat(gpu.KernelList(), gpu.VariantList(), gpu.PeakList())
	if has.Store16 {
		list = append(list, gpu.HalfList()...)
	}
	const slots, lora = 2, 1
	for _, k := range list {
		usual := gpu.Tile{A: 8, B: 4}
		rounded := []uint32{0, slots, uint32(usual.A / slots), uint32(usual.B), 0, lora, 0} // constant 0 is the weights
		plain := []uint32{0, uint32(usual.A), uint32(usual.B), 0, lora}
		var constants []uint32
		m := has.Half
		if strings.Contains(k.Name, "byte") {
			m = has.Bytes
		}
		weights := []uint32{0}
		switch {
		case strings.Contains(k.Name, "matrix"):
			if m == (gpu.Matrix{}) {
				continue
			}
			constants = append(rounded, uint32(m.Subgroup), uint32(m.M), uint32(m.N), uint32(m.K))
			weights = []uint32{2, 3, 4, 5} // of bf16, i8, q4 and nf4
		case strings.HasSuffix(k.Name, "dot"):
			if !has.Dot {
				continue
			}
			constants, weights = rounded, []uint32{3, 4, 5}
		case k.Name == "linear" || k.Name == "head":
			constants, weights = plain, []uint32{0, 1, 2, 3, 4, 5}
		case k.Name == "attention":
			constants, weights = []uint32{0, 64}, []uint32{8} // tokens, of heads of 64 channels
		default:
			constants = []uint32{0}
		}
		for _, w := range weights {
			constants[0] = w
			if _, err := d.pipeline(t.Context(), k, constants); err != nil {
				t.Error(fmt.Errorf("%d: %w", constants, err))
			}
		}
	}
}
