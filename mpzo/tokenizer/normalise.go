package tokenizer

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// spaceMark, U+2581 LOWER ONE EIGHTH BLOCK, stands for the space in the pieces
// of SentencePiece models.
const spaceMark = "\u2581"

// normaliser prepares text for segmentation as SentencePiece's Normalizer does.
type normaliser struct {
	addDummyPrefix    bool // put a space in front of the text
	removeExtraSpaces bool // drop spaces at both ends, join runs of them
	escapeSpaces      bool // write spaces as spaceMark
	spaceAsSuffix     bool // the dummy space goes behind the text
	rules             *charsMap
	userDefined       *prefixIndex // copied unchanged by the rules
}

// apply returns the normalised text.
func (n *normaliser) apply(text string) string {
	if n.removeExtraSpaces {
		for text != "" {
			replaced, size := n.prefix(text)
			if replaced != " " {
				break
			}
			text = text[size:]
		}
	}
	if text == "" {
		return ""
	}
	space := " "
	if n.escapeSpaces {
		space = spaceMark
	}
	out := make([]byte, 0, len(text)+len(text)/2+2*len(space))
	if n.addDummyPrefix && !n.spaceAsSuffix {
		out = append(out, space...)
	}
	afterSpace := n.removeExtraSpaces
	for text != "" {
		replaced, size := n.prefix(text)
		text = text[size:]
		if afterSpace {
			replaced = strings.TrimLeft(replaced, " ")
		}
		if replaced == "" {
			continue
		}
		out = appendEscaped(out, replaced, space)
		afterSpace = n.removeExtraSpaces && strings.HasSuffix(replaced, " ")
	}
	if n.removeExtraSpaces {
		for bytes.HasSuffix(out, []byte(space)) {
			out = out[:len(out)-len(space)]
		}
	}
	if n.addDummyPrefix && n.spaceAsSuffix {
		out = append(out, space...)
	}
	return string(out)
}

// prefix returns what the first characters of text become, and their size in
// bytes: a user-defined symbol as it is, else the longest rule's replacement,
// else one character as it is, or U+FFFD for one byte that begins none.
func (n *normaliser) prefix(text string) (replaced string, size int) {
	if size := n.userDefined.longest(text); size > 0 {
		return text[:size], size
	}
	if n.rules != nil {
		if replaced, size := n.rules.longest(text); size > 0 {
			return replaced, size
		}
	}
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && size == 1 {
		return "\uFFFD", 1
	}
	return text[:size], size
}

// appendEscaped appends text with each space written as space.
func appendEscaped(out []byte, text, space string) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] == ' ' {
			out = append(out, space...)
		} else {
			out = append(out, text[i])
		}
	}
	return out
}

// characterSize returns the bytes of the first character of text by its first
// byte alone, as SentencePiece segments: rules may produce invalid UTF-8, and
// both segmenters must cut it at the same places.
func characterSize(text string) int {
	size := 1
	switch first := text[0]; {
	case first >= 0xf0:
		size = 4
	case first >= 0xe0:
		size = 3
	case first >= 0xc0:
		size = 2
	}
	return min(size, len(text))
}
