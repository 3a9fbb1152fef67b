package bytesize

import (
	"math"
	"testing"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		bytes         float64
		short, longer string
	}{
		{0, "0 B", "0 B"},
		{1, "1 B", "1 B"},
		{640, "640 B", "640 B"},
		{1023, "1023 B", "1023 B"},
		{1024, "1 KiB", "1 KiB"},
		{1536, "1.5 KiB", "1.5 KiB"},
		{100 << 10, "100 KiB", "100 KiB"},
		{1<<20 - 1, "1 MiB", "1023.999 KiB"},
		{1<<30 - 1, "1 GiB", "1 GiB"},
		{14477504, "13.8 MiB", "13.807 MiB"},
		{5 << 30, "5 GiB", "5 GiB"},
		{1 << 60, "1 EiB", "1 EiB"},
		{1e22, "8673.6 EiB", "8673.617 EiB"},
		{-2048, "-2 KiB", "-2 KiB"},
	} {
		if have := Format(c.bytes); have != c.short {
			t.Errorf("%g: %s, want %s", c.bytes, have, c.short)
		}
		if have := Precise(c.bytes); have != c.longer {
			t.Errorf("%g: %s, want %s", c.bytes, have, c.longer)
		}
	}
	if have := Format(int64(math.MaxInt64)); have != "8 EiB" {
		t.Error(have)
	}
}
