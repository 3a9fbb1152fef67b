package phone

import (
	"fmt"
	"strings"
	"unicode"
)

// Quote makes one word of a POSIX shell of any text without a zero byte.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// quoteAll makes a command of words.
func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// Split cuts a command into words as a shell does, without expanding anything:
// spaces divide, '…' keeps all, "…" and a backslash keep what they hold.
func Split(command string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	escaped := false
	for _, c := range command {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case unicode.IsSpace(c):
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("%w: command %q: a %c has no partner", ErrName, command, quote)
	case escaped:
		return nil, fmt.Errorf("%w: command %q ends in a backslash", ErrName, command)
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}
