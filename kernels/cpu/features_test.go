package cpu

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// everything is a machine that no architecture could build.
var everything = Features{
	AVX2: true, AVXVNNI: true, AVX512: true, AVX512VNNI: true, AVX512BF16: true,
	NEON: true, DotProd: true, I8MM: true, BF16: true,
}

func TestLimit(t *testing.T) {
	for level, want := range map[string]Features{
		"generic":    {},
		"avx2":       {AVX2: true},
		"avxvnni":    {AVX2: true, AVXVNNI: true},
		"avx512":     {AVX2: true, AVX512: true},
		"avx512vnni": {AVX2: true, AVX512: true, AVX512VNNI: true},
		"avx512bf16": {AVX2: true, AVX512: true, AVX512VNNI: true, AVX512BF16: true},
		"neon":       {NEON: true},
		"dotprod":    {NEON: true, DotProd: true},
		"i8mm":       {NEON: true, DotProd: true, I8MM: true},
		"bf16":       {NEON: true, DotProd: true, I8MM: true, BF16: true},
	} {
		got, err := everything.Limit(level)
		if err != nil || got != want || got.String() != level {
			t.Errorf("Limit(%q) = %v (%s), %v", level, got, got, err)
		}
		if reached := got.Reached(); reached[0] != "generic" || reached[len(reached)-1] != level {
			t.Errorf("%q reaches %q", level, reached)
		}
		if again, err := got.Limit(level); err != nil || again != got {
			t.Errorf("Limit(%q) twice: %v, %v", level, again, err)
		}
		if _, err := (Features{}).Limit(level); (err == nil) != (level == "generic") {
			t.Errorf("Limit(%q) of a plain machine: %v", level, err)
		}
	}
	_, err := everything.Limit("sse2")
	if !errors.Is(err, ErrFeature) || !strings.Contains(err.Error(), strings.Join(Levels(), ", ")) {
		t.Errorf("Limit(sse2): %v", err)
	}
}

// Each single feature that a machine lacks must keep it off every level that
// needs it, and off no other.
func TestLevelsNeedEachOfTheirFeatures(t *testing.T) {
	for field := range reflect.TypeFor[Features]().NumField() {
		without := everything
		reflect.ValueOf(&without).Elem().Field(field).SetBool(false)
		lost := 0
		for _, name := range Levels() {
			full, err := everything.Limit(name)
			if err != nil {
				t.Fatal(err)
			}
			needs := reflect.ValueOf(full).Field(field).Bool()
			if _, err := without.Limit(name); (err != nil) != needs {
				t.Errorf("%s without %s: %v", name, reflect.TypeFor[Features]().Field(field).Name, err)
			}
			if needs {
				lost++
			}
		}
		if lost == 0 {
			t.Errorf("no level has %s", reflect.TypeFor[Features]().Field(field).Name)
		}
	}
}

// A processor can have AVX-VNNI, AVX-512, or both.
func TestNameOfAMachine(t *testing.T) {
	for want, f := range map[string]Features{
		"avxvnni":    {AVX2: true, AVXVNNI: true},
		"avx512bf16": {AVX2: true, AVXVNNI: true, AVX512: true, AVX512VNNI: true, AVX512BF16: true},
		"avx512vnni": {AVX2: true, AVXVNNI: true, AVX512: true, AVX512VNNI: true},
		"dotprod":    {NEON: true, DotProd: true, BF16: true},
	} {
		if f.String() != want {
			t.Errorf("%+v is called %s, want %s", f, f, want)
		}
	}
}

func TestDetectKeepsToItsArchitecture(t *testing.T) {
	f := Detect()
	amd64, arm64 := Features{AVX2: f.AVX2, AVXVNNI: f.AVXVNNI, AVX512: f.AVX512, AVX512VNNI: f.AVX512VNNI, AVX512BF16: f.AVX512BF16},
		Features{NEON: f.NEON, DotProd: f.DotProd, I8MM: f.I8MM, BF16: f.BF16}
	switch runtime.GOARCH {
	case "amd64":
		if arm64 != (Features{}) {
			t.Errorf("arm64 features: %+v", arm64)
		}
	case "arm64":
		if amd64 != (Features{}) || !f.NEON {
			t.Errorf("%+v", f)
		}
	default:
		if f != (Features{}) {
			t.Errorf("%+v", f)
		}
	}
	if DetectedFrom() == "" {
		t.Error("the source of the features is not named")
	}
}

// Every row of routines is for a level, so that a cap can choose it.
func TestEveryRowIsALevel(t *testing.T) {
	for _, row := range archRoutines() {
		if f, err := everything.Limit(row.needs.String()); err != nil || f != row.needs {
			t.Errorf("the row with %s needs %+v, which is no level", row.gemm.name, row.needs)
		}
		if used := Used(row.needs); used != row.needs {
			t.Errorf("at %s the routines of %s are chosen", row.needs, used)
		}
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
	least, err := everything.Limit(name)
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
	for name, want := range map[string]error{
		"": nil, "generic": nil, "avx2": ErrFeature, "avx512vnni": ErrFeature, "neon": ErrFeature, "i8mm": ErrFeature, "turbo": ErrFeature,
	} {
		if err := required(name); !errors.Is(err, want) {
			t.Errorf("generic where %q is required: %v", name, err)
		}
	}
}
