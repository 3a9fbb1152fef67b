package phone

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for command, want := range map[string][]string{
		"":                                 {},
		"train m.zpt --steps 20":           {"train", "m.zpt", "--steps", "20"},
		"  train \t 'a b'  \"c d\" e\\ f ": {"train", "a b", "c d", "e f"},
		`a'b'"c"d`:                         {"abcd"},
		`'' ""`:                            {"", ""},
		`'\' "\""`:                         {`\`, `"`},
		"ü 'ß'":                            {"ü", "ß"},
	} {
		got, err := Split(command)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", command, got, err, want)
		}
	}
	for _, command := range []string{"'a", `"a`, `a\`} {
		if got, err := Split(command); !errors.Is(err, ErrName) {
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
}

// Every text comes through a shell as one word, and through Split.
func FuzzQuote(f *testing.F) {
	for _, text := range []string{"", "a b", "it's", "$(reboot)", "`reboot`", "-n", "\\", "a\nb", "*", "~", "ü;&|<>", "\x80"} {
		f.Add(text)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("skipped: no sh")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			return
		}
		out, err := exec.Command(sh, "-c", "printf %s "+Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q came through as %q, %v", text, out, err)
		}
		if strings.ToValidUTF8(text, "") != text {
			return
		}
		if words, err := Split(Quote(text)); err != nil || len(words) != 1 || words[0] != text {
			t.Errorf("%q was split into %q, %v", text, words, err)
		}
	})
}
