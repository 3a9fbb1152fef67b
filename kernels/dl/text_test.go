package dl

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for written, want := range map[string]string{
		"a card\x00and what lay behind it": "a card",
		"  two\nlines\t":                   "two lines",
		"\x1b[31mred\x07":                  "?[31mred?",
		"right \u202eto left":              "right ?to left",
		"broken \xff\xfe":                  "broken ??",
		"":                                 "",
	} {
		if got := Text([]byte(written), 256); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
	const most = 255 // in the middle of a letter
	long := Text(bytes.Repeat([]byte("é"), most), most)
	if len(long) > most || !utf8.ValidString(long) {
		t.Errorf("%d bytes: %q", len(long), long)
	}
}
