package cpu

import (
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/runtime/kernel"
)

// Shares of the table. Primes, since cases of a kind come at regular distances.
const (
	shortParts = 23
	raceParts  = 31
)

// Every instruction set that this machine can be held to passes the suite; with
// -short, which is for emulators, each passes a share of it (the bits of all cases
// are held to the file by TestSameBitsEverywhere), and a smaller one, by many
// workers alone, under the race detector.
func TestConformance(t *testing.T) {
	all := levels(t)
	for i, f := range all {
		options := conformance.Options{Workers: []int{1, 7}, Allocations: testing.AllocsPerRun}
		if testing.Short() {
			options.Part, options.Parts = i, shortParts
		}
		if underRace {
			options.Part, options.Parts, options.Workers = i, raceParts, []int{7}
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
