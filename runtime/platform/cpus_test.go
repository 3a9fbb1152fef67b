package platform

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestParseCPUs(t *testing.T) {
	for list, want := range map[string]CPUs{
		"0": {0}, "0-3,6": {0, 1, 2, 3, 6}, "6,0-3": {0, 1, 2, 3, 6}, "1-1": {1}, "2,1-3,2": {1, 2, 3}, "1023": {1023},
	} {
		got, err := ParseCPUs(list)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", list, got, err, want)
		}
	}
	for _, list := range []string{
		"", ",", "0,", "-1", "1-", "3-1", "a", "0x1", "0 1", " 0", "+1", "1024", "99999999999999999999", "0-3-5", "0-1024", strings.Repeat("0-1023,", 9) + "0",
	} {
		if got, err := ParseCPUs(list); !errors.Is(err, ErrCPUs) {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
}

func TestCPUsString(t *testing.T) {
	for want, cpus := range map[string]CPUs{"": nil, "5": {5}, "0-1": {0, 1}, "0-2,4,6-7": {0, 1, 2, 4, 6, 7}} {
		if cpus.String() != want {
			t.Errorf("%v is written %q, want %q", []int(cpus), cpus, want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var cpus CPUs
		for cpu := range 64 {
			if rng.IntN(3) > 0 {
				cpus = append(cpus, cpu)
			}
		}
		if again, err := ParseCPUs(cpus.String()); len(cpus) > 0 && (err != nil || !slices.Equal(again, cpus)) {
			t.Errorf("%v read as %v, %v", cpus, again, err)
		}
	}
}

func TestPinningElsewhere(t *testing.T) {
	if runtime.GOOS == "linux" || runtime.GOOS == "android" {
		t.Skip("this system can")
	}
	_, err := NewPinnedPool(CPUs{0}, 0)
	if !errors.Is(err, ErrCPUs) || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), runtime.GOOS) {
		t.Error(err)
	}
}

func FuzzParseCPUs(f *testing.F) {
	for _, list := range []string{"0-3,6", "1", "0-", "5-2", ",", "0-1023,0-1023"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		cpus, err := ParseCPUs(list)
		if err != nil {
			return
		}
		if again, err := ParseCPUs(cpus.String()); err != nil || !slices.Equal(again, cpus) {
			t.Errorf("%q is %v, read again as %v, %v", list, cpus, again, err)
		}
	})
}
