package opencl

import (
	"errors"
	"testing"

	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
)

// Without a choice a device multiplies bytes if it says that it is quick at that; with
// one, as it says.
func TestArithmetic(t *testing.T) {
	quick := cl.Features{IntegerDot: true, FastIntegerDot: true}
	for _, c := range []struct {
		text string
		p    cl.Physical
		want bool
	}{
		{"", cl.Physical{Kind: "gpu", Features: quick}, true},
		{"", cl.Physical{Kind: "gpu", Features: cl.Features{IntegerDot: true}}, false},
		{"", cl.Physical{Kind: "cpu", Features: quick}, false},
		{"nodot", cl.Physical{Kind: "gpu", Features: quick}, false},
		{"dot", cl.Physical{Kind: "cpu"}, true},
	} {
		a, err := ParseArithmetic(c.text)
		if got := a.Of(&c.p); err != nil || got != (gpu.Arithmetic{Dot: c.want}) {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
	if _, err := ParseArithmetic("coop"); !errors.Is(err, gpu.ErrChoice) {
		t.Errorf("%v", err)
	}
}
