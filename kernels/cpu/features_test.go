package cpu

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestLimit(t *testing.T) {
	all := Features{AVX2: true, AVX512: true, NEON: true}
	for level, want := range map[string]Features{
		"generic": {}, "avx2": {AVX2: true}, "avx512": {AVX2: true, AVX512: true}, "neon": {NEON: true},
	} {
		got, err := all.Limit(level)
		if err != nil || got != want || got.String() != level {
			t.Errorf("Limit(%q) = %v (%s), %v", level, got, got, err)
		}
		if _, err := (Features{}).Limit(level); (err == nil) != (level == "generic") {
			t.Errorf("Limit(%q) of a plain machine: %v", level, err)
		}
	}
	_, err := all.Limit("sse2")
	if !errors.Is(err, ErrFeature) || !strings.Contains(err.Error(), "generic, avx2, avx512, neon") {
		t.Errorf("Limit(sse2): %v", err)
	}
}

func TestDetectLimited(t *testing.T) {
	t.Setenv(LimitVariable, "generic")
	if f, err := DetectLimited(); err != nil || f != (Features{}) {
		t.Errorf("generic: %v, %v", f, err)
	}
	t.Setenv(LimitVariable, "turbo")
	if _, err := DetectLimited(); !errors.Is(err, ErrFeature) || !strings.Contains(err.Error(), LimitVariable) {
		t.Errorf("turbo: %v", err)
	}
	t.Setenv(LimitVariable, "")
	if f, err := DetectLimited(); err != nil || f != Detect() {
		t.Errorf("unset: %v, %v", f, err)
	}
}

// requireVariable names the environment variable that holds the least
// instruction set with which these tests may pass (see doc.go).
const requireVariable = "ZEROTH_CPU_REQUIRE"

// required fails unless the machine as it is limited reaches the named level
// and the routines chosen for it need that level; an empty name asks nothing.
func required(name string) error {
	if name == "" {
		return nil
	}
	least, err := Features{AVX2: true, AVX512: true, NEON: true}.Limit(name)
	if err != nil {
		return err
	}
	f, err := DetectLimited()
	if err != nil {
		return err
	}
	if chosen := choose(f).needs; !f.covers(least) || !chosen.covers(least) {
		return fmt.Errorf("%w: %s is required, %s was detected and %s chosen", ErrFeature, name, f, chosen)
	}
	return nil
}

// A fallback to lesser kernels must not pass unseen where the machine is known.
func TestRequiredLevel(t *testing.T) {
	if err := required(os.Getenv(requireVariable)); err != nil {
		t.Errorf("environment variable %s: %v", requireVariable, err)
	}
}

func TestRequired(t *testing.T) {
	t.Setenv(LimitVariable, "")
	for _, f := range levels(t) {
		if err := required(f.String()); err != nil {
			t.Errorf("this machine reaches %s: %v", f, err)
		}
	}
	t.Setenv(LimitVariable, "generic")
	for name, want := range map[string]error{"": nil, "generic": nil, "avx2": ErrFeature, "avx512": ErrFeature, "neon": ErrFeature, "turbo": ErrFeature} {
		if err := required(name); !errors.Is(err, want) {
			t.Errorf("generic where %q is required: %v", name, err)
		}
	}
}
