package conformance

import (
	"math"
	"math/rand/v2"

	"zeroth/runtime/op"
)

func normalizationCases() []Case {
	var list []Case
	add := func(what string, N, C int, epsilon float64, wide bool, x Float) {
		list = append(list, Case{
			Op: op.RMSNormalization, Name: name("N=", N, "C=", C, "epsilon=", epsilon, widths(wide)) + what,
			Attrs:  op.Attrs{op.FloatAttr("epsilon", epsilon)},
			In:     []Input{values(wide, tokens, op.C(C)).filled(x), constant(nil, op.C(C))},
			Bounds: op.Extents{Width: 3, N: N},
			// Rows keep their size, but for denormal ones, which may be flushed.
			Limit: sums(C), Scale: 1e-30,
		})
	}
	i := 0
	for _, N := range []int{0, 1, 3, 17, 33} {
		for _, C := range []int{0, 1, 3, 4, 15, 16, 17, 31, 33, 64, 127, 512} {
			add("", N, C, turn(i/2, 1e-5, 0, 1), i%2 == 0, nil)
			i++
		}
	}
	one := normal(1)
	for _, C := range []int{5, 33} {
		add(", NaN in x", 5, C, 1e-5, true, with(one, 2, 4, math.NaN()))
		add(", Inf in x", 5, C, 1e-5, false, with(one, 2, 4, math.Inf(-1)))
		add(", a zero row", 5, C, 1e-5, false, inRow(one, 2, 0))
		add(", a zero row", 5, C, 0, true, inRow(one, 2, 0))
		add(", denormal rows", 5, C, 1, true, always(1e-41))
		add(", large rows", 5, C, 1e-5, false, normal(1e15))
		add(", small rows", 5, C, 1e-5, false, normal(1e-15))
	}
	for _, s := range [...][3]int{{5, 1, 1}, {3, 4, 1}, {17, 2, 16}, {33, 4, 24}, {1, 3, 7}, {5, 16, 128}} {
		for _, wide := range noAndYes {
			heads := Case{
				Op: op.RMSNormalization, Name: name("N=", s[0], s[1], "heads of", s[2], widths(wide)),
				Attrs:  op.Attrs{op.FloatAttr("epsilon", 1e-6)},
				In:     []Input{values(wide, tokens, op.C(s[1]*s[2])), constant(nil, op.C(s[2]))},
				Bounds: op.Extents{Width: 3, N: s[0]}, Limit: sums(s[2]), Scale: 1e-30,
			}
			list = append(list, heads)
			if s[1] > 1 {
				heads.Name += ", NaN in one head"
				heads.In = []Input{heads.In[0].filled(with(normal(1), 0, s[2], math.NaN())), heads.In[1]}
				list = append(list, heads)
			}
		}
	}
	return list
}

func layerNormalizationCases() []Case {
	var list []Case
	// size is that of the terms that a result is the sum of: the bias, and the
	// mean in units of the deviation.
	add := func(what string, N, C int, epsilon float64, wide bool, x Float, size float64) {
		list = append(list, Case{
			Op: op.LayerNormalization, Name: name("N=", N, "C=", C, "epsilon=", epsilon, widths(wide)) + what,
			Attrs:  op.Attrs{op.FloatAttr("epsilon", epsilon)},
			In:     []Input{values(wide, tokens, op.C(C)).filled(x), constant(nil, op.C(C)), constant(nil, op.C(C))},
			Bounds: op.Extents{Width: 3, N: N},
			Limit:  sums(C), Scale: size,
		})
	}
	i := 0
	for _, N := range []int{0, 1, 3, 17, 33} {
		for _, C := range []int{0, 1, 3, 4, 15, 16, 17, 31, 33, 64, 127, 512} {
			add("", N, C, turn(i/2, 1e-5, 1e-12, 1), i%2 == 0, nil, 1)
			i++
		}
	}
	one := normal(1)
	for _, C := range []int{5, 33} {
		add(", NaN in x", 5, C, 1e-5, true, with(one, 2, 4, math.NaN()), 1)
		add(", Inf in x", 5, C, 1e-5, false, with(one, 2, 4, math.Inf(-1)), 1)
		add(", a constant row", 5, C, 1e-5, true, inRow(one, 2, 7), 1)
		add(", a constant row", 5, C, 0, false, inRow(one, 2, 7), 1)
		add(", far from zero", 5, C, 1e-5, true, func(rng *rand.Rand, _, _ int) float32 { return 1000 + float32(rng.NormFloat64()) }, 1)
		add(", denormal rows", 5, C, 1, true, always(1e-41), 1)
		add(", large rows", 5, C, 1e-5, false, normal(1e25), 1)
		add(", small rows", 5, C, 0, false, normal(1e-25), 1)
	}
	return list
}
