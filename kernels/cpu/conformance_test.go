package cpu

import (
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/runtime/kernel"
)

// Every instruction set that this machine can be held to passes the suite; with
// -short, which is for emulators, each passes a share of it.
func TestConformance(t *testing.T) {
	all := levels(t)
	for i, f := range all {
		options := conformance.Options{Workers: []int{1, 7}, Allocations: testing.AllocsPerRun}
		if testing.Short() {
			options.Part, options.Parts = i, len(all)
			if underRace {
				options.Parts *= 4
			}
		}
		t.Run(f.String(), func(t *testing.T) {
			registry, err := kernel.NewRegistry(Kernels(f))
			if err != nil {
				t.Fatal(err)
			}
			report, err := conformance.Run(t.Context(), registry, options)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Results) == 0 {
				t.Fatal("no case was run")
			}
			for _, r := range report.Failed() {
				t.Errorf("%s %s: %s", r.Op, r.Case, r.Message)
			}
		})
	}
}
