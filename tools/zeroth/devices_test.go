package main

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"zeroth/kernels/conformance"
	"zeroth/kernels/cpu"
	"zeroth/kernels/ref"
	"zeroth/runtime/platform"
)

func TestLevelReason(t *testing.T) {
	f := func(level string) cpu.Features {
		// A processor of another architecture has no kernels here: it uses none.
		everything := cpu.Features{
			AVX2: true, AVXVNNI: true, AVX512: true, AVX512VNNI: true, AVX512BF16: true,
			NEON: true, DotProd: true, I8MM: true, BF16: true,
		}
		limited, err := everything.Limit(level)
		if err != nil {
			t.Fatal(err)
		}
		return limited
	}
	here, foreign := "avx2", "neon"
	switch runtime.GOARCH {
	case "arm64":
		here, foreign = "neon", "avx2"
	case "amd64":
	default:
		t.Skip("no kernels for this architecture")
	}
	for _, c := range []struct{ detected, limited, want string }{
		{here, here, "the highest that the machine reaches"},
		{here, "generic", "ZEROTH_CPU=generic holds it down; the machine reaches " + here},
		{foreign, foreign, "the highest that kernels are written for; the machine reaches " + foreign},
		{"bf16", foreign, "the highest that kernels are written for, up to ZEROTH_CPU=" + foreign + "; the machine reaches bf16"},
	} {
		if c.detected == "bf16" && here == "neon" {
			continue
		}
		if got := levelReason(f(c.detected), f(c.limited)); got != c.want {
			t.Errorf("%s limited to %s: %q, want %q", c.detected, c.limited, got, c.want)
		}
	}
}

func TestDescribeCluster(t *testing.T) {
	for want, c := range map[string]platform.Cluster{
		"2 (CPUs 0-1)": {CPUs: platform.CPUs{0, 1}},
		"3 (CPUs 4-6) Cortex-A78, capacity 871, 2.42 GHz, L1d 64 KiB, L2 512 KiB": {
			CPUs:     platform.CPUs{4, 5, 6},
			CoreKind: platform.CoreKind{Core: "Cortex-A78", Capacity: 871, MaxKHz: 2419200, L1dBytes: 64 << 10, L2Bytes: 512 << 10},
		},
	} {
		if got := describeCluster(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Every op of the suite is listed, with every type of weights it has cases for.
func TestPickedKernels(t *testing.T) {
	list, err := pickedKernels(ref.Kernels())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range conformance.Cases() {
		w := weightType(c.Types()).String()
		if !slices.ContainsFunc(list, func(p pickedKernel) bool {
			return p.Op == c.Op.String() && slices.Contains(p.Weights, w) && strings.HasSuffix(p.Kernel, "_ref")
		}) {
			t.Fatalf("%s of %s is missing", c.Op, w)
		}
	}
	if _, err := pickedKernels(ref.Kernels()[1:]); err == nil {
		t.Error("an op without a kernel is passed over")
	}
}
