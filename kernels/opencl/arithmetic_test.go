package opencl

import (
	"errors"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
	"zeroth/runtime/kernel"
)

// Without a choice a device multiplies bytes if it says that it is quick at that; with
// one, as it says. Activations are f16 only where that is wanted.
func TestArithmetic(t *testing.T) {
	quick := cl.Features{IntegerDot: true, FastIntegerDot: true}
	for _, c := range []struct {
		text string
		p    cl.Physical
		want gpu.Arithmetic
	}{
		{"", cl.Physical{Kind: "gpu", Features: quick}, gpu.Arithmetic{Dot: true}},
		{"", cl.Physical{Kind: "gpu", Features: cl.Features{IntegerDot: true}}, gpu.Arithmetic{}},
		{"", cl.Physical{Kind: "cpu", Features: quick}, gpu.Arithmetic{}},
		{"nodot", cl.Physical{Kind: "gpu", Features: quick}, gpu.Arithmetic{}},
		{"store16", cl.Physical{Kind: "gpu", Features: quick}, gpu.Arithmetic{Dot: true, Store16: true}},
		{"dot,store16", cl.Physical{Kind: "cpu"}, gpu.Arithmetic{Dot: true, Store16: true}},
		{"dot", cl.Physical{Kind: "cpu"}, gpu.Arithmetic{Dot: true}},
	} {
		a, err := ParseArithmetic(c.text)
		if got := a.Of(&c.p); err != nil || got != c.want {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
	if _, err := ParseArithmetic("coop"); !errors.Is(err, gpu.ErrChoice) {
		t.Errorf("%v", err)
	}
}

// Kernels with dot products are compiled in a language that has them, where the device
// does; all others in the one that all devices have.
func TestLanguage(t *testing.T) {
	has := cl.Features{IntegerDot: true}
	for kernel, dots := range map[string]bool{"lineardot": true, "headdot": true, "linear": false, "round": false} {
		text, err := source(kernel)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			p    cl.Physical
			want string
		}{
			{cl.Physical{Version: "OpenCL 3.0 PoCL", Features: has}, "CL3.0"},
			{cl.Physical{Version: "OpenCL 2.1 a driver", Features: has}, "CL2.0"},
			{cl.Physical{Version: "OpenCL 1.2 a driver", Features: has}, "CL1.2"},
			{cl.Physical{Version: "OpenCL 3.0 PoCL"}, "CL1.2"},
		} {
			if !dots {
				c.want = "CL1.2"
			}
			if got := buildOptions(&c.p, text, false, []uint32{7}); !strings.HasPrefix(got, "-cl-std="+c.want+" ") {
				t.Errorf("%s on %q: %s, want %s", kernel, c.p.Version, got, c.want)
			}
		}
	}
}

// The same kernels compile in a later language and compute the same: those of a device
// that says it has dot products.
func TestDotInLaterLanguage(t *testing.T) {
	dot, err := ParseArithmetic(wayDot)
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, Options{Arithmetic: dot})
	if d.Physical().Major() < 3 {
		t.Skipf("%s has no OpenCL C 3.0", d.Physical().Name)
	}
	d.Physical().Features.IntegerDot = true
	registry, err := kernel.NewRegistry(d.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: "Linear", Workers: []int{1}, Taken: true, Part: 3, Parts: 797})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		if !r.Pass {
			t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
		}
	}
	for key := range d.programs {
		if key.kernel == kernelDot {
			return
		}
	}
	t.Errorf("%s was not used in %d cases", kernelDot, len(report.Results))
}

const kernelDot = "lineardot"
