package vulkan

import (
	"errors"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

func TestParseArithmetic(t *testing.T) {
	for _, text := range []string{"dots", "no", "nonodot", "dot;coop", "fp 16"} {
		if _, err := ParseArithmetic(text); !errors.Is(err, ErrArithmetic) {
			t.Errorf("%q: %v", text, err)
		}
	}
	a, err := ParseArithmetic(" dot, nocoop ,,")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		way              string
		has, quick, want bool
	}{
		{wayDot, true, false, true},
		{wayDot, false, false, false}, // named, but not where the device lacks it
		{wayCoop, true, true, false},
		{wayCoop8, true, true, true},
		{wayCoop8, true, false, false}, // not named: if it is quick
	} {
		if got := a.uses(c.way, c.has, c.quick); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Without a choice a device multiplies with what it says is quick; a processor that
// plays a GPU has nothing of that.
func TestUsualArithmetic(t *testing.T) {
	plain := &vk.Physical{Kind: "cpu", Features: vk.Features{IntegerDot: true, CooperativeMatrix: true}}
	if got := (Arithmetic{}).Of(plain); got != (gpu.Arithmetic{}) {
		t.Errorf("%+v", got)
	}
	phone := &vk.Physical{Kind: "integrated", Features: vk.Features{IntegerDot: true, FastIntegerDot: true}}
	if got := (Arithmetic{}).Of(phone); got != (gpu.Arithmetic{Dot: true}) {
		t.Errorf("%+v", got)
	}
}
