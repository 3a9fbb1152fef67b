package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is found in the text as it stands, before the text
// is cut into words. The fields are those of tokenizer.json, which says what
// they do: with lstrip and rstrip the token takes the spaces beside it, with
// single_word it must not touch a word's characters, and with normalized it is
// looked for after normalisation. A special token has no text when decoded.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word,omitempty"`
	LStrip     bool   `json:"lstrip,omitempty"`
	RStrip     bool   `json:"rstrip,omitempty"`
	Normalized bool   `json:"normalized,omitempty"`
	Special    bool   `json:"special,omitempty"`
}

// addedFinder finds added tokens in text: leftmost first, of those the longest.
type addedFinder struct {
	tokens []addedToken
	index  *prefixIndex // of contents; its ids are indices of tokens
}

// newAddedFinder indexes tokens. contents, one for each token, are what is looked
// for; an empty one is never found.
func newAddedFinder(tokens []addedToken, contents []string) *addedFinder {
	var texts []string
	var indices []int32
	seen := make(map[string]bool, len(tokens))
	for i, content := range contents {
		if content != "" && !seen[content] {
			seen[content] = true
			texts = append(texts, content)
			indices = append(indices, int32(i))
		}
	}
	return &addedFinder{tokens: tokens, index: indexTexts(texts, indices)}
}

// each calls between for the stretches of text without an added token, none
// empty, and found for the tokens, in order.
func (f *addedFinder) each(text string, between func(text string), found func(id int32)) {
	done := 0
	for at := 0; at < len(text) && len(f.index.texts) > 0; {
		index, size := f.index.longestID(text[at:])
		if size == 0 {
			at++
			continue
		}
		token, start, stop := f.tokens[index], at, at+size
		at = stop
		if token.SingleWord && (endsInWord(text[:start]) || beginsWithWord(text[stop:])) {
			continue
		}
		if token.LStrip {
			start = done + len(strings.TrimRightFunc(text[done:start], unicode.IsSpace))
		}
		if token.RStrip {
			stop = len(text) - len(strings.TrimLeftFunc(text[stop:], unicode.IsSpace))
		}
		if done < start {
			between(text[done:start])
		}
		found(token.ID)
		done, at = stop, stop
	}
	if done < len(text) {
		between(text[done:])
	}
}

func endsInWord(text string) bool {
	r, size := utf8.DecodeLastRuneInString(text)
	return size > 0 && wordCharacter(r)
}

func beginsWithWord(text string) bool {
	r, size := utf8.DecodeRuneInString(text)
	return size > 0 && wordCharacter(r)
}

// wordCharacter reports whether r matches \w of Unicode's regular expressions:
// Alphabetic, M, Nd, Pc and Join_Control.
func wordCharacter(r rune) bool {
	return r != utf8.RuneError && unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc,
		unicode.Other_Alphabetic, unicode.Join_Control)
}
