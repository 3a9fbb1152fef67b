package conformance

import (
	"math"
	"math/rand/v2"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// tangentCases are those of the tangent ops. What they are taken at is narrow,
// tangents are wide.
func tangentCases() []Case {
	var all []Case
	for _, family := range [][]Case{
		loraTangentCases(), normTangentCases(), layerNormTangentCases(), unaryTangentCases(), swigluTangentCases(),
		attentionTangentCases(), headTangentCases(), choiceTangentCases(),
	} {
		all = append(all, family...)
	}
	return all
}

func loraTangentCases() []Case {
	var list []Case
	add := func(what string, s shape, r, copies int, sampler noise.Sampler, site uint32, x, h Float) {
		list = append(list, Case{
			Op:    op.LoRATangent,
			Name:  name("N=", s.N, "M=", s.M, "r=", r, "P=", copies, sampler, "site=", site) + what,
			Attrs: op.Attrs{siteAttr(site), op.IntAttr("sampler", int(sampler))},
			In: []Input{
				values(true, tokens, op.C(s.M)).filled(x), values(false, tokens, op.C(r)).filled(h), seed(),
			},
			Bounds: op.Extents{Width: copies, N: s.N},
			Limit:  sums(r), Scale: 1,
		})
	}
	samplers := []noise.Sampler{noise.Gaussian, noise.Rademacher}
	i := 0
	for _, s := range productShapes() {
		for _, sampler := range samplers {
			add("", s, turn(i/2, 1, 3, 4, 8, 16, 17, 64), turn(i, 1, 4, 3, 8, 2), sampler, turn(i+i/5, uint32(0), 1, 154, 70000, math.MaxUint32), nil, nil)
			i++
		}
	}
	one, s := normal(1), shape{N: 9, M: 37}
	for _, sampler := range samplers {
		add(", NaN in x", s, 3, 3, sampler, 1, with(one, 8, 36, math.NaN()), one)
		add(", NaN in h", s, 3, 3, sampler, 1, one, with(one, 8, 2, math.NaN()))
		add(", Inf in x", s, 3, 3, sampler, 1, with(one, 4, 16, math.Inf(1)), one)
		// With h the identity the tangent is z itself.
		exact := shape{N: 5, M: 37}
		add(", exact z", exact, 5, 4, sampler, 70000, always(0), identity)
		list[len(list)-1].Limit = 0
	}
	return list
}

func normTangentCases() []Case {
	var list []Case
	add := func(what string, N, C, heads int, epsilon float64, dx, x Float, size float64) {
		list = append(list, Case{
			Op: op.RMSNormalizationTangent, Name: name("N=", N, "C=", C, "heads=", heads, "epsilon=", epsilon) + what,
			Attrs:  op.Attrs{op.FloatAttr("epsilon", epsilon)},
			In:     []Input{values(true, tokens, op.C(C*heads)).filled(dx), values(false, tokens, op.C(C*heads)).filled(x), constant(nil, op.C(C))},
			Bounds: op.Extents{Width: 3, N: N},
			Limit:  sums(C), Scale: size,
		})
	}
	i := 0
	for _, N := range []int{0, 1, 3, 17, 33} {
		for _, C := range []int{0, 1, 3, 4, 15, 16, 17, 31, 33, 64, 127, 512} {
			// Where epsilon is small beside x² little is left of the tangent of one channel.
			add("", N, C, 1, turn(i/2, 1e-2, 1), nil, nil, 1)
			i++
		}
	}
	for _, s := range [...][3]int{{5, 1, 3}, {3, 4, 2}, {17, 24, 4}, {5, 128, 16}} {
		add("", s[0], s[1], s[2], 1e-2, nil, nil, 1)
	}
	one := normal(1)
	for _, C := range []int{5, 33} {
		add(", NaN in dx", 5, C, 1, 1e-5, with(one, 2, 4, math.NaN()), one, 1)
		add(", NaN in x", 5, C, 2, 1e-5, one, with(one, 2, 4, math.NaN()), 1)
		add(", Inf in dx", 5, C, 1, 1e-5, with(one, 2, 4, math.Inf(-1)), one, 1)
		list[len(list)-1].NonFiniteAlike = true
		add(", a zero row", 5, C, 1, 1e-5, one, inRow(one, 2, 0), 1)
		add(", large rows", 5, C, 1, 1e-5, normal(1e15), normal(1e15), 1)
		add(", small rows", 5, C, 1, 1e-5, normal(1e-15), normal(1e-15), 1e-15)
		add(", dx zero", 5, C, 1, 1e-5, always(0), one, 1)
	}
	return list
}

func layerNormTangentCases() []Case {
	var list []Case
	add := func(what string, N, C int, epsilon float64, dx, x Float, size float64) {
		list = append(list, Case{
			Op: op.LayerNormalizationTangent, Name: name("N=", N, "C=", C, "epsilon=", epsilon) + what,
			Attrs:  op.Attrs{op.FloatAttr("epsilon", epsilon)},
			In:     []Input{values(true, tokens, op.C(C)).filled(dx), values(false, tokens, op.C(C)).filled(x), constant(nil, op.C(C))},
			Bounds: op.Extents{Width: 3, N: N},
			Limit:  sums(C), Scale: size,
		})
	}
	i := 0
	for _, N := range []int{0, 1, 3, 17, 33} {
		for _, C := range []int{0, 1, 3, 4, 15, 16, 17, 31, 33, 64, 127, 512} {
			add("", N, C, turn(i/2, 1e-2, 1), nil, nil, 1)
			i++
		}
	}
	one := normal(1)
	for _, C := range []int{5, 33} {
		add(", NaN in dx", 5, C, 1e-5, with(one, 2, 4, math.NaN()), one, 1)
		add(", NaN in x", 5, C, 1e-5, one, with(one, 2, 4, math.NaN()), 1)
		add(", Inf in dx", 5, C, 1e-5, with(one, 2, 4, math.Inf(-1)), one, 1)
		list[len(list)-1].NonFiniteAlike = true
		add(", a constant row", 5, C, 1e-5, one, inRow(one, 2, 7), 1)
		add(", x far from zero", 5, C, 1e-5, one, func(rng *rand.Rand, _, _ int) float32 { return 1000 + float32(rng.NormFloat64()) }, 1)
		add(", dx far from zero", 5, C, 1e-5, func(rng *rand.Rand, _, _ int) float32 { return 1000 + float32(rng.NormFloat64()) }, one, 1000)
		add(", large rows", 5, C, 1e-5, normal(1e15), normal(1e15), 1)
		add(", small rows", 5, C, 1e-5, normal(1e-15), normal(1e-15), 1e-15)
	}
	return list
}

func unaryTangentCases() []Case {
	var list []Case
	add := func(id op.ID, attrs op.Attrs, what string, N, C int, limit float64, dx, x Float) {
		list = append(list, Case{
			Op: id, Name: name("N=", N, "C=", C) + what, Attrs: attrs,
			In:     []Input{values(true, tokens, op.C(C)).filled(dx), values(false, tokens, op.C(C)).filled(x)},
			Bounds: op.Extents{Width: 3, N: N},
			Limit:  limit, Scale: 1,
		})
	}
	family := func(id op.ID, attrs op.Attrs, what string, limit float64) {
		for _, s := range pairShapes {
			add(id, attrs, what, s[0], s[1], limit, nil, normal(2))
		}
		add(id, attrs, what+", special dx", 3, 23, limit, cycle(anySpecial[:]...), nil)
		add(id, attrs, what+", special x", 3, 23, limit, nil, cycle(anySpecial[:]...))
	}
	family(op.ReluTangent, nil, "", sums(1))
	for approximate, what := range [...]string{" exact", " by tanh"} {
		attrs := op.Attrs{op.IntAttr("approximate", approximate)}
		// A Φ that is off by a few roundings of 1, and x times its slope, up to 8.
		limit := amplified(sums(1), 8)
		family(op.GeluTangent, attrs, what, limit)
		add(op.GeluTangent, attrs, what+" every x from -10 to 10", 11, 2000, limit, always(1), func(_ *rand.Rand, row, column int) float32 {
			return float32(row*2000+column-10_000) / 1000
		})
	}
	return list
}

func swigluTangentCases() []Case {
	var list []Case
	for given := 1; given < 4; given++ {
		add := func(what string, N, C int, d, gate, up Float) {
			c := Case{
				Op: op.SwiGLUTangent, Name: name("N=", N, "C=", C, "given=", given) + what,
				Attrs: op.Attrs{op.IntAttr("given", given)},
				In: []Input{
					values(true, tokens, op.C(C)).filled(d), values(false, tokens, op.C(C)).filled(gate), values(false, tokens, op.C(C)).filled(up),
				},
				Bounds: op.Extents{Width: 3, N: N},
				// exp of gates up to about 8.
				Limit: amplified(sums(2), 8), Scale: 1,
			}
			if given == 3 {
				c.In = append(c.In, values(true, tokens, op.C(C)))
			}
			list = append(list, c)
		}
		for _, s := range pairShapes {
			add("", s[0], s[1], nil, normal(2), nil)
		}
		add(", special d", 3, 23, cycle(anySpecial[:]...), nil, nil)
		add(", special gate", 3, 23, nil, cycle(anySpecial[:]...), nil)
		add(", special up", 3, 23, nil, nil, cycle(anySpecial[:]...))
	}
	return list
}

// attentionTangent makes a case of AttentionTangent of one of Attention.
func attentionTangent(a attention, given int, d [3]Float, what string) Case {
	a.wide = [3]bool{}
	c := a.build(what)
	c.Op, c.Name = op.AttentionTangent, c.Name+name(" given=", given)
	c.Attrs = append(c.Attrs, op.IntAttr("given", given))
	for i := range d {
		if given>>i&1 != 0 {
			tangent := c.In[i].filled(d[i])
			tangent.Type.Wide = true
			c.In = append(c.In, tangent)
		}
	}
	// A score's change is a sum of 2·D terms, of size 1 after scaling, and what
	// all weights add up to is taken from each.
	c.Limit = amplified(sums(2*a.D+2*a.N), 4)
	return c
}

func attentionTangentCases() []Case {
	var list []Case
	packs := [][2]int{{17, 3}, {5, 5}, {31, 1}, {3, 6}, {33, 4}, {1, 1}, {16, 2}}
	i := 0
	add := func(N, S, heads, kvHeads, D int) {
		for _, causal := range noAndYes {
			list = append(list, attentionTangent(attention{
				N: N, S: S, heads: heads, kvHeads: kvHeads, D: D, causal: causal, scale: 1 / math.Sqrt(float64(D)),
			}, 1+(i+i/7)%7, [3]Float{}, ""))
			i++
		}
	}
	for _, D := range []int{1, 2, 5, 8, 48, 64, 128} {
		for _, heads := range [][2]int{{1, 1}, {2, 2}, {4, 2}, {6, 2}, {8, 1}} {
			pack := turn(i/2, packs...)
			add(pack[0], pack[1], heads[0], heads[1], D)
		}
	}
	for _, pack := range [][2]int{{0, 0}, {0, 3}, {1, 1}, {1, 4}, {15, 15}, {64, 1}, {127, 5}, {40, 60}, {300, 1}} {
		add(pack[0], pack[1], 2, 1, 8)
	}
	return append(list, attentionTangentSpecials()...)
}

func attentionTangentSpecials() []Case {
	var list []Case
	one := normal(1)
	add := func(what string, given int, change func(a *attention, d *[3]Float)) {
		for _, causal := range noAndYes {
			for _, S := range []int{1, 3} {
				a := attention{N: 19, S: S, heads: 4, kvHeads: 2, D: 8, causal: causal, scale: 0.35, q: one, k: one, v: one}
				var d [3]Float
				change(&a, &d)
				c := attentionTangent(a, given, d, what)
				c.NonFiniteAlike = true // of infinities it is a matter of order which are left
				if a.scale == 1 {
					// Scores and their changes up to about 10⁵ are exact to that much of f32.
					c.Limit, c.Scale = amplified(sums(2*a.D+2*a.N), 1e5), 1
				}
				list = append(list, c)
			}
		}
	}
	add(", NaN in q", 7, func(a *attention, _ *[3]Float) { a.q = with(one, 9, 3, math.NaN()) })
	add(", NaN in k", 7, func(a *attention, _ *[3]Float) { a.k = with(one, 9, 3, math.NaN()) })
	add(", NaN in v", 7, func(a *attention, _ *[3]Float) { a.v = with(one, 9, 3, math.NaN()) })
	add(", NaN in v, that does not count", 4, func(a *attention, _ *[3]Float) { a.v = with(one, 9, 3, math.NaN()) })
	add(", NaN in dq", 1, func(_ *attention, d *[3]Float) { d[0] = with(one, 9, 3, math.NaN()) })
	add(", NaN in dk", 2, func(_ *attention, d *[3]Float) { d[1] = with(one, 9, 3, math.NaN()) })
	add(", NaN in dv", 7, func(_ *attention, d *[3]Float) { d[2] = with(one, 9, 3, math.NaN()) })
	add(", Inf in v", 7, func(a *attention, _ *[3]Float) { a.v = with(one, 9, 3, math.Inf(-1)) })
	add(", Inf in dk", 7, func(_ *attention, d *[3]Float) { d[1] = with(one, 9, 3, math.Inf(1)) })
	add(", huge scores", 7, func(a *attention, _ *[3]Float) { a.q, a.k, a.scale = normal(100), normal(100), 1 })
	add(", equal scores", 7, func(a *attention, _ *[3]Float) { a.q = always(0) })
	add(", tangents zero", 7, func(_ *attention, d *[3]Float) { d[0], d[1], d[2] = always(0), always(0), always(0) })
	return list
}

func headTangentCases() []Case {
	var list []Case
	add := func(what string, R, C, V int, layout op.Layout, bias Float, x, w, dx Float, size float64) {
		c := Case{
			Op: op.CrossEntropyHeadTangent, Name: name("R=", R, "C=", C, "V=", V, layout) + what,
			In: []Input{
				values(false, rows, op.C(C)).filled(x), weights(layout, w, V, C), index(rows),
				values(true, rows, op.C(C)).filled(dx),
			},
			Bounds: op.Extents{Width: 3, R: R},
			// Logits of unit variance rarely pass 4; of C terms, each is the mean of V
			// weights less one of them.
			Limit: amplified(sums(C+V), 4), Scale: size,
		}
		if bias != nil {
			c.In, c.Name = append(c.In, constant(bias, op.C(V))), c.Name+" bias"
		}
		list = append(list, c)
	}
	unit := func(C int) Float { return normal(1 / math.Sqrt(float64(C))) }
	i := 0
	for _, V := range []int{1, 2, 15, 16, 17, 31, 33, 127, 513, 2051} {
		for _, C := range []int{1, 3, 16, 33, 64} {
			for _, layout := range bothLayouts {
				var bias Float
				if i%3 == 0 {
					bias = normal(1)
				}
				add("", turn(i/2, 5, 1, 0, 17, 3), C, V, layout, bias, nil, unit(C), nil, 1)
				i++
			}
		}
	}
	for _, s := range [...][3]int{{1, 20, 128}, {64, 20, 65}, {65, 400, 64}, {127, 20, 129}, {129, 650, 1}, {150, 17, 700}} {
		for _, layout := range bothLayouts {
			add("", s[0], s[1], s[2], layout, nil, nil, unit(s[1]), nil, 1)
		}
	}
	one, minusInf := normal(1), math.Inf(-1)
	for _, layout := range bothLayouts {
		add(", NaN in x", 5, 9, 33, layout, nil, with(one, 2, 8, math.NaN()), one, one, 3)
		add(", NaN in dx", 5, 9, 33, layout, nil, one, one, with(one, 2, 8, math.NaN()), 3)
		add(", NaN in W", 5, 9, 33, layout, nil, one, with(one, 32, 8, math.NaN()), one, 3)
		add(", huge logits", 33, 9, 65, layout, nil, normal(100), normal(100), one, 3e4)
		add(", equal logits", 5, 9, 65, layout, nil, always(0), one, one, 1)
		add(", first biases -Inf", 33, 8, 700, layout, func(_ *rand.Rand, _, column int) float32 {
			if column < 600 {
				return float32(minusInf)
			}
			return 0
		}, one, one, one, 1)
	}
	var packed []Case
	for k, c := range list {
		if types := packedTypes(); c.packable() && c.Bounds.R > 0 {
			packed = append(packed, c.packed(turn(k/2, types...), 0))
		}
	}
	return append(list, packed...)
}

func choiceTangentCases() []Case {
	var list []Case
	for _, c := range choiceCases() {
		if c.In[0].Type.Wide {
			continue
		}
		c.Op = op.ChoiceLossTangent
		dnll := c.In[0]
		dnll.Type.Wide, dnll.Float = true, nil
		c.In = append(c.In, dnll)
		// Weights come of scores, and so of their errors; the changes are of size 1.
		c.NonFiniteAlike = true
		list = append(list, c)
	}
	return list
}
