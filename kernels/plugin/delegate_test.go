package plugin

import (
	"testing"

	"zeroth/kernels/conformance"
)

func plainDelegate(t *testing.T) string {
	t.Helper()
	return build(t, example(t, "plain"), []string{"-O2", "-Wextra", "-lm"})
}

func TestDelegatePassesTheSuite(t *testing.T) {
	p := open(t, plainDelegate(t), Options{})
	if p.HasKernels() || !p.HasDelegate() || p.Kernels() != nil {
		t.Errorf("levels %q", p.Levels())
	}
	report := examine(t, p.DelegateKernels(), conformance.Options{Workers: []int{1, 2}})
	if len(report.Results) < 300 {
		t.Errorf("only %d cases, %d passed over", len(report.Results), report.Untaken)
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
	}
}
