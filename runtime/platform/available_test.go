package platform

import (
	"runtime"
	"testing"
)

func TestParseMemoryInfo(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
	}{
		{"MemTotal:       24632168 kB\nMemFree: 1 kB\n", 24632168 << 10},
		{"MemFree: 1 kB\nMemTotal: 5 kB", 5 << 10},
		{"MemTotal: 5 MB\n", 0},
		{"MemTotal: -5 kB\n", 0},
		{"MemTotal: 99999999999999999999 kB\n", 0},
		{"", 0},
	} {
		if have := parseMemoryInfo(c.text, "MemTotal"); have != c.want {
			t.Errorf("%q: %d, want %d", c.text, have, c.want)
		}
	}
}

func TestMemoryOfThisMachine(t *testing.T) {
	available, physical := AvailableBytes(), PhysicalBytes()
	if runtime.GOOS != "linux" && runtime.GOOS != "android" {
		t.Skip("skipped: this system does not tell")
	}
	if available <= 0 || available > physical {
		t.Errorf("%d of %d bytes are available", available, physical)
	}
}
