package conformance

import (
	"math"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// trainableCases move weights of every kind as a whole: vectors, matrices in
// rows and in panels, f32 and bf16. All results are exact.
func trainableCases() []Case {
	var list []Case
	i := 0
	for _, kind := range []op.Type{
		{DType: op.F32}, {DType: op.F32, Layout: op.Panels16}, {DType: op.BF16, Layout: op.Panels16},
	} {
		for _, s := range [][]int{{1}, {17}, {1000}, {5000}, {1, 1}, {3, 5}, {16, 16}, {17, 31}, {33, 257}, {35, 600}} {
			if kind.Layout == op.Panels16 && len(s) == 1 {
				continue
			}
			w := Input{Type: kind}
			for _, n := range s {
				w.Type.Shape = append(w.Type.Shape, op.C(n))
			}
			list = append(list, perturbCase(w, i, s), updateWeightsCase(w, i, s))
			i++
		}
	}
	return list
}

func perturbCase(w Input, i int, shape []int) Case {
	sampler := turn(i, noise.Gaussian, noise.Rademacher)
	first := turn(i, int32(0), 1, -1, 6, 1001, -7)
	eps := turn(i/2, 1e-3, 0.37, 0)
	return Case{
		Op: op.Perturb, Name: name(w.Type, sampler, "first=", first, "eps=", eps, shape),
		Attrs: op.Attrs{siteAttr(turn(i, uint32(0), 7, math.MaxUint32)), op.IntAttr("sampler", int(sampler))},
		In: []Input{
			w, seed(),
			{Type: op.Type{DType: op.I32, Shape: []op.Dim{op.C(1)}}, Integer: word(uint32(first))},
			values(false, op.C(1)).filled(always(float32(eps))),
		},
		Bounds: op.Extents{Width: 1},
	}
}

func updateWeightsCase(w Input, i int, shape []int) Case {
	sampler := turn(i/2, noise.Gaussian, noise.Rademacher)
	queries := turn(i, 1, 3, 0, 8)
	if i%5 == 4 {
		w.Float = cycle(math.NaN(), math.Inf(1), math.Inf(-1), 1e-41, 3e38, 1)
	}
	return Case{
		Op: op.UpdateLoRA, Name: name(w.Type, sampler, "Q=", queries, shape),
		Attrs: op.Attrs{siteAttr(turn(i, uint32(3), 0, 70000)), op.IntAttr("sampler", int(sampler))},
		In: []Input{
			w, seed(), values(false, op.S(op.Queries, 0)),
			values(false, op.C(1)).filled(always(turn(i, float32(1e-3), 0.3))),
		},
		Bounds: op.Extents{Width: 1, Q: queries},
	}
}
