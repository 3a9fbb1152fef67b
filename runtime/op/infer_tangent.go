package op

import "math/bits"

// The shape and width rules of the tangent ops: those of the ops whose tangents
// they are, and a tangent is as what it is the tangent of, but wide.

// tangentOf wants d to be a tangent of x.
func tangentOf(d, x Type) error {
	return want(sameShape(d.Shape, x.Shape), "%s is no tangent of %s: their shapes differ", d, x)
}

// widened is the type of t's tangents.
func widened(t []Type, err error) ([]Type, error) {
	for i := range t {
		t[i].Wide = true
	}
	return t, err
}

func inferLoRATangent(in []Type, _ Attrs) ([]Type, error) {
	x, h, seed := in[0], in[1], in[2]
	if err := want(x.Shape[0] == h.Shape[0] && x.Shape[1].Sym == Const && h.Shape[1].Sym == Const,
		"h %s does not fit x %s: rows must be as many, and channels constant", h, x); err != nil {
		return nil, err
	}
	r := h.Shape[1].Offset
	if err := want(r >= 1 && r <= MaxRankLoRA, "rank %d of h %s is not within 1 to %d", r, h, MaxRankLoRA); err != nil {
		return nil, err
	}
	if err := want(isPair(seed), "seed must be u32[1 2], not %s", seed); err != nil {
		return nil, err
	}
	return []Type{x}, countable(Type{DType: F32, Shape: []Dim{x.Shape[1], h.Shape[1]}})
}

func inferRMSNormalizationTangent(in []Type, attrs Attrs) ([]Type, error) {
	if err := tangentOf(in[0], in[1]); err != nil {
		return nil, err
	}
	return widened(inferRMSNormalization(in[1:], attrs))
}

func inferLayerNormalizationTangent(in []Type, attrs Attrs) ([]Type, error) {
	if err := tangentOf(in[0], in[1]); err != nil {
		return nil, err
	}
	x, scale := in[1], in[2]
	return widened(inferLayerNormalization([]Type{x, scale, scale}, attrs))
}

func inferUnaryTangent(in []Type, _ Attrs) ([]Type, error) {
	return []Type{in[0]}, tangentOf(in[0], in[1])
}

// given wants as many tangents as the attribute has bits set, each that of the
// one among of that its bit counts.
func given(attrs Attrs, tangents, of []Type) error {
	set := uint(attrs.Int("given"))
	if err := want(len(tangents) == bits.OnesCount(set), "given=%d tells of %d tangents, there are %d", set, bits.OnesCount(set), len(tangents)); err != nil {
		return err
	}
	for i := range of {
		if set>>i&1 == 0 {
			continue
		}
		if err := tangentOf(tangents[0], of[i]); err != nil {
			return err
		}
		tangents = tangents[1:]
	}
	return nil
}

func inferSwiGLUTangent(in []Type, attrs Attrs) ([]Type, error) {
	tangents := append([]Type{in[0]}, in[3:]...)
	if err := given(attrs, tangents, in[1:3]); err != nil {
		return nil, err
	}
	return widened(inferElementwise(in[1:3], nil))
}

func inferAttentionTangent(in []Type, attrs Attrs) ([]Type, error) {
	if err := given(attrs, in[4:], in[:3]); err != nil {
		return nil, err
	}
	return widened(inferAttention(in[:4], attrs))
}

func inferCrossEntropyHeadTangent(in []Type, attrs Attrs) ([]Type, error) {
	if err := tangentOf(in[3], in[0]); err != nil {
		return nil, err
	}
	return widened(inferCrossEntropyHead(append(in[:3:3], in[4:]...), attrs))
}

func inferChoiceLossTangent(in []Type, attrs Attrs) ([]Type, error) {
	if err := tangentOf(in[4], in[0]); err != nil {
		return nil, err
	}
	return widened(inferChoiceLoss(in[:4], attrs))
}
