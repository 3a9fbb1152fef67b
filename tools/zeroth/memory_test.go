package main

import "testing"

func TestFormatBytes(t *testing.T) {
	for _, c := range []struct {
		bytes int64
		want  string
	}{
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{1 << 20, "1.0 MiB"},
		{5 << 30, "5.0 GiB"},
		{1 << 40, "1.0 TiB"},
		{1 << 60, "1048576.0 TiB"},
	} {
		if have := formatBytes(c.bytes); have != c.want {
			t.Errorf("%d: %s, want %s", c.bytes, have, c.want)
		}
	}
}
