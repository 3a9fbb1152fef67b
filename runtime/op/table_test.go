package op_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"zeroth/runtime/op"
)

// The ids and names are stored in program files and never change.
func TestTable(t *testing.T) {
	names := []string{
		"Gather", "RMSNormalization", "Linear", "LinearLoRA", "RotaryEmbedding", "Attention",
		"SwiGLU", "Add", "CrossEntropyHead", "WeightedSum", "ChoiceLoss", "UpdateLoRA",
		"LayerNormalization", "Gelu", "Relu", "Slice", "Perturb", "LoRATangent",
		"RMSNormalizationTangent", "LayerNormalizationTangent", "GeluTangent", "ReluTangent",
		"SwiGLUTangent", "AttentionTangent", "CrossEntropyHeadTangent", "ChoiceLossTangent",
	}
	if len(op.All()) != len(names) {
		t.Fatalf("%d ops, want %d", len(op.All()), len(names))
	}
	for i, spec := range op.All() {
		if int(spec.ID) != i+1 || spec.Name != names[i] || spec.Version != 1 || spec.ID.String() != names[i] {
			t.Errorf("row %d: id %d, %s version %d", i, spec.ID, spec.Name, spec.Version)
		}
		for p, port := range spec.Inputs {
			if port.Index == nil {
				continue
			}
			if port.DType != op.I32 || port.Rank != 1 || !port.Narrow || port.Index.Of < 0 || port.Index.Of >= len(spec.Inputs) || port.Index.Of == p {
				t.Errorf("%s: index port %s: %+v", spec.Name, port.Name, port)
			}
			if port.Index.Kind == op.InGroup && (spec.Inputs[port.Index.Of].Index == nil || spec.Inputs[port.Index.Of].Index.Kind != op.Offsets) {
				t.Errorf("%s: %s is counted in groups that are no offsets", spec.Name, port.Name)
			}
		}
	}
	if _, ok := op.Lookup(0); ok {
		t.Error("op 0 is known")
	}
	if got := op.ID(999).String(); got != "op(999)" {
		t.Errorf("unknown op prints as %s", got)
	}
}

func TestIndexRules(t *testing.T) {
	below := op.IndexRule{Kind: op.Below}
	offsets := op.IndexRule{Kind: op.Offsets}
	group := op.IndexRule{Kind: op.InGroup}
	for _, c := range []struct {
		name   string
		rule   op.IndexRule
		values []int32
		extent int
		bounds []int32
		says   string // "" where it holds
	}{
		{"all below", below, []int32{0, 4, 2}, 5, nil, ""},
		{"none", below, nil, 0, nil, ""},
		{"at the extent", below, []int32{0, 5}, 5, nil, "element 1 is 5, must be 0 to 4"},
		{"negative", below, []int32{-1}, 5, nil, "element 0 is -1"},
		{"largest", below, []int32{math.MaxInt32}, 5, nil, "element 0"},
		{"smallest", below, []int32{math.MinInt32}, 5, nil, "element 0"},
		{"of nothing", below, []int32{0}, 0, nil, "element 0 is 0"},
		{"offsets", offsets, []int32{0, 2, 2, 5}, 5, nil, ""},
		{"no sequence", offsets, []int32{0}, 0, nil, ""},
		{"no offset", offsets, nil, 0, nil, "must begin at 0"},
		{"late start", offsets, []int32{1, 5}, 5, nil, "must begin at 0 and end at 5"},
		{"early end", offsets, []int32{0, 4}, 5, nil, "end at 5"},
		{"late end", offsets, []int32{0, 6}, 5, nil, "end at 5"},
		{"falling", offsets, []int32{0, 4, 3, 5}, 5, nil, "offset 2 is 3, below the one before it (4)"},
		{"below zero between", offsets, []int32{0, -1, 5}, 5, nil, "offset 1 is -1"},
		{"past the end between", offsets, []int32{0, 9, 5}, 5, nil, "offset 2 is 5"},
		{"in groups", group, []int32{1, 0, 2}, 0, []int32{0, 2, 3, 6}, ""},
		{"past a group", group, []int32{1, 1, 2}, 0, []int32{0, 2, 3, 6}, "element 1 is 1, must be 0 to 0"},
		{"before a group", group, []int32{-1, 0, 2}, 0, []int32{0, 2, 3, 6}, "element 0 is -1"},
		{"of an empty group", group, []int32{0}, 0, []int32{0, 0}, "element 0 is 0"},
	} {
		err := c.rule.Check(c.values, c.extent, c.bounds)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.says != "" && (!errors.Is(err, op.ErrInvalid) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v; want it to say %q", c.name, err, c.says)
		}
	}
}

func TestTypeBytes(t *testing.T) {
	extents := op.Extents{Width: 6, N: 10, S: 3, R: 4, K: 5, G: 2, Q: 3}
	for text, want := range map[string]int{
		"f32[1]": 4, "f32[P]": 24, "f32[P N 8]": 6 * 10 * 8 * 4, "i32[1 S+1]": 16, "i32[1 K+1]": 24, "f32[1 Q]": 12,
		"f32[1 G]": 8, "f32[P R]": 96, "f32[1 17 3]:p": 32 * 3 * 4, "f32[1 16 3]:p": 16 * 3 * 4, "f32[1 0 9]": 0,
	} {
		got, err := parse(t, text).Bytes(extents)
		if err != nil || got != want {
			t.Errorf("%s: %d bytes, %v; want %d", text, got, err, want)
		}
		if !strings.HasSuffix(text, ":p") && parse(t, text).String() != text {
			t.Errorf("%s prints as %s", text, parse(t, text))
		}
	}
	for _, c := range []struct {
		text string
		e    op.Extents
	}{
		{"f32[1 N 8]", op.Extents{N: op.MaxDim + 1}},
		{"f32[1 N 8]", op.Extents{N: -1}},
		{"i32[1 S+1]", op.Extents{S: math.MaxInt - 1}},
		{"f32[P 268435456 268435456]", op.Extents{Width: 1 << 20}},
		{"f32[P 268435456 268435456]", op.Extents{Width: math.MaxInt}},
	} {
		if n, err := parse(t, c.text).Bytes(c.e); !errors.Is(err, op.ErrInvalid) {
			t.Errorf("%s with %+v: %d bytes, %v", c.text, c.e, n, err)
		}
	}
}

func TestExtentsWithin(t *testing.T) {
	bounds := op.Extents{Width: 8, N: 7, S: 6, R: 5, K: 4, G: 3, Q: 2}
	if err := bounds.Within(bounds); err != nil {
		t.Error(err)
	}
	for name, e := range map[string]op.Extents{
		"width P is 9": {Width: 9}, "tokens N is 8": {N: 8}, "sequences S is 7": {S: 7}, "loss rows R is 6": {R: 6},
		"candidates K is 5": {K: 5}, "examples G is 4": {G: 4}, "queries Q is 3": {Q: 3}, "tokens N is -1": {N: -1},
	} {
		if err := e.Within(bounds); !errors.Is(err, op.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v; want it to say %q", e, err, name)
		}
	}
}
