package conformance

import (
	"math"

	"zeroth/runtime/op"
)

// attention makes a case of Attention.
type attention struct {
	N, S, heads, kvHeads, D int
	wide                    [3]bool // q, k, v
	causal                  bool
	scale                   float64
	q, k, v                 Float
}

func (a attention) build(what string) Case {
	return Case{
		Op: op.Attention,
		Name: name("N=", a.N, "S=", a.S, "H=", a.heads, "HKV=", a.kvHeads, "D=", a.D, "causal=", a.causal,
			widths(a.wide[:]...)) + what,
		Attrs: op.Attrs{
			op.IntAttr("num_heads", a.heads), op.IntAttr("kv_num_heads", a.kvHeads),
			op.FloatAttr("scale", a.scale), op.BoolAttr("causal", a.causal),
		},
		In: []Input{
			values(a.wide[0], tokens, op.C(a.heads*a.D)).filled(a.q),
			values(a.wide[1], tokens, op.C(a.kvHeads*a.D)).filled(a.k),
			values(a.wide[2], tokens, op.C(a.kvHeads*a.D)).filled(a.v),
			index(op.S(op.Sequences, 1)),
		},
		Bounds: op.Extents{Width: 3, N: a.N, S: a.S},
		// Scores of unit variance rarely pass 4. The mean of N values of size 1
		// is of size 1/√N or more.
		Limit: amplified(sums(a.D+a.N), 4), Scale: 1 / math.Sqrt(float64(max(a.N, 1))),
	}
}

func attentionCases() []Case {
	var list []Case
	packs := [][2]int{{17, 3}, {5, 5}, {31, 1}, {3, 6}, {33, 4}, {1, 1}, {16, 2}}
	i := 0
	add := func(N, S, heads, kvHeads, D int) {
		for _, causal := range noAndYes {
			// Shifted every eight cases, so that each pattern meets both masks.
			pattern := (i + i/8) % 8
			list = append(list, attention{
				N: N, S: S, heads: heads, kvHeads: kvHeads, D: D, causal: causal,
				wide: [3]bool{pattern&1 != 0, pattern&2 != 0, pattern&4 != 0}, scale: 1 / math.Sqrt(float64(D)),
			}.build(""))
			i++
		}
	}
	for _, D := range []int{1, 2, 5, 8, 48, 64, 128} {
		for _, heads := range [][2]int{{1, 1}, {2, 2}, {4, 2}, {6, 2}, {8, 1}} {
			pack := turn(i/2, packs...)
			add(pack[0], pack[1], heads[0], heads[1], D)
		}
	}
	for _, pack := range [][2]int{{0, 0}, {0, 3}, {1, 1}, {1, 4}, {15, 15}, {64, 1}, {127, 5}, {40, 60}} {
		add(pack[0], pack[1], 2, 1, 8)
	}
	return append(list, attentionSpecials()...)
}

func attentionSpecials() []Case {
	var list []Case
	one := normal(1)
	add := func(what string, change func(*attention)) {
		for _, causal := range noAndYes {
			for _, S := range []int{1, 3} {
				a := attention{
					N: 19, S: S, heads: 4, kvHeads: 2, D: 8, causal: causal, scale: 0.35,
					wide: [3]bool{true, false, true}, q: one, k: one, v: one,
				}
				change(&a)
				c := a.build(what)
				if a.scale == 1 {
					// Scores up to about 10⁵ are exact to that much of f32.
					c.Limit = amplified(sums(a.D+a.N), 1e5)
				}
				list = append(list, c)
			}
		}
	}
	add(", NaN in q", func(a *attention) { a.q = with(one, 9, 3, math.NaN()) })
	add(", NaN in k", func(a *attention) { a.k = with(one, 9, 3, math.NaN()) })
	add(", NaN in v", func(a *attention) { a.v = with(one, 9, 3, math.NaN()) })
	add(", Inf in k", func(a *attention) { a.k = with(one, 9, 3, math.Inf(1)) })
	add(", Inf in v", func(a *attention) { a.v = with(one, 9, 3, math.Inf(-1)) })
	add(", huge scores", func(a *attention) { a.q, a.k, a.scale = normal(100), normal(100), 1 })
	add(", equal scores", func(a *attention) { a.q = always(0) })
	return list
}

func rotaryCases() []Case {
	const positions = 40
	var list []Case
	add := func(what string, N, heads, half int, interleaved, wide bool, x Float) {
		list = append(list, Case{
			Op:    op.RotaryEmbedding,
			Name:  name("N=", N, "H=", heads, "D=", 2*half, "interleaved=", interleaved, widths(wide)) + what,
			Attrs: op.Attrs{op.IntAttr("num_heads", heads), op.BoolAttr("interleaved", interleaved)},
			In: []Input{
				values(wide, tokens, op.C(2*heads*half)).filled(x), index(tokens),
				constant(angle(math.Cos, half), op.C(positions), op.C(half)),
				constant(angle(math.Sin, half), op.C(positions), op.C(half)),
			},
			Bounds: op.Extents{Width: 3, N: N},
			// A turn keeps the length of a pair: terms are of size 1.
			Limit: sums(2), Scale: 1,
		})
	}
	i := 0
	for _, heads := range []int{1, 2, 3, 8} {
		for _, half := range []int{1, 3, 4, 8, 24, 32, 64} {
			for _, interleaved := range noAndYes {
				add("", turn(i/2, 5, 0, 1, 17, 33), heads, half, interleaved, i/2%2 == 0 == interleaved, nil)
				i++
			}
		}
	}
	for _, interleaved := range noAndYes {
		add(", NaN in x", 5, 2, 4, interleaved, true, with(normal(1), 2, 5, math.NaN()))
		add(", Inf in x", 5, 2, 4, interleaved, false, with(normal(1), 3, 0, math.Inf(1)))
	}
	return list
}
