package cpu

import (
	"errors"
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
