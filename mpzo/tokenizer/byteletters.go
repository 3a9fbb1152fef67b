package tokenizer

import "unicode/utf8"

// Byte-level vocabularies spell each byte as one letter, so that their files are
// plain text: the 188 printable characters of Latin-1 stand for their own byte,
// and the 68 others, in order, are U+0100 to U+0143. The space is "Ġ".

// letterCount is one more than the last letter, U+0143.
const letterCount = 0x144

// printable reports whether a byte's letter is the character of its own value.
func printable(value int) bool {
	return value >= '!' && value <= '~' || value >= 0xa1 && value != 0xad
}

// letterTable maps both ways. It is built anew for each tokenizer: 1 KB.
type letterTable struct {
	letters [256]rune
	values  [letterCount]int16 // -1: not a letter
}

func newLetterTable() *letterTable {
	t := &letterTable{}
	for i := range t.values {
		t.values[i] = -1
	}
	next := rune(0x100)
	for value := range t.letters {
		letter := rune(value)
		if !printable(value) {
			letter = next
			next++
		}
		t.letters[value] = letter
		t.values[letter] = int16(value)
	}
	return t
}

// spell writes bytes as letters.
func (t *letterTable) spell(raw string) string {
	out := make([]byte, 0, 2*len(raw))
	for i := 0; i < len(raw); i++ {
		out = utf8.AppendRune(out, t.letters[raw[i]])
	}
	return string(out)
}

// bytes reads letters. Where a character is none it returns it and false.
func (t *letterTable) bytes(spelled string) (raw string, bad rune, ok bool) {
	out := make([]byte, 0, len(spelled))
	for _, r := range spelled {
		if r >= letterCount || t.values[r] < 0 {
			return "", r, false
		}
		out = append(out, byte(t.values[r]))
	}
	return string(out), 0, true
}
