package safetensors

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads the part of JSON that a header may use: objects, arrays,
// strings and whole numbers. encoding/json would drop the first of two equal
// keys without a word, and two readers of one file would then see two models.
// The data must be valid UTF-8; strings with escapes are resolved within them.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("header byte %d: %s: %w", s.pos, fmt.Sprintf(format, args...), ErrInvalid)
}

// skipSpace moves past JSON's white space.
func (s *scanner) skipSpace() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take moves past white space and then past c, if c comes next.
func (s *scanner) take(c byte) bool {
	s.skipSpace()
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) expect(c byte) error {
	if !s.take(c) {
		return s.fail("want %q", c)
	}
	return nil
}

// object reads {"key": value, …}, calling each with every key when its value
// comes next. Keys may be at most maxNameBytes long.
func (s *scanner) object(each func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if s.take('}') {
		return nil
	}
	for {
		key, err := s.text(maxNameBytes)
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := each(key); err != nil {
			return err
		}
		if s.take('}') {
			return nil
		}
		if err := s.expect(','); err != nil {
			return err
		}
	}
}

// array reads [number, …] of at most limit numbers, appending to into.
func (s *scanner) array(into []int64, limit int) ([]int64, error) {
	if err := s.expect('['); err != nil {
		return nil, err
	}
	if s.take(']') {
		return into, nil
	}
	for {
		if len(into) == limit {
			return nil, s.fail("more than %d numbers in a list", limit)
		}
		number, err := s.number()
		if err != nil {
			return nil, err
		}
		into = append(into, number)
		if s.take(']') {
			return into, nil
		}
		if err := s.expect(','); err != nil {
			return nil, err
		}
	}
}

// number reads a whole number from 0 to 2⁶³−1. Signs, fractions, exponents
// and leading zeros are errors: no writer has a reason for them here.
func (s *scanner) number() (int64, error) {
	s.skipSpace()
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	digits := s.data[start:s.pos]
	if len(digits) == 0 {
		return 0, s.fail("want a whole number")
	}
	if digits[0] == '0' && len(digits) > 1 {
		return 0, s.fail("number with leading zeros")
	}
	if len(digits) > 19 { // 2⁶³−1 has 19 digits; do not hand ParseInt a book
		return 0, s.fail("number of %d digits is too large", len(digits))
	}
	number, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, s.fail("number %s is too large", digits)
	}
	return number, nil
}

// text reads a string of at most limit bytes, escapes resolved.
func (s *scanner) text(limit int) (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			text := string(s.data[start:s.pos])
			s.pos++
			return text, nil
		case c == '\\':
			return s.escapedText(start, limit)
		case c < 0x20:
			return "", s.fail("control character 0x%02x in a string", c)
		}
		s.pos++
		if s.pos-start > limit {
			return "", s.fail("string longer than %d bytes", limit)
		}
	}
	return "", s.fail("string without an end")
}

// escapedText goes on with a string that began at start and whose first
// escape is at s.pos. It resolves escapes in place, each being longer than
// what it stands for, so that a long string costs no growing buffer.
func (s *scanner) escapedText(start, limit int) (string, error) {
	text := s.data[start:s.pos]
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		s.pos++
		switch {
		case c == '"':
			return string(text), nil
		case c < 0x20:
			return "", s.fail("control character 0x%02x in a string", c)
		case c == '\\':
			char, err := s.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, char)
		default:
			text = append(text, c)
		}
		if len(text) > limit {
			return "", s.fail("string longer than %d bytes", limit)
		}
	}
	return "", s.fail("string without an end")
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	if s.pos == len(s.data) {
		return 0, s.fail("string without an end")
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicodeEscape()
	}
	return 0, s.fail("unknown escape \\%c", c)
}

// unicodeEscape reads XXXX, or XXXX\uXXXX for a surrogate pair.
func (s *scanner) unicodeEscape() (rune, error) {
	first, err := s.hexUnit()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if s.pos+2 > len(s.data) || s.data[s.pos] != '\\' || s.data[s.pos+1] != 'u' {
		return 0, s.fail("half of a surrogate pair")
	}
	s.pos += 2
	second, err := s.hexUnit()
	if err != nil {
		return 0, err
	}
	char := utf16.DecodeRune(first, second)
	if char == utf8.RuneError {
		return 0, s.fail("half of a surrogate pair")
	}
	return char, nil
}

func (s *scanner) hexUnit() (rune, error) {
	if len(s.data)-s.pos < 4 {
		return 0, s.fail("string without an end")
	}
	unit, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 16)
	if err != nil {
		return 0, s.fail("want four hex digits after \\u")
	}
	s.pos += 4
	return rune(unit), nil
}
