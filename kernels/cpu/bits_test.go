package cpu

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
)

var updateBits = flag.Bool("update-bits", false, "write testdata/bits.txt anew from the levels of this machine")

// bitsFile has a line for each op and type of weights: "op weights cases sum
// generic-sum", the sums being conformance.Digest's of every vector level and of
// plain Go.
const bitsFile = "testdata/bits.txt"

// Every level of every architecture computes the same bits, so that a run can go
// from one machine to another: all with fused multiply-adds alike, plain Go like
// plain Go. Only products by the processor's own bfloat16 stand apart.
func TestSameBitsEverywhere(t *testing.T) {
	if underRace {
		t.Skip("skipped: the race detector changes no bits")
	}
	if *updateBits {
		writeBits(t)
	}
	raw, err := os.ReadFile(bitsFile)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range levels(t) {
		if testing.Short() && i > 0 && i < len(levels(t))-1 {
			continue // an emulator takes long: the plain level and the best one
		}
		t.Run(f.String(), func(t *testing.T) {
			column := 3
			if f == (Features{}) {
				column = 4
			}
			own := map[string]bool{}
			for _, d := range digests(t, f) {
				own[d.Op+" "+d.Weights] = true
				line := lineOf(string(raw), d)
				switch {
				case d.Weights == op.BF16.String() && choose(f).codesFor(op.BF16) != nil && usesCodes(d.Op):
				case line == nil || line[2] != fmt.Sprint(d.Cases):
					t.Errorf("%s %s: %s does not know its %d cases: on a machine with AVX2, go test ./kernels/cpu -run SameBits -update-bits", d.Op, d.Weights, bitsFile, d.Cases)
				case line[column] != d.Sum:
					t.Errorf("%s %s: the bits are %s, elsewhere they are %s", d.Op, d.Weights, d.Sum, line[column])
				}
			}
			for line := range strings.Lines(string(raw)) {
				if words := strings.Fields(line); !own[words[0]+" "+words[1]] {
					t.Errorf("%s: %s has no cases with %s any more", bitsFile, words[0], words[1])
				}
			}
		})
	}
}

func usesCodes(name string) bool {
	return name == "Linear" || name == "LinearLoRA" || name == "CrossEntropyHead"
}

// lineOf finds the words of a digest's line.
func lineOf(text string, d conformance.Digest) []string {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) == 5 && words[0] == d.Op && words[1] == d.Weights {
			return words
		}
	}
	return nil
}

func digests(t *testing.T, f Features) []conformance.Digest {
	t.Helper()
	registry, err := kernel.NewRegistry(Kernels(f))
	if err != nil {
		t.Fatal(err)
	}
	list, err := conformance.Digests(t.Context(), registry, "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// writeBits writes the file from plain Go and the level above it.
func writeBits(t *testing.T) {
	all := levels(t)
	if len(all) < 2 {
		t.Fatal("this machine has no vector level")
	}
	plain, vector := digests(t, all[0]), digests(t, all[1])
	var b strings.Builder
	for i, d := range vector {
		fmt.Fprintf(&b, "%s %s %d %s %s\n", d.Op, d.Weights, d.Cases, d.Sum, plain[i].Sum)
	}
	if err := os.MkdirAll("testdata", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bitsFile, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}
