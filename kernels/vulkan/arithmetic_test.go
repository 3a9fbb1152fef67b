package vulkan

import (
	"errors"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/vulkan/vk"
)

func TestParseArithmetic(t *testing.T) {
	for _, way := range ways {
		if _, err := ParseArithmetic(way + ",no" + way); err != nil {
			t.Error(err)
		}
	}
	if _, err := ParseArithmetic("dots"); !errors.Is(err, gpu.ErrChoice) {
		t.Errorf("%v", err)
	}
}

// Without a choice a device multiplies with what it says is quick; a processor that
// plays a GPU has nothing of that.
func TestUsualArithmetic(t *testing.T) {
	limits := vk.Limits{StorageBuffers: vk.MostBindings}
	plain := &vk.Physical{Kind: "cpu", Limits: limits, Features: vk.Features{IntegerDot: true, CooperativeMatrix: true}}
	if got := (Arithmetic{}).Of(plain); got != (gpu.Arithmetic{}) {
		t.Errorf("%+v", got)
	}
	phone := &vk.Physical{Kind: "integrated", Limits: limits, Features: vk.Features{IntegerDot: true, FastIntegerDot: true}}
	if got := (Arithmetic{}).Of(phone); got != (gpu.Arithmetic{Dot: true}) {
		t.Errorf("%+v", got)
	}
	phone.Limits.StorageBuffers = vk.LeastBindings
	if got := (Arithmetic{}).Of(phone); got != (gpu.Arithmetic{}) {
		t.Errorf("with few buffers a shader: %+v", got)
	}
}
