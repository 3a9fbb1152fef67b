package conformance

import (
	"math"

	"zeroth/runtime/op"
)

// roundedTo8 is the limit for a product whose x a kernel may round to 8 bits a
// row. Of up to a thousand normal values the largest is about 4.5 deviations
// and becomes 127, so that a value is off by at most half of 4.5/127: a variance
// of (4.5/127)²/12 = 1.05e-4 beside 1. The factor 4 is for rows whose largest
// value stands out more.
const roundedTo8 = 4 * 4.5 * 4.5 / (127 * 127 * 12)

// roundedToBF16 is the same for 8 bits of significand, the first of them implied:
// a relative error of at most 2⁻⁸, 2⁻¹⁶/3 in the mean square.
const roundedToBF16 = 4.0 / (1 << 16) / 3

// roundings are the limits that x's rounding adds, by the type of W.
var roundings = map[op.DType]float64{
	op.BF16: roundedToBF16, op.I8: roundedTo8, op.Q4: roundedTo8, op.NF4: roundedTo8,
}

// packedTypes are the weight types beside f32.
func packedTypes() []op.DType {
	var list []op.DType
	for _, d := range op.WeightTypes() {
		if d.Packed() {
			list = append(list, d)
		}
	}
	return list
}

// packed gives W, input 1 of c, another element type. loss says how much more
// the result is off than x.
func (c Case) packed(d op.DType, loss float64) Case {
	c.Name += " " + d.String()
	c.In = append([]Input(nil), c.In...)
	c.In[1].Type.DType = d
	if c.Limit > 0 {
		c.Limit += loss * roundings[d]
	}
	// Rounding to bytes, and the mean and half the difference of a pair, keep that
	// a row is not finite, but not in which way.
	c.NonFiniteAlike = true
	return c
}

// packable reports whether W, input 1 of c, can have packed elements. It must be
// finite: codes have no infinities, and with those of bfloat16 the mean of a pair
// of products less half their difference is no number.
func (c *Case) packable() bool {
	w := &c.In[1]
	if w.Type.Layout != op.Panels16 {
		return false
	}
	if w.Float == nil {
		return true
	}
	rng := c.random(-1, 1)
	for m := range w.Type.Shape[0].Offset {
		for k := range w.Type.Shape[1].Offset {
			if class(w.Float(rng, m, k)) != finite {
				return false
			}
		}
	}
	return true
}

// quantisedCases repeat the cases of matrix products in panels with each packed
// type of W: ragged shapes, perturbations and values that are not finite.
func quantisedCases() []Case {
	var list []Case
	for _, family := range []struct {
		cases []Case
		loss  float64
	}{{linearCases(), 1}, {loraCases(), 1}, {crossEntropyCases(), 4}} {
		for _, d := range packedTypes() {
			for i, c := range family.cases {
				if !c.packable() {
					continue
				}
				c = c.packed(d, family.loss)
				if c.Bounds.Width > 1 {
					c.Bounds.Width += i % 2 // with and without pairs
				}
				list = append(list, c)
			}
		}
	}
	return append(append(list, scaleCases()...), packedGatherCases()...)
}

// packedGatherCases look rows up in packed tables: values must be decoded as
// the plain kernel does, bit for bit.
func packedGatherCases() []Case {
	var list []Case
	for _, c := range gatherCases() {
		if c.In[0].Type.Layout != op.Panels16 || c.In[0].Float != nil {
			continue
		}
		for _, d := range packedTypes() {
			p := c
			p.Name += " " + d.String()
			p.In = append([]Input(nil), c.In...)
			p.In[0].Type.DType = d
			list = append(list, p)
		}
	}
	return list
}

// scaleCases have weights and rows of x of very different magnitude, a K as
// long as a model's, and codes at their ends.
func scaleCases() []Case {
	var list []Case
	grow := func(what string, x, w Float, scale float64) {
		for _, d := range packedTypes() {
			for _, K := range []int{64, 1100} {
				c := Case{
					Op: op.Linear, Name: name("N=", 19, "K=", K, "M=", 37) + what,
					In:     []Input{values(true, tokens, op.C(K)).filled(x), weights(op.Panels16, w, 37, K), constant(nil, op.C(37))},
					Bounds: op.Extents{Width: 4, N: 19}, Limit: sums(K), Scale: scale * math.Sqrt(float64(K)),
				}
				list = append(list, c.packed(d, 2))
			}
		}
	}
	grow(", codes at their ends", cycle(1, -1, 1), cycle(1, -1), 1)
	grow(", all at the positive end", always(1), always(1), 1)
	grow(", all at the negative end", always(1), always(-1), 1)
	grow(", x zero", always(0), normal(1), 1)
	grow(", W zero", normal(1), always(0), 1)
	grow(", an outlier in W", normal(1), with(normal(0.1), 3, 7, 40), 1)
	grow(", tiny", normal(1e-20), normal(1e-3), 1e-23)
	return list
}
