package conformance

import (
	"math"

	"zeroth/runtime/op"
)

func gatherCases() []Case {
	var list []Case
	add := func(data Input, what string, C, I int) {
		list = append(list, Case{
			Op: op.Gather, Name: name("C=", C, "I=", I, what, widths(data.Type.Wide)),
			In:     []Input{data, index(rows)},
			Bounds: op.Extents{Width: 3, N: 23, R: I},
		})
	}
	for i, C := range []int{0, 1, 3, 15, 16, 17, 33, 64, 127} {
		for _, I := range []int{0, 1, 5, 33} {
			for _, layout := range bothLayouts {
				D := turn(i, 17, 1, 33, 16, 2051)
				add(weights(layout, nil, D, C), name("table of", D, layout), C, I)
			}
			for _, wide := range noAndYes {
				add(values(wide, tokens, op.C(C)), "hidden rows", C, I)
			}
		}
	}
	special := cycle(math.NaN(), math.Inf(1), math.Inf(-1), 1e-41, math.Copysign(0, -1), 3e38)
	for _, layout := range bothLayouts {
		add(weights(layout, special, 20, 17), name("special values,", layout), 17, 5)
	}
	return list
}

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
	return list
}

// pairShapes are N and C of elementwise ops.
var pairShapes = [...][2]int{
	{0, 5}, {5, 0}, {1, 1}, {1, 3}, {3, 15}, {17, 16}, {5, 17}, {2, 31}, {33, 33}, {3, 127}, {64, 128},
}

// pairCases makes the cases of an op on two inputs of one shape, with special
// values in one input at a time.
func pairCases(id op.ID, limit float64, first Float, special []float64) []Case {
	var list []Case
	add := func(what string, N, C int, a, b bool, left, right Float) {
		list = append(list, Case{
			Op: id, Name: name("N=", N, "C=", C, widths(a, b)) + what,
			In:     []Input{values(a, tokens, op.C(C)).filled(left), values(b, tokens, op.C(C)).filled(right)},
			Bounds: op.Extents{Width: 3, N: N},
			Limit:  limit, Scale: 1,
		})
	}
	for _, a := range noAndYes {
		for _, b := range noAndYes {
			for _, s := range pairShapes {
				add("", s[0], s[1], a, b, first, nil)
			}
			add(", special first input", 3, 23, a, b, cycle(special...), nil)
			add(", special second input", 3, 23, a, b, nil, cycle(special...))
		}
	}
	return list
}

var anySpecial = [...]float64{
	math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e-41, -1e-41, 1e15, -1e15, 100, -100, 1000, -1000,
}

func swigluCases() []Case {
	// exp of gates up to about 8.
	return pairCases(op.SwiGLU, amplified(sums(1), 8), normal(2), anySpecial[:])
}

func addCases() []Case {
	list := pairCases(op.Add, sums(1), nil, anySpecial[:])
	opposed := list[len(list)-1]
	opposed.Name = "infinities meet"
	opposed.In = append([]Input(nil), opposed.In...)
	opposed.In[0].Float = cycle(math.Inf(1), math.Inf(-1), math.Inf(1), 3e38, -3e38)
	opposed.In[1].Float = cycle(math.Inf(1), math.Inf(1), math.NaN(), 3e38, -3e38)
	return append(list, opposed)
}
