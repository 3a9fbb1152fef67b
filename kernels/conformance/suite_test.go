package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"zeroth/kernels/ref"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/platform"
)

func registry(t *testing.T, kernels ...kernel.Kernel) *kernel.Registry {
	t.Helper()
	r, err := kernel.NewRegistry(ref.Kernels(), kernels)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPlainKernelsPass(t *testing.T) {
	report := examined(t, registry(t), Options{Allocations: testing.AllocsPerRun})
	if len(report.Results) != len(Cases()) {
		t.Errorf("%d results of %d cases", len(report.Results), len(Cases()))
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
	}
	for _, r := range report.Results {
		if r.NMSE != 0 {
			t.Errorf("%s %s: the plain kernel differs from itself by %g", r.Op, r.Case, r.NMSE)
		}
	}
	t.Logf("%d cases", len(report.Results))
}

// Every op has a plain kernel and cases, and the cases of an op meet each
// layout, width, optional input and boolean attribute that it has.
func TestTableIsComplete(t *testing.T) {
	plain := make(map[op.ID]bool)
	for _, k := range ref.Kernels() {
		plain[k.Op] = true
	}
	seen := make(map[string]bool)
	for _, c := range Cases() {
		seen[c.Op.String()] = true
		seen[fmt.Sprintf("%s with %d inputs", c.Op, len(c.In))] = true
		for i, in := range c.In {
			seen[fmt.Sprintf("%s input %d wide %v", c.Op, i, in.Type.Wide)] = true
			seen[fmt.Sprintf("%s input %d %s", c.Op, i, in.Type.Layout)] = true
		}
		for _, a := range c.Attrs {
			seen[fmt.Sprintf("%s %s", c.Op, a)] = true
		}
	}
	want := func(format string, args ...any) {
		if what := fmt.Sprintf(format, args...); !seen[what] {
			t.Errorf("no case of %s", what)
		}
	}
	for _, s := range op.All() {
		if !plain[s.ID] {
			t.Errorf("%s has no plain kernel", s.Name)
		}
		want("%s", s.Name)
		for missing := range s.Optional + 1 {
			want("%s with %d inputs", s.Name, len(s.Inputs)-missing)
		}
		for i, p := range s.Inputs {
			if !p.Wide {
				want("%s input %d wide false", s.Name, i)
			}
			if !p.Narrow {
				want("%s input %d wide true", s.Name, i)
			}
			want("%s input %d rows", s.Name, i)
			if p.Panels {
				want("%s input %d panels16", s.Name, i)
			}
		}
		for _, a := range s.Attrs {
			if a.Kind == op.Int && a.Max <= 2 {
				for v := int(a.Min); v <= int(a.Max); v++ {
					want("%s %s=%d", s.Name, a.Name, v)
				}
			}
		}
	}
}

func TestCaseNamesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range Cases() {
		name := c.Op.String() + " " + c.Name
		if seen[name] {
			t.Errorf("two cases are called %s", name)
		}
		seen[name] = true
		if exact := c.Op == op.Gather || c.Op == op.UpdateLoRA; exact && !c.Exact() {
			t.Errorf("%s does not demand equal bits", name)
		}
	}
}

func TestOpFilterAndWorkers(t *testing.T) {
	report := examined(t, registry(t), Options{Op: "lora", Workers: []int{3}})
	ops := make(map[string]bool)
	for _, s := range report.Summaries() {
		ops[s.Op] = true
		if s.Cases == 0 || s.Failed > 0 {
			t.Errorf("summary %+v", s)
		}
	}
	if !reflect.DeepEqual(ops, map[string]bool{"LinearLoRA": true, "UpdateLoRA": true, "LoRATangent": true}) {
		t.Errorf("ops %v", ops)
	}
	if n := len(examined(t, registry(t), Options{Op: "no such op"}).Results); n != 0 {
		t.Errorf("%d results of no op", n)
	}
}

func TestEveryExaminesAllKernels(t *testing.T) {
	other := ref.Kernels()[7]
	other.Name, other.Cost = "add_other", 1
	other.Supports = func(in []op.Type, _ op.Attrs) bool { return in[0].Wide }
	r := registry(t, other)
	counts := make(map[string]int)
	for _, result := range examined(t, r, Options{Op: "add", Every: true, Workers: []int{1}}).Results {
		counts[result.Kernel]++
	}
	if counts["add_other"] == 0 || counts["add_f32_ref"] <= counts["add_other"] {
		t.Errorf("results by kernel: %v", counts)
	}
	picked := make(map[string]int)
	for _, result := range examined(t, r, Options{Op: "add", Workers: []int{1}}).Results {
		picked[result.Kernel]++
	}
	if picked["add_other"] != counts["add_other"] || picked["add_f32_ref"] != counts["add_f32_ref"]-counts["add_other"] {
		t.Errorf("picks %v beside results %v", picked, counts)
	}
}

func TestMissingKernelFails(t *testing.T) {
	r, err := kernel.NewRegistry(ref.Kernels()[:2])
	if err != nil {
		t.Fatal(err)
	}
	report := examined(t, r, Options{Op: "weightedsum"})
	if len(report.Results) == 0 || len(report.Failed()) != len(report.Results) {
		t.Errorf("%d of %d cases failed without a kernel", len(report.Failed()), len(report.Results))
	}
}

// examined is Run where its pools can be had.
func examined(t *testing.T, registry *kernel.Registry, options Options) Report {
	t.Helper()
	report, err := Run(t.Context(), registry, options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// Kernels are examined on the CPUs that are named, or not at all.
func TestRunOnCPUs(t *testing.T) {
	_, err := Run(t.Context(), registry(t), Options{Op: "add", CPUs: platform.CPUs{1023}})
	if !errors.Is(err, platform.ErrCPUs) {
		t.Errorf("CPU 1023: %v", err)
	}
	if err := (platform.CPUs{0}).Check(); err != nil {
		t.Skip(err)
	}
	report := examined(t, registry(t), Options{Op: "add", CPUs: platform.CPUs{0}, Allocations: testing.AllocsPerRun})
	if len(report.Results) == 0 || len(report.Failed()) > 0 {
		t.Errorf("%d results, failed: %v", len(report.Results), report.Failed())
	}
}

func TestRunEndsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := Run(ctx, registry(t), Options{}); !errors.Is(err, context.Canceled) || len(report.Results) > 0 {
		t.Errorf("%d results, error %v", len(report.Results), err)
	}
}
