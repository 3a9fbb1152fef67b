package conformance

import (
	"math"
	"math/rand/v2"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

func crossEntropyCases() []Case {
	var list []Case
	add := func(what string, R, C, V int, layout op.Layout, wide bool, x, w Float, scale float64) {
		list = append(list, Case{
			Op: op.CrossEntropyHead, Name: name("R=", R, "C=", C, "V=", V, layout, widths(wide)) + what,
			In:     []Input{values(wide, rows, op.C(C)).filled(x), weights(layout, w, V, C), index(rows)},
			Bounds: op.Extents{Width: 3, R: R},
			// Logits of unit variance rarely pass 4; the loss is a difference of
			// terms of their size.
			Limit: amplified(sums(C+V), 4), Scale: scale,
		})
	}
	i := 0
	for _, V := range []int{1, 2, 15, 16, 17, 31, 33, 127, 513, 2051} {
		for _, C := range []int{1, 3, 16, 33, 64} {
			for _, layout := range bothLayouts {
				R := turn(i/2, 5, 1, 0, 17, 3)
				add("", R, C, V, layout, (i+i/2)%2 == 0, nil, normal(1/math.Sqrt(float64(C))), 1)
				i++
			}
		}
	}
	for k, s := range [...][2]int{{1, 128}, {64, 65}, {65, 64}, {127, 129}, {128, 128}, {129, 1}} {
		for _, layout := range bothLayouts {
			add("", s[0], 20, s[1], layout, k%2 == 0, nil, normal(1/math.Sqrt(20)), 1)
		}
	}
	one, minusInf := normal(1), math.Inf(-1)
	for _, layout := range bothLayouts {
		add(", NaN in x", 5, 9, 33, layout, true, with(one, 2, 8, math.NaN()), one, 3)
		add(", NaN in W", 5, 9, 33, layout, false, one, with(one, 32, 8, math.NaN()), 3)
		add(", huge logits", 33, 9, 65, layout, true, normal(100), normal(100), 3e4)
		add(", equal logits", 5, 9, 65, layout, true, always(0), one, 1)
		// x is all ones: row m of W makes logit m.
		add(", a logit -Inf", 33, 1, 17, layout, false, always(1), inRow(one, 1, minusInf), 1)
		add(", first logits -Inf", 33, 1, 33, layout, true, always(1), func(_ *rand.Rand, row, _ int) float32 {
			if row < 20 {
				return float32(minusInf)
			}
			return float32(row)
		}, 33)
		add(", all logits -Inf", 3, 1, 17, layout, true, always(1), always(float32(minusInf)), 1)
		add(", a logit +Inf", 3, 1, 17, layout, true, always(1), inRow(one, 16, math.Inf(1)), 1)
	}
	return append(list, biasedCrossEntropyCases()...)
}

// biasedCrossEntropyCases have the optional bias; those with zero weights show
// it alone.
func biasedCrossEntropyCases() []Case {
	var list []Case
	add := func(what string, R, C, V int, wide bool, w, bias Float, scale float64) {
		for _, layout := range bothLayouts {
			list = append(list, Case{
				Op: op.CrossEntropyHead, Name: name("R=", R, "C=", C, "V=", V, layout, widths(wide), "bias") + what,
				In:     []Input{values(wide, rows, op.C(C)), weights(layout, w, V, C), index(rows), constant(bias, op.C(V))},
				Bounds: op.Extents{Width: 3, R: R},
				Limit:  amplified(sums(C+V), 4), Scale: scale,
			})
		}
	}
	for i, V := range []int{1, 15, 16, 17, 33, 127, 256, 257, 513, 2051} {
		C := turn(i, 16, 3, 33, 400, 64)
		add("", turn(i, 5, 1, 17), C, V, i%2 == 0, normal(1/math.Sqrt(float64(C))), normal(1), 1)
	}
	for _, wide := range noAndYes {
		add(" alone", 5, 8, 300, wide, always(0), normal(3), 3)
		add(", NaN in it", 5, 8, 33, wide, normal(0.1), with(normal(1), 0, 32, math.NaN()), 1)
		add(", -Inf but for one", 33, 8, 3, wide, normal(0.1), cycle(0, math.Inf(-1), math.Inf(-1)), 1)
	}
	return list
}

func weightedSumCases() []Case {
	var list []Case
	add := func(what string, R int, wide bool, x, w Float) {
		list = append(list, Case{
			Op: op.WeightedSum, Name: name("R=", R, widths(wide)) + what,
			In:     []Input{values(wide, rows).filled(x), values(false, rows).filled(w)},
			Bounds: op.Extents{Width: 5, R: R},
			Limit:  sums(R), Scale: 1,
		})
	}
	for _, R := range []int{0, 1, 3, 4, 15, 16, 17, 33, 127, 1000} {
		for _, wide := range noAndYes {
			add("", R, wide, nil, nil)
		}
	}
	one := normal(1)
	add(", NaN with weight 0", 17, true, with(one, 0, 16, math.NaN()), with(one, 0, 16, 0))
	add(", Inf", 17, true, with(one, 0, 3, math.Inf(1)), always(0.5))
	add(", Inf with weight 0", 17, false, with(one, 0, 3, math.Inf(1)), always(0))
	add(", infinities meet", 17, false, cycle(math.Inf(1), math.Inf(-1)), always(1))
	return list
}

func choiceCases() []Case {
	var list []Case
	add := func(what string, R, K, G int, mean, wide bool, nll Float, limit, scale float64) {
		list = append(list, Case{
			Op:    op.ChoiceLoss,
			Name:  name("R=", R, "K=", K, "G=", G, "mean=", mean, widths(wide)) + what,
			Attrs: op.Attrs{op.BoolAttr("mean", mean)},
			In: []Input{
				values(wide, rows).filled(nll), index(op.S(op.Choices, 1)), index(op.S(op.Examples, 1)),
				index(op.S(op.Examples, 0)),
			},
			Bounds: op.Extents{Width: 4, R: R, K: K, G: G},
			Limit:  limit, Scale: scale,
		})
	}
	for _, s := range [][3]int{
		{0, 0, 0}, {0, 3, 2}, {1, 1, 1}, {4, 4, 2}, {8, 8, 4}, {16, 17, 16}, {31, 8, 3}, {33, 7, 1}, {127, 40, 13},
	} {
		for _, mean := range noAndYes {
			for _, wide := range noAndYes {
				// A score is the sum of up to R losses of size 1.
				R := float64(s[0])
				add("", s[0], s[1], s[2], mean, wide, nil, amplified(sums(s[0]+s[1]), math.Sqrt(R)), 1)
			}
		}
	}
	for _, mean := range noAndYes {
		limit := amplified(sums(20+10), 5)
		add(", huge losses", 20, 10, 3, mean, true, normal(1e5), limit, 1e5)
		add(", NaN", 20, 10, 3, mean, true, with(normal(1), 0, 4, math.NaN()), limit, 1)
		add(", Inf", 20, 10, 3, mean, true, with(normal(1), 0, 4, math.Inf(1)), limit, 1)
		add(", Inf alone", 20, 10, 3, mean, false, with(normal(1), 0, 19, math.Inf(1)), limit, 1)
		add(", all Inf", 20, 10, 3, mean, false, always(float32(math.Inf(1))), limit, 1)
	}
	return list
}

func updateCases() []Case {
	var list []Case
	add := func(what string, M, r, Q int, sampler noise.Sampler, site uint32, b, g Float, lr float64) {
		list = append(list, Case{
			Op:    op.UpdateLoRA,
			Name:  name("M=", M, "r=", r, "Q=", Q, sampler, "lr=", lr, "site=", site) + what,
			Attrs: op.Attrs{siteAttr(site), op.IntAttr("sampler", int(sampler))},
			In: []Input{
				values(false, op.C(M), op.C(r)).filled(b), seed(),
				values(false, op.S(op.Queries, 0)).filled(g), values(false, op.C(1)).filled(always(float32(lr))),
			},
			Bounds: op.Extents{Width: 1, Q: Q},
		})
	}
	i := 0
	for _, M := range []int{0, 1, 3, 15, 16, 17, 33, 127, 512} {
		for _, r := range []int{1, 3, 4, 8, 16, 17} {
			for _, sampler := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
				add("", M, r, turn(i/2, 1, 4, 2, 3, 0, 8, 17), sampler, turn(i, uint32(0), 3, math.MaxUint32), nil, nil, turn(i, 5e-3, 0.3, 1))
				i++
			}
		}
	}
	one := normal(1)
	for _, sampler := range []noise.Sampler{noise.Gaussian, noise.Rademacher} {
		add(", NaN in g", 17, 3, 4, sampler, 1, one, with(one, 0, 2, math.NaN()), 0.1)
		add(", Inf in g", 17, 3, 4, sampler, 1, one, with(one, 0, 2, math.Inf(1)), 0.1)
		add(", NaN in B", 17, 3, 4, sampler, 1, with(one, 5, 1, math.NaN()), one, 0.1)
		add(", g zero", 17, 3, 4, sampler, 1, one, always(0), 0.1)
		add(", B zero", 17, 3, 4, sampler, 1, always(0), one, 0.1)
		add(", lr zero", 17, 3, 4, sampler, 1, one, one, 0)
		add(", overflowing sums", 17, 3, 4, sampler, 1, one, always(3e38), 0.1)
		add(", large B", 17, 3, 4, sampler, 1, normal(1e6), one, 1e-3)
	}
	return list
}
