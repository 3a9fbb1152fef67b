package conformance

import (
	"math"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
)

// shape is the N, K, M of a matrix product.
type shape struct{ N, K, M int }

// productShapes vary one extent at a time around the sizes of vectors, panels
// and tiles, the others held at ragged values.
func productShapes() []shape {
	var list []shape
	for _, N := range []int{0, 1, 2, 3, 5, 15, 16, 17, 31, 33, 127} {
		list = append(list, shape{N, 19, 17})
	}
	for _, K := range []int{0, 1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 64, 127, 513} {
		list = append(list, shape{5, K, 33})
	}
	for _, M := range []int{0, 1, 3, 8, 15, 16, 31, 32, 33, 47, 127} {
		list = append(list, shape{7, 18, M})
	}
	list = append(list, shape{1, 1, 1}, shape{1, 127, 1}, shape{33, 64, 64}, shape{3, 70, 1031}, shape{65, 129, 127})
	return append(list, tileShapes()...)
}

// tileShapes are around the tiles of devices, 16, 64 or 128 on a side: whole
// tiles whose second half drivers are known to lose, edges of one row and one
// column beside whole tiles, a single row or column over several, and a K that
// is summed in hundreds of steps.
func tileShapes() []shape {
	return []shape{
		{128, 20, 128},
		{64, 17, 65},
		{65, 18, 64},
		{127, 9, 129},
		{129, 16, 1},
		{1, 34, 129},
		{96, 5, 80},
		{16, 64, 128},
		{17, 65, 192},
		{1, 2100, 1},
		{2, 2085, 17},
	}
}

func linearCases() []Case {
	var list []Case
	add := func(what string, s shape, layout op.Layout, wide, bias bool, x, w Float, scale float64) {
		c := Case{
			Op: op.Linear, Name: name("N=", s.N, "K=", s.K, "M=", s.M, layout, widths(wide)),
			In:     []Input{values(wide, tokens, op.C(s.K)).filled(x), weights(layout, w, s.M, s.K)},
			Bounds: op.Extents{Width: 3, N: s.N},
			Limit:  sums(s.K), Scale: scale,
		}
		if bias {
			c.In = append(c.In, constant(nil, op.C(s.M)))
			c.Name += " bias"
		}
		c.Name += what
		list = append(list, c)
	}
	for i, s := range productShapes() {
		for _, layout := range bothLayouts {
			for _, wide := range noAndYes {
				add("", s, layout, wide, (i%2 == 0) == wide, nil, nil, math.Sqrt(float64(s.K)))
			}
		}
	}
	s, normal := shape{5, 21, 19}, normal(1)
	for _, layout := range bothLayouts {
		add(", NaN in x", s, layout, false, true, with(normal, 2, 20, math.NaN()), normal, 4)
		add(", Inf in x", s, layout, true, false, with(normal, 4, 0, math.Inf(1)), normal, 4)
		add(", NaN in W", s, layout, true, true, normal, with(normal, 18, 20, math.NaN()), 4)
		add(", Inf in W", s, layout, false, false, normal, with(normal, 15, 20, math.Inf(-1)), 4)
		// Denormal results may be flushed to zero, but must stay finite.
		add(", denormal x", s, layout, false, false, always(1e-41), normal, 1e-30)
		add(", large x", s, layout, false, false, always(1e30), normal, 4e30)
	}
	return list
}

// loraShape is a shape with a rank.
type loraShape struct {
	shape
	r int
}

// lora makes a case of LinearLoRA: copies P from the given first on.
type lora struct {
	loraShape
	layout     op.Layout
	wide, bias bool
	sampler    noise.Sampler
	copies     int
	first      int32
	eps        float64
	site       uint32
	scale      float64
	x, w, a, b Float
}

func (l lora) build(what string) Case {
	c := Case{
		Op: op.LinearLoRA,
		Name: name("N=", l.N, "K=", l.K, "M=", l.M, "r=", l.r, "P=", l.copies, "first=", l.first,
			"eps=", l.eps, l.sampler, l.layout, widths(l.wide)),
		Attrs: op.Attrs{
			siteAttr(l.site), op.FloatAttr("scale", l.scale), op.IntAttr("sampler", int(l.sampler)),
		},
		In: []Input{
			values(l.wide, tokens, op.C(l.K)).filled(l.x),
			weights(l.layout, l.w, l.M, l.K),
			constant(l.a, op.C(l.r), op.C(l.K)),
			values(false, op.C(l.M), op.C(l.r)).filled(l.b),
			seed(),
			{Type: op.Type{DType: op.I32, Shape: []op.Dim{op.C(1)}}, Integer: word(uint32(l.first))},
			values(false, op.C(1)).filled(always(float32(l.eps))),
		},
		Bounds: op.Extents{Width: l.copies, N: l.N},
		// W and A are scaled so that all terms of y are of size 1.
		Limit: sums(l.K + l.r), Scale: 1,
	}
	if l.bias {
		c.In = append(c.In, constant(nil, op.C(l.M)))
		c.Name += " bias"
	}
	c.Name += what
	return c
}

func loraCases() []Case {
	var list []Case
	ranks := []int{1, 3, 4, 8, 16, 17, 64}
	samplers := []noise.Sampler{noise.Gaussian, noise.Rademacher}
	i := 0
	for _, s := range productShapes() {
		for _, layout := range bothLayouts {
			for _, wide := range noAndYes {
				r := turn(i, ranks...)
				unit := normal(1 / math.Sqrt(float64(max(s.K, 1))))
				list = append(list, lora{
					loraShape: loraShape{s, r}, layout: layout, wide: wide, bias: i/3%2 == 0,
					sampler: turn(i/5, samplers...), copies: turn(i, 2, 1, 8, 3, 4), first: turn(i/4, int32(0), 1, -1, 7, -8, 1000),
					eps: turn(i+i/4, 1e-2, 1, 1e-3, 0), site: turn(i+i/5, uint32(0), 1, 154, 70000, math.MaxUint32), scale: turn(i, 2, 0.5, 1),
					w: unit, a: unit, b: normal(1 / math.Sqrt(float64(r))),
				}.build(""))
				i++
			}
		}
	}
	return append(append(list, perturbationCases(samplers)...), loraSpecials()...)
}

// perturbationCases show B + σεz itself: with x, A the identity, W zero and
// scale 1, y[c, m] is element (m, c), and any order of summing gives its bits.
func perturbationCases(samplers []noise.Sampler) []Case {
	var list []Case
	for i, r := range []int{1, 3, 4, 8, 16, 17} {
		for _, sampler := range samplers {
			c := lora{
				loraShape: loraShape{shape{r, r, turn(i, 17, 1, 128, 33)}, r},
				layout:    turn(i, bothLayouts[:]...), sampler: sampler,
				copies: 5, first: turn(i, int32(0), -1, 1, 6, -4), eps: turn(i, 1e-2, 0.37), site: uint32(i), scale: 1,
				x: identity, w: always(0), a: identity, b: normal(1),
			}.build(", exact B")
			c.Limit = 0
			list = append(list, c)
		}
	}
	return list
}

func loraSpecials() []Case {
	one := normal(1)
	base := lora{
		loraShape: loraShape{shape{5, 21, 19}, 3}, layout: op.Panels16, bias: true, sampler: noise.Gaussian,
		copies: 4, eps: 1e-2, site: 3, scale: 2, w: normal(0.2), a: normal(0.2),
	}
	var list []Case
	add := func(what string, change func(*lora)) {
		for _, wide := range noAndYes {
			l := base
			l.wide = wide
			change(&l)
			list = append(list, l.build(what))
		}
	}
	add(", NaN in x", func(l *lora) { l.x = with(one, 3, 20, math.NaN()) })
	add(", Inf in x", func(l *lora) { l.x = with(one, 3, 20, math.Inf(1)) })
	add(", NaN in W", func(l *lora) { l.w = with(one, 18, 20, math.NaN()) })
	add(", NaN in A", func(l *lora) { l.a = with(one, 2, 20, math.NaN()) })
	add(", NaN in B", func(l *lora) { l.b = with(one, 18, 2, math.NaN()) })
	add(", B zero", func(l *lora) { l.b = always(0) })
	add(", B and eps zero", func(l *lora) { l.b, l.eps = always(0), 0 })
	return list
}
