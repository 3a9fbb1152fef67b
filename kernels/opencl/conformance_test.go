package opencl

import (
	"errors"
	"os"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl/cl"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

// open opens the first usable device, or skips.
func open(t *testing.T) *Device { return openWith(t, Options{}) }

// openWith opens it with options.
func openWith(t *testing.T, o Options) *Device {
	t.Helper()
	list, err := cl.Devices()
	if errors.Is(err, cl.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range list {
		if p.Unusable != "" {
			continue
		}
		o.Index = i
		d, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return d
	}
	t.Skip("no usable device")
	return nil
}

// TestMain holds PoCL, which counts threads as the process begins, to one.
func TestMain(m *testing.M) {
	os.Setenv("POCL_MAX_PTHREAD_COUNT", "1")
	os.Exit(m.Run())
}

// A sample of the suite, the whole of which is what
// `zeroth conformance --backend opencl` runs: of products few cases, since PoCL
// takes seconds to compile a kernel that it has not met before.
func TestConformance(t *testing.T) { sampled(t, open(t), op.All(), 13, 197) }

// The same with activations in f16, of the ops that have any.
func TestConformanceInHalf(t *testing.T) {
	arithmetic, err := ParseArithmetic(gpu.WayStore16)
	if err != nil {
		t.Fatal(err)
	}
	d := openWith(t, Options{Arithmetic: arithmetic})
	var specs []*op.Spec
	for _, k := range d.Kernels() {
		if k.Half != (kernel.Operands{}) {
			s, _ := op.Lookup(k.Op)
			specs = append(specs, s)
		}
	}
	sampled(t, d, specs, 17, 557)
	inHalf := 0
	for key := range d.programs {
		if key.half {
			inHalf++
		}
	}
	if len(specs) < 13 || inHalf < len(specs) {
		t.Errorf("%d ops, %d kernels in f16", len(specs), inHalf)
	}
}

// sampled runs one case of so many of each op, or of one that multiplies with weights.
func sampled(t *testing.T, d *Device, specs []*op.Spec, parts, productParts int) {
	t.Helper()
	registry, err := kernel.NewRegistry(d.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		if strings.HasSuffix(s.Name, "Tangent") {
			continue // they are left to the CPU
		}
		o := conformance.Options{Op: s.Name, Workers: []int{1}, Part: 5, Parts: parts, Taken: true}
		if s.ID == op.Linear || s.ID == op.LinearLoRA || s.ID == op.CrossEntropyHead {
			o.Parts = productParts
		}
		report, err := conformance.Run(t.Context(), registry, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Results) == 0 {
			t.Errorf("no case of %s", s.Name)
		}
		for _, r := range report.Results {
			if !r.Pass {
				t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
			}
		}
	}
}

// Products by dot products of bytes are within the limits of rounded ones, whether the
// device has an instruction for them or not; also where copies are cut into groups,
// and activations are f16.
func TestDot(t *testing.T) {
	built := make(map[string]bool)
	for i, slots := range []int{0, 3} {
		arithmetic, err := ParseArithmetic(wayDot + []string{"", "," + gpu.WayStore16}[i])
		if err != nil {
			t.Fatal(err)
		}
		d := openWith(t, Options{Arithmetic: arithmetic, GPU: gpu.Options{Slots: slots}})
		registry, err := kernel.NewRegistry(d.Kernels())
		if err != nil {
			t.Fatal(err)
		}
		for name, parts := range map[string]int{"Linear": 397, "CrossEntropyHead": 197} { // LinearLoRA, too
			report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: name, Workers: []int{1}, Taken: true, Part: 3 + i, Parts: parts})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				if !r.Pass {
					t.Errorf("%d slots: %s %s: %s", slots, r.Op, r.Case, r.Message)
				}
			}
		}
		for key := range d.programs {
			built[key.kernel] = true
		}
	}
	for _, name := range []string{"round", "lineardot", "headdot"} {
		if !built[name] {
			t.Errorf("%s was not used", name)
		}
	}
}

// A larger tile than a processor gets computes the same, whole tiles and edges.
func TestLargeTile(t *testing.T) {
	if testing.Short() {
		t.Skip("PoCL takes half a minute to compile it")
	}
	registry, err := kernel.NewRegistry(openWith(t, Options{GPU: gpu.Options{Tile: gpu.Tile{A: 8, B: 4}}}).Kernels())
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Run(t.Context(), registry, conformance.Options{Op: "Linear", Workers: []int{1}, Part: 5, Parts: 397})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		if !r.Pass {
			t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
		}
	}
	if len(report.Results) < 2 {
		t.Errorf("%d cases", len(report.Results))
	}
}
