package conformance

import (
	"math"
	"math/rand/v2"

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

// unaryCases makes the cases of an op on one input.
func unaryCases(id op.ID, attrs op.Attrs, limit float64, what string, x Float) []Case {
	var list []Case
	add := func(what string, N, C int, wide bool, x Float) {
		list = append(list, Case{
			Op: id, Name: name("N=", N, "C=", C, widths(wide)) + what, Attrs: attrs,
			In:     []Input{values(wide, tokens, op.C(C)).filled(x)},
			Bounds: op.Extents{Width: 3, N: N},
			Limit:  limit, Scale: 1,
		})
	}
	for _, wide := range noAndYes {
		for _, s := range pairShapes {
			add(what, s[0], s[1], wide, x)
		}
		add(what+", special values", 3, 23, wide, cycle(anySpecial[:]...))
	}
	return list
}

func geluCases() []Case {
	var list []Case
	for approximate, what := range [...]string{" exact", " by tanh"} {
		attrs := op.Attrs{op.IntAttr("approximate", approximate)}
		// A Φ that is off by a few roundings of 1, times x up to about 8.
		limit := amplified(sums(1), 8)
		list = append(list, unaryCases(op.Gelu, attrs, limit, what, normal(2))...)
		list = append(list, Case{
			Op: op.Gelu, Name: "every x from -10 to 10" + what, Attrs: attrs,
			In: []Input{values(false, tokens, op.C(2000)).filled(func(_ *rand.Rand, row, column int) float32 {
				return float32(row*2000+column-10_000) / 1000
			})},
			Bounds: op.Extents{Width: 1, N: 11}, Limit: limit, Scale: 1,
		})
	}
	return list
}

func reluCases() []Case { return unaryCases(op.Relu, nil, sums(1), "", nil) }

func sliceCases() []Case {
	var list []Case
	for i, s := range [...][3]int{{1, 0, 1}, {3, 2, 1}, {48, 0, 16}, {48, 16, 16}, {48, 32, 16}, {51, 17, 17}, {130, 1, 129}, {9, 0, 9}} {
		for _, wide := range noAndYes {
			list = append(list, Case{
				Op: op.Slice, Name: name("C=", s[0], "start=", s[1], "size=", s[2], widths(wide)),
				Attrs: op.Attrs{op.IntAttr("start", s[1]), op.IntAttr("size", s[2])},
				In: []Input{values(wide, tokens, op.C(s[0])).filled(
					with(normal(1), 1, s[1], turn(i, math.NaN(), math.Inf(1), math.Copysign(0, -1))))},
				Bounds: op.Extents{Width: 3, N: turn(i, 5, 33, 0, 1, 300)},
			})
		}
	}
	return list
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
