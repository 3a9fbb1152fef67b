package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// recipe is all that a byte-level BPE does besides its vocabulary and merges. It
// is the first part of a container (see container.go), as JSON.
type recipe struct {
	// NFC: text is brought to Unicode's normalisation form C first.
	NFC bool `json:"nfc,omitempty"`

	// Split names the steps that cut text into words, in order: see splitter.go.
	Split []string `json:"split"`

	// Ranks: there are no merges; any neighbours that join to a token are
	// merged, those of lowest id first (tiktoken).
	Ranks bool `json:"ranks,omitempty"`

	// WholeWords: a word that is a token is not merged (ignore_merges).
	WholeWords bool `json:"whole_words,omitempty"`

	// Unknown is the token of bytes that have none, -1 if every byte of UTF-8
	// has one.
	// With FuseUnknown a run of them becomes one token.
	Unknown     int32 `json:"unknown"`
	FuseUnknown bool  `json:"fuse_unknown,omitempty"`

	// Added are the tokens found in the text as it stands.
	Added []addedToken `json:"added,omitempty"`

	// Prefix and Suffix are put around a text.
	Prefix []int32 `json:"prefix,omitempty"`
	Suffix []int32 `json:"suffix,omitempty"`

	// EOS ends a text; -1 if the model has none.
	EOS int32 `json:"eos"`
}

const (
	maxSteps  = 8  // of Split
	maxAround = 16 // ids of Prefix, and of Suffix
	noID      = int32(-1)
)

// check holds the recipe against a vocabulary of size ids, whose tokens are raw
// bytes and empty where an id has none.
func (r *recipe) check(tokens []string) error {
	size := len(tokens)
	if len(r.Split) > maxSteps {
		return fmt.Errorf("split: %d steps, limit %d: %w", len(r.Split), maxSteps, ErrTooLarge)
	}
	if r.Unknown < noID || int(r.Unknown) >= size {
		return fmt.Errorf("unknown: id %d of %d: %w", r.Unknown, size, ErrMalformed)
	}
	if r.EOS < noID || int(r.EOS) >= size {
		return fmt.Errorf("eos: id %d of %d: %w", r.EOS, size, ErrMalformed)
	}
	for _, ids := range [][]int32{r.Prefix, r.Suffix} {
		if len(ids) > maxAround {
			return fmt.Errorf("%d ids around a text, limit %d: %w", len(ids), maxAround, ErrTooLarge)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= size {
				return fmt.Errorf("around a text: id %d of %d: %w", id, size, ErrMalformed)
			}
		}
	}
	return r.checkAdded(tokens)
}

// checkAdded checks the added tokens: one content each, and where the vocabulary
// has a token of that id, the same content.
func (r *recipe) checkAdded(tokens []string) error {
	ids := make(map[int32]bool, len(r.Added))
	contents := make(map[string]bool, len(r.Added))
	for i, token := range r.Added {
		switch {
		case token.ID < 0 || int(token.ID) >= len(tokens):
			return fmt.Errorf("added token %d: id %d of %d: %w", i, token.ID, len(tokens), ErrMalformed)
		case token.Content == "" || !utf8.ValidString(token.Content):
			return fmt.Errorf("added token %d: content %q, want UTF-8 text: %w", i, token.Content, ErrMalformed)
		case len(token.Content) > maxPieceBytes:
			return fmt.Errorf("added token %d: %d bytes, limit %d: %w", i, len(token.Content), maxPieceBytes, ErrTooLarge)
		case ids[token.ID]:
			return fmt.Errorf("added token %d: id %d is already that of another: %w", i, token.ID, ErrMalformed)
		case contents[token.Content]:
			return fmt.Errorf("added token %d: content %q is already that of another: %w", i, token.Content, ErrMalformed)
		case tokens[token.ID] != "" && tokens[token.ID] != token.Content:
			return fmt.Errorf("added token %d: %q, but the vocabulary's token %d is %q: %w",
				i, token.Content, token.ID, tokens[token.ID], ErrMalformed)
		}
		ids[token.ID], contents[token.Content] = true, true
	}
	return nil
}
