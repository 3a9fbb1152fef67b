package conformance

import (
	"math"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// halfCases are for kernels that keep activations as f16: results in the middle
// between two of them, beyond the largest, and below the smallest normal one.
// Everything else is found by the other cases.
func halfCases() []Case {
	var list []Case
	for _, family := range [][]Case{middleCases(), overflowCases(), subnormalCases()} {
		list = append(list, family...)
	}
	for i := range list {
		list[i].onlyHalf = true
	}
	return list
}

// middles are values of f32 in the middle between two of f16, the nearest to it on
// either side, and those that the ends of f16 are decided at.
var middles = [...]float64{
	1 + 0x1p-11, 1 + 0x3p-11, -1 - 0x1p-11, 1 + 0x1p-11 + 0x1p-23, 1 + 0x1p-11 - 0x1p-23, 2049, -2051,
	65504, 65519.99609375, 65520, -65520, 0x1p-25, -0x1p-25, 0x1.000002p-25, 0x3p-25, 0x1p-14 - 0x1p-25, 0x1p-24, 1e-30,
	math.Copysign(0, -1),
}

// middleCases move such values, or make them as sums that f32 has exactly.
func middleCases() []Case {
	var list []Case
	const C = 2*len(middles) + 1
	exact := func(id op.ID, what string, attrs op.Attrs, in ...Input) {
		list = append(list, Case{
			Op: id, Name: "between two of f16, " + what, Attrs: attrs, In: in, Bounds: op.Extents{Width: 3, N: 5, R: 7},
		})
	}
	special := cycle(middles[:]...)
	for _, layout := range bothLayouts {
		exact(op.Gather, layout.String()+" table", nil, weights(layout, special, 20, C), index(rows))
	}
	for _, wide := range noAndYes {
		exact(op.Gather, "hidden rows "+widths(wide), nil, values(wide, tokens, op.C(C)).filled(special), index(rows))
		exact(op.Slice, widths(wide), op.Attrs{op.IntAttr("start", 1), op.IntAttr("size", C-1)}, values(wide, tokens, op.C(C)).filled(special))
		exact(op.Add, widths(wide), nil,
			values(wide, tokens, op.C(C)).filled(cycle(1, 1+0x1p-10, -1, 2048, 2050, -65504, 65504, 65504, 0x1p-14)),
			values(true, tokens, op.C(C)).filled(cycle(0x1p-11, 0x1p-11, -0x1p-11, 1, 1, -16, 16, 15, 0x1p-24)))
	}
	return list
}

// atSize makes cases whose results are of about a size, from inputs within f16: of
// every op that can, products of both layouts and types of W.
func atSize(what string, size float64) []Case {
	var list []Case
	N, C := 7, 37
	root := math.Sqrt(size)
	add := func(id op.ID, limit, scale float64, attrs op.Attrs, in ...Input) {
		list = append(list, Case{
			Op: id, Name: what, Attrs: attrs, In: in, Bounds: op.Extents{Width: 4, N: N}, Limit: limit, Scale: scale,
		})
	}
	x := func(wide bool, f Float) Input { return values(wide, tokens, op.C(C)).filled(f) }
	add(op.Add, sums(1), size, nil, x(true, normal(size/2)), x(false, normal(size/2)))
	add(op.RotaryEmbedding, sums(2), size, op.Attrs{op.IntAttr("num_heads", 3), op.BoolAttr("interleaved", true)},
		values(true, tokens, op.C(30)).filled(cycle(size*0.9, -size*0.9, size*0.9)), index(tokens),
		constant(angle(math.Cos, 5), op.C(40), op.C(5)), constant(angle(math.Sin, 5), op.C(40), op.C(5)))
	add(op.RMSNormalization, sums(C), size, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, x(true, nil), constant(normal(size), op.C(C)))
	add(op.LayerNormalization, sums(C), size, op.Attrs{op.FloatAttr("epsilon", 1e-5)}, x(false, nil), constant(normal(size), op.C(C)), constant(normal(size), op.C(C)))
	for _, layout := range bothLayouts {
		add(op.Linear, sums(C), size, nil, x(true, normal(root)), weights(layout, normal(root/math.Sqrt(float64(C))), 33, C), constant(normal(size), op.C(33)))
		list[len(list)-1].Name += " " + layout.String()
	}
	l := lora{
		loraShape: loraShape{shape{N, C, 33}, 4}, layout: op.Panels16, wide: true, sampler: noise.Gaussian, copies: 4, eps: 1e-2,
		scale: 1, x: normal(root), w: normal(root / math.Sqrt(float64(C))), a: normal(root / math.Sqrt(float64(C))), b: normal(0.5),
	}.build("")
	l.Name, l.Scale = what, size
	list = append(list, l)
	for _, c := range list[len(list)-2:] {
		for _, d := range packedTypes() {
			c := c.packed(d, 1)
			c.NonFiniteAlike = false // all that is computed is finite
			list = append(list, c)
		}
	}
	return list
}

func overflowCases() []Case {
	list := atSize("results beyond f16", 6e4)
	return append(list, Case{
		Op: op.SwiGLU, Name: "results beyond f16",
		In:     []Input{values(true, tokens, op.C(37)).filled(normal(300)), values(true, tokens, op.C(37)).filled(normal(300))},
		Bounds: op.Extents{Width: 3, N: 7}, Limit: amplified(sums(1), 8), Scale: 6e4,
	})
}

func subnormalCases() []Case {
	const size = 0x1p-17
	list := atSize("results of subnormal f16", size)
	add := func(id op.ID, attrs op.Attrs, in ...Input) {
		list = append(list, Case{
			Op: id, Name: "results of subnormal f16", Attrs: attrs, In: in, Bounds: op.Extents{Width: 3, N: 7}, Limit: sums(2), Scale: size,
		})
	}
	x := func(wide bool, deviation float64) Input {
		return values(wide, tokens, op.C(37)).filled(normal(deviation))
	}
	add(op.SwiGLU, nil, x(true, 0x1p-8), x(false, 0x1p-8))
	add(op.Relu, nil, x(true, size))
	for approximate := range 2 {
		add(op.Gelu, op.Attrs{op.IntAttr("approximate", approximate)}, x(false, size))
		list[len(list)-1].Name += turn(approximate, "", " by tanh")
	}
	for _, causal := range noAndYes {
		a := attention{N: 19, S: 3, heads: 4, kvHeads: 2, D: 5, causal: causal, scale: 0.4, wide: [3]bool{true, false, true}, v: normal(size)}.build(", results of subnormal f16")
		a.Scale *= size
		list = append(list, a)
	}
	return list
}
