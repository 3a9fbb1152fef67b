package main

import "testing"

func TestMemTotal(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"MemTotal:       24632168 kB\nMemFree: 1 kB\n", 24632168 << 10, true},
		{"MemFree: 1 kB\nMemTotal: 5 kB", 5 << 10, true},
		{"MemTotal: 5 MB\n", 0, false},
		{"MemTotal: -5 kB\n", 0, false},
		{"MemTotal: 99999999999999999999 kB\n", 0, false},
		{"", 0, false},
	} {
		have, ok := memTotal(c.text)
		if ok != c.ok || ok && have != c.want {
			t.Errorf("%q: %d %t, want %d %t", c.text, have, ok, c.want, c.ok)
		}
	}
}

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
