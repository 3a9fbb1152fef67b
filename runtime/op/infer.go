package op

// The shape and width rules, in the order of the table. The types that come in
// already fit the ports: element type, rank, layout and forced width are right.

func inferGather(in []Type, _ Attrs) ([]Type, error) {
	data, indices := in[0], in[1]
	return []Type{{DType: F32, Wide: data.Wide, Shape: []Dim{indices.Shape[0], data.Shape[1]}}}, nil
}

func inferRMSNormalization(in []Type, _ Attrs) ([]Type, error) {
	x, scale := in[0], in[1]
	if err := want(x.Shape[1] == scale.Shape[0] || headsOf(x.Shape[1], scale.Shape[0]),
		"x %s does not fit scale %s", x, scale); err != nil {
		return nil, err
	}
	return []Type{x}, nil
}

// headsOf reports whether constant channels are whole heads of a constant size.
func headsOf(channels, size Dim) bool {
	return channels.Sym == Const && size.Sym == Const && size.Offset > 0 && channels.Offset%size.Offset == 0
}

func inferLayerNormalization(in []Type, _ Attrs) ([]Type, error) {
	x, scale, bias := in[0], in[1], in[2]
	if err := want(x.Shape[1] == scale.Shape[0], "x %s does not fit scale %s", x, scale); err != nil {
		return nil, err
	}
	if err := want(scale.Shape[0] == bias.Shape[0], "bias %s does not fit scale %s", bias, scale); err != nil {
		return nil, err
	}
	return []Type{x}, nil
}

func inferUnary(in []Type, _ Attrs) ([]Type, error) { return []Type{in[0]}, nil }

func inferSlice(in []Type, attrs Attrs) ([]Type, error) {
	x, start, size := in[0], attrs.Int("start"), attrs.Int("size")
	if err := want(x.Shape[1].Sym == Const && start+size <= x.Shape[1].Offset,
		"x %s has no channels %d to %d", x, start, start+size-1); err != nil {
		return nil, err
	}
	return []Type{{DType: F32, Wide: x.Wide, Shape: []Dim{x.Shape[0], C(size)}}}, nil
}

// linear checks x Wᵀ + bias and returns [N, M] of x's width.
func linear(x, w Type, bias []Type) (Type, error) {
	if err := want(w.Constant(), "W %s must have constant dimensions", w); err != nil {
		return Type{}, err
	}
	if err := want(x.Shape[1] == w.Shape[1], "x %s does not fit W %s: both must end in K", x, w); err != nil {
		return Type{}, err
	}
	for _, b := range bias {
		if err := want(b.Shape[0] == w.Shape[0], "bias %s does not fit W %s", b, w); err != nil {
			return Type{}, err
		}
	}
	return Type{DType: F32, Wide: x.Wide, Shape: []Dim{x.Shape[0], w.Shape[0]}}, nil
}

func inferLinear(in []Type, _ Attrs) ([]Type, error) {
	y, err := linear(in[0], in[1], in[2:])
	return []Type{y}, err
}

// MaxRankLoRA bounds the rank r of a LoRA site.
const MaxRankLoRA = 1024

func inferLinearLoRA(in []Type, _ Attrs) ([]Type, error) {
	w, a, b := in[1], in[2], in[3]
	y, err := linear(in[0], w, in[7:])
	if err != nil {
		return nil, err
	}
	if err := want(a.Constant() && b.Constant(), "A %s and B %s must have constant dimensions", a, b); err != nil {
		return nil, err
	}
	r := a.Shape[0].Offset
	if err := want(r >= 1 && r <= MaxRankLoRA, "rank %d of A %s is not within 1 to %d", r, a, MaxRankLoRA); err != nil {
		return nil, err
	}
	if err := want(a.Shape[1] == w.Shape[1] && b.Shape[0] == w.Shape[0] && b.Shape[1] == a.Shape[0],
		"A %s and B %s do not fit W %s", a, b, w); err != nil {
		return nil, err
	}
	if err := countable(b); err != nil {
		return nil, err
	}
	if err := want(isPair(in[4]) && isScalar(in[5]) && isScalar(in[6]),
		"seed must be u32[1 2], first i32[1 1] and eps f32[1 1], not %s, %s, %s", in[4], in[5], in[6]); err != nil {
		return nil, err
	}
	y.Wide = true
	return []Type{y}, nil
}

// countable wants every element of B to have an index of its own in 32 bits,
// by which its perturbations are drawn.
func countable(b Type) error {
	elements := int64(1)
	for _, d := range b.Shape {
		elements *= int64(d.Offset)
	}
	return want(elements <= 1<<32, "%s has more than 2³² elements", b)
}

// trainable wants a matrix or vector whose elements can be moved by any amount.
func trainable(t Type) error {
	if err := want(t.Constant() && (t.DType == F32 || t.DType == BF16),
		"%s must have constant dimensions and elements of type f32 or bf16", t); err != nil {
		return err
	}
	return countable(t)
}

func isScalar(t Type) bool { return t.Shape[0] == C(1) }
func isPair(t Type) bool   { return t.Shape[0] == C(2) }

func inferRotaryEmbedding(in []Type, attrs Attrs) ([]Type, error) {
	x, positions, cos, sin := in[0], in[1], in[2], in[3]
	heads := attrs.Int("num_heads")
	if err := want(positions.Shape[0] == x.Shape[0], "positions %s do not fit x %s", positions, x); err != nil {
		return nil, err
	}
	if err := want(cos.Constant() && sameShape(cos.Shape, sin.Shape), "cos %s and sin %s differ or are not constant", cos, sin); err != nil {
		return nil, err
	}
	channels := x.Shape[1]
	half := cos.Shape[1].Offset
	if err := want(channels.Sym == Const && half > 0 && int64(channels.Offset) == int64(heads)*int64(half)*2,
		"x %s does not hold %d heads of 2·%d", x, heads, half); err != nil {
		return nil, err
	}
	return []Type{x}, nil
}

func inferAttention(in []Type, attrs Attrs) ([]Type, error) {
	q, k, v, offsets := in[0], in[1], in[2], in[3]
	heads, kvHeads := attrs.Int("num_heads"), attrs.Int("kv_num_heads")
	if err := want(heads%kvHeads == 0, "%d query heads are not a multiple of %d key heads", heads, kvHeads); err != nil {
		return nil, err
	}
	for _, t := range in[:3] {
		if err := want(t.Shape[1].Sym == Const && t.Shape[0] == q.Shape[0], "%s does not fit q %s", t, q); err != nil {
			return nil, err
		}
	}
	channels := q.Shape[1].Offset
	if err := want(channels > 0 && channels%heads == 0, "q %s does not hold %d heads", q, heads); err != nil {
		return nil, err
	}
	if err := want(k.Shape[1] == v.Shape[1] && k.Shape[1].Offset == channels/heads*kvHeads,
		"k %s and v %s do not hold %d heads of %d", k, v, kvHeads, channels/heads); err != nil {
		return nil, err
	}
	if err := want(offsets.Shape[0].Offset >= 1, "offsets %s must have one more element than there are sequences", offsets); err != nil {
		return nil, err
	}
	q.Wide = q.Wide || k.Wide || v.Wide
	return []Type{q}, nil
}

func inferElementwise(in []Type, _ Attrs) ([]Type, error) {
	a, b := in[0], in[1]
	if err := want(sameShape(a.Shape, b.Shape), "shapes of %s and %s differ", a, b); err != nil {
		return nil, err
	}
	a.Wide = a.Wide || b.Wide
	return []Type{a}, nil
}

func inferCrossEntropyHead(in []Type, _ Attrs) ([]Type, error) {
	x, w, labels := in[0], in[1], in[2]
	if _, err := linear(x, w, in[3:]); err != nil {
		return nil, err
	}
	if err := want(labels.Shape[0] == x.Shape[0], "labels %s do not fit x %s", labels, x); err != nil {
		return nil, err
	}
	return []Type{{DType: F32, Wide: x.Wide, Shape: []Dim{x.Shape[0]}}}, nil
}

func inferWeightedSum(in []Type, _ Attrs) ([]Type, error) {
	x, weights := in[0], in[1]
	if err := want(sameShape(x.Shape, weights.Shape), "weights %s do not fit x %s", weights, x); err != nil {
		return nil, err
	}
	return []Type{{DType: F32, Wide: x.Wide, Shape: nil}}, nil
}

func inferChoiceLoss(in []Type, _ Attrs) ([]Type, error) {
	nll, rows, choices, gold := in[0], in[1], in[2], in[3]
	if err := want(rows.Shape[0].Offset >= 1 && choices.Shape[0].Offset >= 1,
		"rows %s and choices %s must be offsets, one element longer than what they divide", rows, choices); err != nil {
		return nil, err
	}
	groups := choices.Shape[0]
	groups.Offset--
	if err := want(gold.Shape[0] == groups, "gold %s does not fit choices %s", gold, choices); err != nil {
		return nil, err
	}
	return []Type{{DType: F32, Wide: nll.Wide, Shape: nil}}, nil
}

func inferUpdateLoRA(in []Type, _ Attrs) ([]Type, error) {
	b, seed, lr := in[0], in[1], in[3]
	if err := want(isPair(seed) && isScalar(lr), "seed must be u32[1 2] and lr f32[1 1], not %s, %s", seed, lr); err != nil {
		return nil, err
	}
	return nil, trainable(b)
}

func inferPerturb(in []Type, _ Attrs) ([]Type, error) {
	w, seed, first, eps := in[0], in[1], in[2], in[3]
	if err := want(isPair(seed) && isScalar(first) && isScalar(eps),
		"seed must be u32[1 2], first i32[1 1] and eps f32[1 1], not %s, %s, %s", seed, first, eps); err != nil {
		return nil, err
	}
	return []Type{w}, trainable(w)
}
