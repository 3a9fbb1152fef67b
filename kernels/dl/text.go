package dl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes a line that can be shown of what a library wrote: up to its zero, at
// most most bytes of it, blanks for the ends of lines and tabs, and a question
// mark for whatever a terminal might obey.
func Text(written []byte, most int) string {
	written = written[:min(len(written), most)]
	s, _, _ := strings.Cut(string(written), "\x00")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
