package tokenizer

import (
	"fmt"
	"strings"
)

// maxGaps bounds the ids below the highest that have no token. Published
// vocabularies leave a few; memory goes by the highest id.
const maxGaps = 1024

// spelled is a vocabulary as the files of Hugging Face and GPT-2 give it, with
// bytes spelled as letters, and the recipe for it.
type spelled struct {
	vocab  map[string]int32
	merges [][2]string
	recipe recipe
	config modelConfig
}

// id returns the id of an added token or else one of the vocabulary, or -1.
func (s *spelled) id(content string) int32 {
	for _, token := range s.recipe.Added {
		if token.Content == content {
			return token.ID
		}
	}
	if id, found := s.vocab[content]; found {
		return id
	}
	return noID
}

// build turns letters into bytes and names into ids.
func (s *spelled) build(unknown string) (*byteVocabulary, error) {
	v := &byteVocabulary{recipe: s.recipe}
	letters := newLetterTable()
	if err := s.buildTokens(v, letters); err != nil {
		return nil, err
	}
	v.recipe.Unknown = noID
	if missing := s.missingByte(letters); missing != "" && unknown != "" {
		id, found := s.vocab[unknown]
		if !found {
			return nil, fmt.Errorf("unk_token %q is not in the vocabulary: %w", unknown, ErrMalformed)
		}
		v.recipe.Unknown = id
	}
	v.merges = make([][2]int32, len(s.merges))
	for i, merge := range s.merges {
		for side, text := range merge {
			id, found := s.vocab[text]
			if !found {
				return nil, fmt.Errorf("merge %d: %q is not in the vocabulary: %w", i, text, ErrMalformed)
			}
			v.merges[i][side] = id
		}
	}
	return v, nil
}

// missingByte returns the letter of a byte of UTF-8 that is no token, or "".
func (s *spelled) missingByte(letters *letterTable) string {
	for value := range 256 {
		letter := letters.spell(string([]byte{byte(value)}))
		if _, found := s.vocab[letter]; !found && inUTF8(value) {
			return letter
		}
	}
	return ""
}

// buildTokens lays the tokens out by id.
func (s *spelled) buildTokens(v *byteVocabulary, letters *letterTable) error {
	size := int32(0)
	added := make(map[int32]string, len(s.recipe.Added))
	for i, token := range s.recipe.Added {
		if token.ID < 0 || token.ID >= maxPieces {
			return fmt.Errorf("added token %d: id %d, limit %d: %w", i, token.ID, maxPieces, ErrTooLarge)
		}
		size = max(size, token.ID+1)
		added[token.ID] = token.Content
	}
	for _, id := range s.vocab {
		size = max(size, id+1)
	}
	if gaps := int(size) - len(s.vocab) - len(s.recipe.Added); gaps > maxGaps {
		return fmt.Errorf("ids up to %d for %d tokens, at most %d may be missing: %w",
			size-1, len(s.vocab)+len(s.recipe.Added), maxGaps, ErrTooLarge)
	}
	v.tokens = make([]string, size)
	taken := make([]bool, size)
	for text, id := range s.vocab {
		if taken[id] {
			return fmt.Errorf("token %q: id %d is already that of another token: %w", text, id, ErrMalformed)
		}
		taken[id] = true
		raw, bad, ok := letters.bytes(text)
		switch {
		case text == "":
			return fmt.Errorf("token %d is empty: %w", id, ErrMalformed)
		case ok:
			v.tokens[id] = raw
		case added[id] != text:
			return fmt.Errorf("token %d %q: %q is no letter of a byte: %w", id, text, bad, ErrMalformed)
		}
	}
	return nil
}

// splitMerge reads a merge written in one line, with one space between its sides.
func splitMerge(line string) ([2]string, bool) {
	left, right, found := strings.Cut(line, " ")
	return [2]string{left, right}, found && left != "" && right != "" && !strings.Contains(right, " ")
}
