package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Byte-level BPE cuts a text into words before it merges, by a regular
// expression that is part of the model. Each is written out by hand here: Go's
// regexp has no lookahead. The expressions match at every position, so that the
// words joined are the text. A byte that is not UTF-8 counts as a character
// that is neither letter, number nor space.

const (
	// patternGPT2 is GPT-2's expression; also RoBERTa's, OPT's and GPT-NeoX's.
	patternGPT2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

	// patternLlama3 is Llama 3's.
	patternLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

	// patternQwen2 is that of Qwen2, 2.5 and 3: every digit is a word.
	patternQwen2 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

	// patternCL100K and patternCL100KShort are OpenAI's cl100k_base, which cuts
	// as Llama 3's does: its possessive quantifiers stand where giving back
	// could not help, and \s*[\r\n] ends at the same newline.
	patternCL100K      = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`
	patternCL100KShort = `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`
)

// splitOfPattern names the splitter of an expression, or "".
func splitOfPattern(pattern string) string {
	switch pattern {
	case patternGPT2:
		return splitGPT2
	case patternLlama3, patternCL100K, patternCL100KShort:
		return splitLlama3
	case patternQwen2:
		return splitQwen2
	}
	return ""
}

// The names of the splitting steps, as recipes store them.
const (
	splitGPT2   = "gpt2"
	splitLlama3 = "llama3"
	splitQwen2  = "qwen2"
	splitDigits = "digits" // runs of numbers apart from the rest
	splitDigit  = "digit"  // every number apart

	// prefixSpace is no cut: it puts a space in front of a text without one.
	prefixSpace = "prefix-space"
)

// splitter returns the size in bytes, at least 1, of the first word of text,
// which must not be empty.
type splitter func(text string) int

// splitterOf returns the splitter of a name.
func splitterOf(name string) (splitter, bool) {
	switch name {
	case splitGPT2:
		return nextGPT2, true
	case splitLlama3:
		return func(text string) int { return nextCL100K(text, 3) }, true
	case splitQwen2:
		return func(text string) int { return nextCL100K(text, 1) }, true
	case splitDigits:
		return func(text string) int { return nextDigits(text, len(text)) }, true
	case splitDigit:
		return func(text string) int { return nextDigits(text, 1) }, true
	}
	return nil, false
}

// class is what the expressions tell characters apart by.
type class uint8

const (
	classOther  class = iota // [^\s\p{L}\p{N}]
	classSpace               // \s: White_Space
	classLetter              // \p{L}
	classNumber              // \p{N}
)

// classAt returns the class and size of the first character of text, size 0 at
// the end.
func classAt(text string) (class, int) {
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case size == 0:
		return classOther, 0
	case unicode.IsSpace(r):
		return classSpace, size
	case unicode.IsLetter(r):
		return classLetter, size
	case unicode.IsNumber(r):
		return classNumber, size
	}
	return classOther, size
}

// run returns the size of the characters of one class that text begins with, of
// at most limit characters.
func run(text string, want class, limit int) int {
	end := 0
	for count := 0; count < limit; count++ {
		got, size := classAt(text[end:])
		if size == 0 || got != want {
			break
		}
		end += size
	}
	return end
}

// nextGPT2 matches patternGPT2, case-sensitive:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func nextGPT2(text string) int {
	if size := contraction(text, false); size > 0 {
		return size
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if kind, size := classAt(text[start:]); size > 0 && kind != classSpace {
		return start + run(text[start:], kind, len(text))
	}
	return spaces(text, run(text, classSpace, len(text)))
}

// nextCL100K matches patternLlama3 with numbers of up to digits characters:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}
//	| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
func nextCL100K(text string, digits int) int {
	if size := contraction(text, true); size > 0 {
		return size
	}
	kind, size := classAt(text)
	switch kind {
	case classLetter:
		return run(text, classLetter, len(text))
	case classNumber:
		return run(text, classNumber, digits)
	}
	if text[0] != '\r' && text[0] != '\n' {
		if letters := run(text[size:], classLetter, len(text)); letters > 0 {
			return size + letters
		}
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if others := run(text[start:], classOther, len(text)); others > 0 {
		end := start + others
		for end < len(text) && (text[end] == '\r' || text[end] == '\n') {
			end++
		}
		return end
	}
	blank := run(text, classSpace, len(text))
	if newline := strings.LastIndexAny(text[:blank], "\r\n"); newline >= 0 {
		return newline + 1
	}
	return spaces(text, blank)
}

// spaces matches \s+(?!\S)|\s+ where text begins with blank bytes of spaces: in
// front of a word all but the last, if that leaves any.
func spaces(text string, blank int) int {
	if blank == len(text) {
		return blank
	}
	_, last := utf8.DecodeLastRuneInString(text[:blank])
	if blank > last {
		return blank - last
	}
	return blank
}

// contraction returns the size of 's, 't, 're, 've, 'm, 'll or 'd in front, or 0.
// Folding case, s is also U+017F, the long s, as Unicode has it.
func contraction(text string, foldCase bool) int {
	if text[0] != '\'' {
		return 0
	}
	for _, suffix := range [...]string{"s", "t", "re", "ve", "m", "ll", "d"} {
		if strings.HasPrefix(text[1:], suffix) ||
			foldCase && len(text) > len(suffix) && strings.EqualFold(text[1:1+len(suffix)], suffix) {
			return 1 + len(suffix)
		}
	}
	const longS = "ſ"
	if foldCase && strings.HasPrefix(text[1:], longS) {
		return 1 + len(longS)
	}
	return 0
}

// nextDigits matches \p{N}{1,limit}|\P{N}+.
func nextDigits(text string, limit int) int {
	if size := run(text, classNumber, limit); size > 0 {
		return size
	}
	end := 0
	for end < len(text) {
		kind, size := classAt(text[end:])
		if kind == classNumber {
			break
		}
		end += size
	}
	return end
}

// splitting cuts a text by steps, each of which cuts the pieces of the one before.
type splitting []splitter

// newSplitting resolves the names of a recipe's steps; nil is prefixSpace.
func newSplitting(names []string) (splitting, string) {
	steps := make(splitting, len(names))
	for i, name := range names {
		found := name == prefixSpace
		if !found {
			steps[i], found = splitterOf(name)
		}
		if !found {
			return nil, name
		}
	}
	return steps, ""
}

// each calls visit for every word of text, in order. Words are never empty.
func (s splitting) each(text string, visit func(word string)) {
	switch {
	case text == "":
	case len(s) == 0:
		visit(text)
	case s[0] == nil:
		if text[0] != ' ' {
			text = " " + text
		}
		s[1:].each(text, visit)
	default:
		for text != "" {
			size := s[0](text)
			s[1:].each(text[:size], visit)
			text = text[size:]
		}
	}
}
