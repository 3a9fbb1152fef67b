package op_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"zeroth/runtime/op"
)

// Types are written in words: "f32[P N 64]", with ":p" for panels.
func parse(t *testing.T, text string) op.Type {
	t.Helper()
	var out op.Type
	text, panels := strings.CutSuffix(text, ":p")
	if panels {
		out.Layout = op.Panels16
	}
	dtype, rest, ok := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	if out.DType = map[string]op.DType{
		"f32": op.F32, "i32": op.I32, "u32": op.U32, "bf16": op.BF16, "i8": op.I8, "q4": op.Q4, "nf4": op.NF4, "f99": 99,
	}[dtype]; !ok || out.DType == 0 {
		t.Fatalf("type %q", text)
	}
	syms := map[byte]op.Sym{'N': op.Tokens, 'S': op.Sequences, 'R': op.LossRows, 'K': op.Choices, 'G': op.Examples, 'Q': op.Queries, '?': 77}
	for i, word := range strings.Fields(rest) {
		switch sym, named := syms[word[0]]; {
		case i == 0:
			out.Wide = word == "P"
		case named:
			out.Shape = append(out.Shape, op.S(sym, number(t, word[1:])))
		default:
			out.Shape = append(out.Shape, op.C(number(t, word)))
		}
	}
	return out
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, sign := 0, 1
	for i, c := range strings.TrimPrefix(text, "+") {
		if i == 0 && c == '-' {
			sign = -1
			continue
		}
		if c < '0' || c > '9' {
			t.Fatalf("number %q", text)
		}
		n = 10*n + int(c-'0')
	}
	return sign * n
}

func parseAll(t *testing.T, text string) []op.Type {
	t.Helper()
	var types []op.Type
	for _, part := range strings.Split(text, ", ") {
		if part != "" {
			types = append(types, parse(t, part))
		}
	}
	return types
}

// attributes of each op that the table of cases starts from.
func attrs(id op.ID) op.Attrs {
	switch id {
	case op.RMSNormalization, op.LayerNormalization, op.RMSNormalizationTangent, op.LayerNormalizationTangent:
		return op.Attrs{op.FloatAttr("epsilon", 1e-5)}
	case op.Gelu, op.GeluTangent:
		return op.Attrs{op.IntAttr("approximate", 1)}
	case op.Slice:
		return op.Attrs{op.IntAttr("start", 16), op.IntAttr("size", 32)}
	case op.LinearLoRA:
		return op.Attrs{op.IntAttr("site", 3), op.FloatAttr("scale", 2), op.IntAttr("sampler", 1)}
	case op.RotaryEmbedding:
		return op.Attrs{op.IntAttr("num_heads", 4), op.BoolAttr("interleaved", true)}
	case op.Attention:
		return op.Attrs{op.IntAttr("num_heads", 4), op.IntAttr("kv_num_heads", 2), op.FloatAttr("scale", 0.25), op.BoolAttr("causal", true)}
	case op.SwiGLUTangent:
		return op.Attrs{op.IntAttr("given", 2)}
	case op.AttentionTangent:
		return append(attrs(op.Attention), op.IntAttr("given", 5))
	case op.ChoiceLoss, op.ChoiceLossTangent:
		return op.Attrs{op.BoolAttr("mean", false)}
	case op.UpdateLoRA, op.Perturb, op.LoRATangent:
		return op.Attrs{op.IntAttr("site", 3), op.IntAttr("sampler", 2)}
	}
	return nil
}

const (
	loraRest = ", u32[1 2], i32[1 1], f32[1 1]"
	tables   = ", i32[1 N], f32[1 32 8], f32[1 32 8]"
)

func TestInferGoodTypes(t *testing.T) {
	seen := make(map[op.ID]bool)
	for _, c := range []struct {
		id      op.ID
		in, out string
	}{
		{op.Gather, "f32[1 100 64], i32[1 N]", "f32[1 N 64]"},
		{op.Gather, "f32[1 100 64]:p, i32[1 N]", "f32[1 N 64]"},
		{op.Gather, "f32[P N 64], i32[1 R]", "f32[P R 64]"},
		{op.RMSNormalization, "f32[1 N 64], f32[1 64]", "f32[1 N 64]"},
		{op.RMSNormalization, "f32[P R 64], f32[1 64]", "f32[P R 64]"},
		{op.RMSNormalization, "f32[P N 64], f32[1 16]", "f32[P N 64]"},
		{op.RMSNormalization, "f32[1 N 0], f32[1 0]", "f32[1 N 0]"},
		{op.LayerNormalization, "f32[P R 64], f32[1 64], f32[1 64]", "f32[P R 64]"},
		{op.Gelu, "f32[P N 64]", "f32[P N 64]"},
		{op.Relu, "f32[1 N 64]", "f32[1 N 64]"},
		{op.Slice, "f32[P N 64]", "f32[P N 32]"},
		{op.Slice, "f32[1 R 48]", "f32[1 R 32]"},
		{op.Linear, "f32[1 N 64], f32[1 32 64]:p", "f32[1 N 32]"},
		{op.Linear, "f32[P R 64], f32[1 32 64], f32[1 32]", "f32[P R 32]"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64]:p, f32[1 4 64], f32[1 32 4]" + loraRest, "f32[P N 32]"},
		{op.LinearLoRA, "f32[P N 64], f32[1 32 64], f32[1 4 64], f32[1 32 4]" + loraRest + ", f32[1 32]", "f32[P N 32]"},
		{op.RotaryEmbedding, "f32[P N 64]" + tables, "f32[P N 64]"},
		{op.Attention, "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S+1]", "f32[1 N 64]"},
		{op.Attention, "f32[1 N 64], f32[1 N 32], f32[P N 32], i32[1 S+1]", "f32[P N 64]"},
		{op.Attention, "f32[1 N 64], f32[P N 32], f32[1 N 32], i32[1 S+1]", "f32[P N 64]"},
		{op.SwiGLU, "f32[1 N 64], f32[1 N 64]", "f32[1 N 64]"},
		{op.SwiGLU, "f32[1 N 64], f32[P N 64]", "f32[P N 64]"},
		{op.Add, "f32[P N 64], f32[1 N 64]", "f32[P N 64]"},
		{op.CrossEntropyHead, "f32[P R 64], f32[1 100 64]:p, i32[1 R]", "f32[P R]"},
		{op.CrossEntropyHead, "f32[1 R 64], f32[1 100 64], i32[1 R], f32[1 100]", "f32[1 R]"},
		{op.WeightedSum, "f32[P R], f32[1 R]", "f32[P]"},
		{op.WeightedSum, "f32[1 R], f32[1 R]", "f32[1]"},
		{op.ChoiceLoss, "f32[P R], i32[1 K+1], i32[1 G+1], i32[1 G]", "f32[P]"},
		{op.UpdateLoRA, "f32[1 32 4], u32[1 2], f32[1 Q], f32[1 1]", ""},
		{op.UpdateLoRA, "f32[1 32], u32[1 2], f32[1 Q], f32[1 1]", ""},
		{op.UpdateLoRA, "bf16[1 32 5]:p, u32[1 2], f32[1 Q], f32[1 1]", ""},
		{op.Perturb, "bf16[1 32 5]:p, u32[1 2], i32[1 1], f32[1 1]", "bf16[1 32 5]:p"},
		{op.Perturb, "f32[1 7], u32[1 2], i32[1 1], f32[1 1]", "f32[1 7]"},
		{op.Linear, "f32[P N 64], nf4[1 32 64]:p", "f32[P N 32]"},
		{op.Gather, "i8[1 32 64]:p, i32[1 R]", "f32[1 R 64]"},
		{op.CrossEntropyHead, "f32[P R 64], q4[1 32 64]:p, i32[1 R]", "f32[P R]"},
		{op.LoRATangent, "f32[P N 32], f32[1 N 4], u32[1 2]", "f32[P N 32]"},
		{op.RMSNormalizationTangent, "f32[P N 64], f32[1 N 64], f32[1 64]", "f32[P N 64]"},
		{op.RMSNormalizationTangent, "f32[P N 64], f32[1 N 64], f32[1 16]", "f32[P N 64]"},
		{op.LayerNormalizationTangent, "f32[P R 64], f32[1 R 64], f32[1 64]", "f32[P R 64]"},
		{op.GeluTangent, "f32[P N 64], f32[1 N 64]", "f32[P N 64]"},
		{op.ReluTangent, "f32[P N 64], f32[1 N 64]", "f32[P N 64]"},
		{op.SwiGLUTangent, "f32[P N 64], f32[1 N 64], f32[1 N 64]", "f32[P N 64]"},
		{op.AttentionTangent, "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S+1], f32[P N 64], f32[P N 32]", "f32[P N 64]"},
		{op.CrossEntropyHeadTangent, "f32[1 R 64], f32[1 100 64]:p, i32[1 R], f32[P R 64]", "f32[P R]"},
		{op.CrossEntropyHeadTangent, "f32[1 R 64], q4[1 100 64]:p, i32[1 R], f32[P R 64], f32[1 100]", "f32[P R]"},
		{op.ChoiceLossTangent, "f32[1 R], i32[1 K+1], i32[1 G+1], i32[1 G], f32[P R]", "f32[P]"},
	} {
		seen[c.id] = true
		spec, _ := op.Lookup(c.id)
		got, err := spec.Infer(parseAll(t, c.in), attrs(c.id))
		if err != nil {
			t.Errorf("%s(%s): %v", c.id, c.in, err)
			continue
		}
		want := parseAll(t, c.out)
		if len(got) != len(want) || len(got) == 1 && !got[0].Equal(want[0]) {
			t.Errorf("%s(%s) gives %v, want %v", c.id, c.in, got, want)
		}
	}
	for _, spec := range op.All() {
		if !seen[spec.ID] {
			t.Errorf("no case for %s", spec.Name)
		}
	}
}

// Each case breaks one rule; the message must name what is wrong.
func TestInferBadTypes(t *testing.T) {
	seen := make(map[op.ID]int)
	for _, c := range []struct {
		id       op.ID
		in, says string
	}{
		{op.Gather, "i32[1 100 64], i32[1 N]", "input 0: invalid op: data is i32[1 100 64], wants f32"},
		{op.Gather, "f32[1 100], i32[1 N]", "input 0: invalid op: data is f32[1 100], wants rank 2"},
		{op.Gather, "f32[1 100 64], f32[1 N]", "indices is f32[1 N], wants i32"},
		{op.Gather, "f32[1 100 64], i32[P N]", "indices is i32[P N], wants width 1"},
		{op.Gather, "f32[1 100 64]", "Gather has 1 inputs, wants 2 to 2"},
		{op.Gather, "f32[1 100 64], i32[1 N], i32[1 N]", "has 3 inputs"},
		{op.Gather, "f99[1 100 64], i32[1 N]", "data: invalid op: unknown dtype(99)"},
		{op.Gather, "f32[1 ?1 64], i32[1 N]", "dimension 0: unknown sym(77)"},
		{op.Gather, "f32[1 100 -1], i32[1 N]", "dimension 1: -1 is not within"},
		{op.Gather, "f32[1 268435457 64], i32[1 N]", "dimension 0: 268435457 is not within"},
		{op.Gather, "f32[1 2 2 2], i32[1 N]", "rank 3, at most 2"},
		{op.Gather, "f32[1 N 64]:p, i32[1 N]", "layout panels16 needs a constant matrix"},
		{op.Gather, "f32[P 64 64]:p, i32[1 N]", "layout panels16 needs a constant matrix"},
		{op.RMSNormalization, "f32[1 N 64], f32[1 48]", "x f32[1 N 64] does not fit scale f32[1 48]"},
		{op.RMSNormalization, "f32[1 N 64], f32[1 128]", "does not fit"},
		{op.RMSNormalization, "f32[1 N 64], f32[1 0]", "does not fit"},
		{op.RMSNormalization, "f32[1 N 64], f32[1 R]", "does not fit"},
		{op.LayerNormalization, "f32[1 N 64], f32[1 32], f32[1 32]", "does not fit scale f32[1 32]"},
		{op.LayerNormalization, "f32[1 N 64], f32[1 64], f32[1 63]", "bias f32[1 63] does not fit"},
		{op.LayerNormalization, "f32[1 N 64], f32[1 64], f32[P 64]", "bias is f32[P 64], wants width 1"},
		{op.LayerNormalization, "f32[1 N 64], f32[1 64]", "has 2 inputs, wants 3 to 3"},
		{op.Gelu, "i32[1 N 64]", "x is i32[1 N 64], wants f32"},
		{op.Relu, "f32[1 N]", "wants rank 2"},
		{op.Slice, "f32[1 N 47]", "has no channels 16 to 47"},
		{op.Slice, "f32[1 N R]", "has no channels 16 to 47"},
		{op.RMSNormalization, "f32[1 N 64], f32[P 64]", "scale is f32[P 64], wants width 1"},
		{op.RMSNormalization, "f32[1 16 64]:p, f32[1 64]", "wants it row-major"},
		{op.Linear, "f32[1 N 64], f32[1 32 65]", "both must end in K"},
		{op.Linear, "f32[1 N 64], f32[1 N 64]", "must have constant dimensions"},
		{op.Linear, "f32[1 N 64], f32[P 32 64]", "W is f32[P 32 64], wants width 1"},
		{op.Linear, "f32[1 N 64], f32[1 32 64], f32[1 33]", "bias f32[1 33] does not fit"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 63], f32[1 32 4]" + loraRest, "do not fit W"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 31 4]" + loraRest, "do not fit W"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 32 5]" + loraRest, "do not fit W"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 0 64], f32[1 32 0]" + loraRest, "rank 0 of A"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 1025 64], f32[1 32 1025]" + loraRest, "rank 1025 of A"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 Q 64], f32[1 32 4]" + loraRest, "must have constant dimensions"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[P 4 64], f32[1 32 4]" + loraRest, "A is f32[P 4 64], wants width 1"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[P 32 4]" + loraRest, "B is f32[P 32 4], wants width 1"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 32 4], u32[1 3], i32[1 1], f32[1 1]", "seed must be u32[1 2]"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 32 4], u32[1 2], i32[1 2], f32[1 1]", "first i32[1 1]"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 32 4], u32[1 2], i32[1 1], f32[1 2]", "eps f32[1 1]"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 32 4]" + loraRest + ", f32[1 31]", "bias"},
		{op.LinearLoRA, "f32[1 N 64], f32[1 268435456 64], f32[1 32 64], f32[1 268435456 32]" + loraRest, "more than 2³² elements"},
		{op.RotaryEmbedding, "f32[1 N 64], i32[1 R], f32[1 32 8], f32[1 32 8]", "positions i32[1 R] do not fit"},
		{op.RotaryEmbedding, "f32[1 N 63]" + tables, "does not hold 4 heads of 2·8"},
		{op.RotaryEmbedding, "f32[1 N 64], i32[1 N], f32[1 32 8], f32[1 31 8]", "differ"},
		{op.RotaryEmbedding, "f32[1 N 64], i32[1 N], f32[1 N 8], f32[1 N 8]", "not constant"},
		{op.RotaryEmbedding, "f32[1 N 0], i32[1 N], f32[1 32 0], f32[1 32 0]", "does not hold"},
		{op.RotaryEmbedding, "f32[1 N R]" + tables, "does not hold"},
		{op.Attention, "f32[1 N 64], f32[1 N 32], f32[1 R 32], i32[1 S+1]", "f32[1 R 32] does not fit q"},
		{op.Attention, "f32[1 N 62], f32[1 N 32], f32[1 N 32], i32[1 S+1]", "does not hold 4 heads"},
		{op.Attention, "f32[1 N 64], f32[1 N 64], f32[1 N 64], i32[1 S+1]", "do not hold 2 heads of 16"},
		{op.Attention, "f32[1 N 64], f32[1 N 32], f32[1 N 48], i32[1 S+1]", "do not hold 2 heads of 16"},
		{op.Attention, "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S]", "one more element"},
		{op.Attention, "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[P S+1]", "offsets is i32[P S+1], wants width 1"},
		{op.SwiGLU, "f32[1 N 64], f32[1 N 63]", "shapes of f32[1 N 64] and f32[1 N 63] differ"},
		{op.Add, "f32[1 N 64], f32[1 R 64]", "shapes of f32[1 N 64] and f32[1 R 64] differ"},
		{op.Add, "f32[1 N 64], i32[1 N 64]", "b is i32[1 N 64], wants f32"},
		{op.CrossEntropyHead, "f32[1 R 64], f32[1 100 64], i32[1 N]", "labels i32[1 N] do not fit"},
		{op.CrossEntropyHead, "f32[1 R 64], f32[1 100 32], i32[1 R]", "both must end in K"},
		{op.CrossEntropyHead, "f32[1 R 64], f32[1 100 64], i32[1 R], f32[1 99]", "bias f32[1 99] does not fit"},
		{op.CrossEntropyHead, "f32[1 R 64], f32[1 100 64], i32[1 R], f32[P 100]", "bias is f32[P 100], wants width 1"},
		{op.WeightedSum, "f32[1 R], f32[1 N]", "weights f32[1 N] do not fit"},
		{op.WeightedSum, "f32[1 R], f32[P R]", "weights is f32[P R], wants width 1"},
		{op.ChoiceLoss, "f32[1 R], i32[1 K], i32[1 G+1], i32[1 G]", "must be offsets"},
		{op.ChoiceLoss, "f32[1 R], i32[1 K+1], i32[1 G], i32[1 G]", "must be offsets"},
		{op.ChoiceLoss, "f32[1 R], i32[1 K+1], i32[1 G+1], i32[1 G+1]", "gold i32[1 G+1] does not fit"},
		{op.UpdateLoRA, "f32[1 N 4], u32[1 2], f32[1 Q], f32[1 1]", "must have constant dimensions"},
		{op.UpdateLoRA, "f32[1 32 4], u32[1 1], f32[1 Q], f32[1 1]", "seed must be u32[1 2]"},
		{op.UpdateLoRA, "f32[1 32 4], u32[1 2], f32[1 Q], f32[1 2]", "lr f32[1 1]"},
		{op.UpdateLoRA, "f32[P 32 4], u32[1 2], f32[1 Q], f32[1 1]", "B is f32[P 32 4], wants width 1"},
		{op.UpdateLoRA, "f32[1 268435456 17], u32[1 2], f32[1 Q], f32[1 1]", "more than 2³² elements"},
		{op.UpdateLoRA, "i8[1 32 5]:p, u32[1 2], f32[1 Q], f32[1 1]", "of type f32 or bf16"},
		{op.Perturb, "q4[1 32 5]:p, u32[1 2], i32[1 1], f32[1 1]", "of type f32 or bf16"},
		{op.Perturb, "f32[1], u32[1 2], i32[1 1], f32[1 1]", "wants rank 1 or 2"},
		{op.Perturb, "f32[1 8], u32[1 2], i32[1 2], f32[1 1]", "first i32[1 1]"},
		{op.Linear, "f32[P N 64], i8[1 32 64]", "for weights in layout panels16 alone"},
		{op.Linear, "f32[P N 65552], i8[1 32 65552]:p", "at most 65536"},
		{op.Linear, "f32[P N 64], i32[1 32 64]:p", "panels16 is for weights, not for i32"},
		{op.UpdateLoRA, "u32[1 32 5]:p, u32[1 2], f32[1 Q], f32[1 1]", "panels16 is for weights"},
		{op.Add, "bf16[1 5 64]:p, f32[1 5 64]", "a is bf16"},
		{op.LoRATangent, "f32[1 N 32], f32[1 N 4], u32[1 2]", "wants it wide"},
		{op.LoRATangent, "f32[P N 32], f32[1 R 4], u32[1 2]", "rows must be as many"},
		{op.LoRATangent, "f32[P N 32], f32[1 N 2000], u32[1 2]", "rank 2000"},
		{op.LoRATangent, "f32[P N 32], f32[1 N 0], u32[1 2]", "rank 0"},
		{op.LoRATangent, "f32[P N 32], f32[1 N N], u32[1 2]", "channels constant"},
		{op.LoRATangent, "f32[P N 32], f32[1 N 4], u32[1 1]", "seed must be"},
		{op.LoRATangent, "f32[P N 268435456], f32[1 N 17], u32[1 2]", "more than 2³² elements"},
		{op.RMSNormalizationTangent, "f32[P N 64], f32[1 N 32], f32[1 32]", "is no tangent of"},
		{op.RMSNormalizationTangent, "f32[P N 64], f32[P N 64], f32[1 64]", "x is f32[P N 64], wants width 1"},
		{op.RMSNormalizationTangent, "f32[P N 64], f32[1 N 64], f32[1 48]", "does not fit scale"},
		{op.LayerNormalizationTangent, "f32[P N 64], f32[1 N 64], f32[1 32]", "does not fit scale"},
		{op.LayerNormalizationTangent, "f32[P N 64], f32[1 R 64], f32[1 64]", "is no tangent of"},
		{op.GeluTangent, "f32[P N 64], f32[1 N 65]", "is no tangent of"},
		{op.ReluTangent, "f32[1 N 64], f32[1 N 64]", "wants it wide"},
		{op.SwiGLUTangent, "f32[P N 64], f32[1 N 64], f32[1 N 64], f32[P N 64]", "given=2 tells of 1 tangents, there are 2"},
		{op.SwiGLUTangent, "f32[P N 64], f32[1 N 64], f32[1 N 32]", "is no tangent of"},
		{op.AttentionTangent, "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S+1], f32[P N 64]", "there are 1"},
		{op.AttentionTangent, "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S+1], f32[P N 32], f32[P N 64]", "is no tangent of"},
		{op.AttentionTangent, "f32[1 N 64], f32[1 N 64], f32[1 N 32], i32[1 S+1], f32[P N 64], f32[P N 32]", "do not hold 2 heads"},
		{op.CrossEntropyHeadTangent, "f32[1 R 64], f32[1 100 64], i32[1 R], f32[P R 32]", "is no tangent of"},
		{op.CrossEntropyHeadTangent, "f32[1 R 64], f32[1 100 64], i32[1 R], f32[P R 64], f32[1 99]", "bias f32[1 99] does not fit"},
		{op.ChoiceLossTangent, "f32[1 R], i32[1 K+1], i32[1 G+1], i32[1 G], f32[P N]", "is no tangent of"},
		{op.ChoiceLossTangent, "f32[1 R], i32[1 K+1], i32[1 G+1], i32[1 G], f32[1 R]", "wants it wide"},
	} {
		seen[c.id]++
		spec, _ := op.Lookup(c.id)
		_, err := spec.Infer(parseAll(t, c.in), attrs(c.id))
		if !errors.Is(err, op.ErrInvalid) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), spec.Name) {
			t.Errorf("%s(%s): %v; want it to say %q", c.id, c.in, err, c.says)
		}
	}
	for _, spec := range op.All() {
		if seen[spec.ID] < 1 {
			t.Errorf("no case for %s", spec.Name)
		}
	}
}

func TestInferBadAttributes(t *testing.T) {
	good := map[op.ID]string{
		op.RMSNormalization:   "f32[1 N 64], f32[1 64]",
		op.LinearLoRA:         "f32[1 N 64], f32[1 32 64], f32[1 4 64], f32[1 32 4]" + loraRest,
		op.RotaryEmbedding:    "f32[1 N 64]" + tables,
		op.Attention:          "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S+1]",
		op.ChoiceLoss:         "f32[1 R], i32[1 K+1], i32[1 G+1], i32[1 G]",
		op.UpdateLoRA:         "f32[1 32 4], u32[1 2], f32[1 Q], f32[1 1]",
		op.Add:                "f32[1 N 4], f32[1 N 4]",
		op.LayerNormalization: "f32[1 N 64], f32[1 64], f32[1 64]",
		op.Gelu:               "f32[1 N 64]",
		op.Slice:              "f32[1 N 64]",
		op.SwiGLUTangent:      "f32[P N 64], f32[1 N 64], f32[1 N 64]",
		op.AttentionTangent:   "f32[1 N 64], f32[1 N 32], f32[1 N 32], i32[1 S+1], f32[P N 64]",
	}
	beyond := -1 // where an int has 32 bits no site is too large
	if strconv.IntSize == 64 {
		beyond = math.MaxInt
	}
	for _, c := range []struct {
		id   op.ID
		at   int // attribute replaced; −1: the list is replaced by it alone
		with op.Attr
		says string
	}{
		{op.RMSNormalization, 0, op.FloatAttr("epsilon", -1e-9), "epsilon"},
		{op.RMSNormalization, 0, op.FloatAttr("epsilon", 1.5), "epsilon"},
		{op.RMSNormalization, 0, op.FloatAttr("epsilon", math.NaN()), "epsilon"},
		{op.RMSNormalization, 0, op.IntAttr("epsilon", 0), "epsilon"},
		{op.RMSNormalization, 0, op.FloatAttr("eps", 1e-5), `"eps" where "epsilon"`},
		{op.LinearLoRA, 0, op.IntAttr("site", -1), "site"},
		{op.LinearLoRA, 0, op.IntAttr("site", beyond), "site"},
		{op.LinearLoRA, 1, op.FloatAttr("scale", math.Inf(1)), "scale"},
		{op.LinearLoRA, 2, op.IntAttr("sampler", 0), "sampler"},
		{op.LinearLoRA, 2, op.IntAttr("sampler", 3), "sampler"},
		{op.LinearLoRA, -1, op.IntAttr("site", 1), "1 attributes, wants 3"},
		{op.RotaryEmbedding, 0, op.IntAttr("num_heads", 0), "num_heads"},
		{op.RotaryEmbedding, 0, op.IntAttr("num_heads", 2), "does not hold 2 heads"},
		{op.RotaryEmbedding, 0, op.IntAttr("num_heads", op.MaxDim+1), "num_heads"},
		{op.RotaryEmbedding, 1, op.IntAttr("interleaved", 2), "interleaved"},
		{op.Attention, 0, op.IntAttr("num_heads", 3), "not a multiple"},
		{op.Attention, 1, op.IntAttr("kv_num_heads", 0), "kv_num_heads"},
		{op.Attention, 2, op.FloatAttr("scale", -1), "scale"},
		{op.Attention, 3, op.IntAttr("causal", 7), "causal"},
		{op.ChoiceLoss, 0, op.IntAttr("mean", 2), "mean"},
		{op.UpdateLoRA, 1, op.IntAttr("sampler", 9), "sampler"},
		{op.Add, -1, op.IntAttr("axis", 1), "1 attributes, wants 0"},
		{op.LayerNormalization, 0, op.FloatAttr("epsilon", 2), "epsilon"},
		{op.Gelu, 0, op.IntAttr("approximate", 2), "approximate"},
		{op.Slice, 0, op.IntAttr("start", -1), "start"},
		{op.Slice, 0, op.IntAttr("start", 33), "has no channels 33 to 64"},
		{op.Slice, 0, op.IntAttr("start", op.MaxDim), "has no channels"},
		{op.Slice, 1, op.IntAttr("size", 0), "size"},
		{op.Slice, 1, op.IntAttr("size", op.MaxDim+1), "size"},
		{op.SwiGLUTangent, 0, op.IntAttr("given", 0), "given"},
		{op.SwiGLUTangent, 0, op.IntAttr("given", 3), "given=3 tells of 2 tangents, there are 1"},
		{op.SwiGLUTangent, 0, op.IntAttr("given", 4), "given"},
		{op.AttentionTangent, 4, op.IntAttr("given", 8), "given"},
		{op.AttentionTangent, 4, op.IntAttr("given", 3), "given=3"},
	} {
		list := attrs(c.id)
		if c.at < 0 {
			list = op.Attrs{c.with}
		} else {
			list[c.at] = c.with
		}
		spec, _ := op.Lookup(c.id)
		_, err := spec.Infer(parseAll(t, good[c.id]), list)
		if !errors.Is(err, op.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s with %s: %v; want it to say %q", c.id, c.with, err, c.says)
		}
	}
}

// A head count whose product wraps must not pass for a small one.
func TestRotaryHeadsDoNotWrap(t *testing.T) {
	spec, _ := op.Lookup(op.RotaryEmbedding)
	in := parseAll(t, "f32[1 N 0], i32[1 N], f32[1 32 268435456], f32[1 32 268435456]")
	for _, heads := range []int{1, 1 << 20, op.MaxDim} {
		if _, err := spec.Infer(in, op.Attrs{op.IntAttr("num_heads", heads), op.BoolAttr("interleaved", false)}); err == nil {
			t.Errorf("%d heads of 2²⁹ elements fit no channels", heads)
		}
	}
}
