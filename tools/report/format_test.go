package report

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFormats(t *testing.T) {
	cases := []struct{ got, want string }{
		{formatCount(0), "0"},
		{formatCount(999), "999"},
		{formatCount(1000), "1,000"},
		{formatCount(-1234567), "-1,234,567"},
		{formatCount(math.MinInt64), "-9,223,372,036,854,775,808"},
		{formatSeconds(0), "0 s"},
		{formatSeconds(4.158e-6), "4.16 µs"},
		{formatSeconds(0.0932), "93.2 ms"},
		{formatSeconds(35.59), "35.6 s"},
		{formatSeconds(4000), "66.7 min"},
		{formatSeconds(90000), "25.0 h"},
		{formatValue(0.51234), "0.5123"},
		{formatValue(0), "0.0000"},
		{formatValue(1.5e-7), "1.5e-07"},
		{formatPercent(0.756), "75.6 %"},
		{plural(1, "step"), "1 step"},
		{plural(2000, "step"), "2,000 steps"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	cases := []struct{ in, want string }{
		{"model.layers.0", "model.layers.0"},
		{"a\nb\tc", "a b c"},
		{"a\x00b", "a\ufffdb"},
		{"a\xffb", "a\ufffdb"},
		{"a\u202eb", "a\ufffdb"},
		{"abcdefghijklmnop", "abcdef…nop"},
		{"日本語日本語日本語日本語", "日本語日本語…日本語"},
	}
	for _, c := range cases {
		limit := 10
		if !strings.Contains(c.want, "…") {
			limit = 40
		}
		if got := clean(c.in, limit); got != c.want {
			t.Errorf("clean(%q) is %q, want %q", c.in, got, c.want)
		}
	}
	long := "head" + strings.Repeat("é", 1<<20) + "tail"
	got := clean(long, 100)
	if utf8.RuneCountInString(got) != 100 || !strings.HasPrefix(got, "head") || !strings.HasSuffix(got, "tail") || strings.ContainsRune(got, utf8.RuneError) {
		t.Errorf("a long string became %q", got)
	}
}
