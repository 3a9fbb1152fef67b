package tokenizer

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// byteBPE is a byte-level BPE tokenizer: GPT-2, RoBERTa, OPT, GPT-NeoX, Llama 3,
// Qwen2 and their like.
type byteBPE struct {
	recipe    recipe
	tokens    []string         // raw bytes by id; "" has no token
	ids       map[string]int32 // of tokens
	merges    map[mergeKey]int32
	longest   int        // bytes of the longest token
	bytes     [256]int32 // token of each byte, -1: none
	validOnly bool       // some bytes that UTF-8 never has are no tokens
	splitting splitting
	plain     *addedFinder // looks at the text as it is
	normal    *addedFinder // looks at the normalised text
	added     map[int32]addedToken
	specials  map[string]int32 // ids of added tokens
	letters   *letterTable
}

// mergeKey is a pair of tokens: the token they join to and the bytes of the left
// one tell both.
type mergeKey struct {
	joined   int32
	leftSize int32
}

// parseByteBPE builds the tokenizer of a container.
func parseByteBPE(data string) (Tokenizer, error) {
	v, err := readContainer(data)
	if err != nil {
		return nil, err
	}
	if err := v.recipe.check(v.tokens); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	t := &byteBPE{recipe: v.recipe, tokens: v.tokens, letters: newLetterTable()}
	steps, unknown := newSplitting(v.recipe.Split)
	if unknown != "" {
		return nil, fmt.Errorf("recipe: split: unknown step %q: %w", unknown, ErrUnsupported)
	}
	t.splitting = steps
	if err := t.addTokens(); err != nil {
		return nil, err
	}
	if err := t.addMerges(v.merges); err != nil {
		return nil, err
	}
	t.addFinders()
	return t, nil
}

// addTokens enters the tokens and finds that of every byte.
func (t *byteBPE) addTokens() error {
	t.ids = make(map[string]int32, len(t.tokens))
	for id, token := range t.tokens {
		if token == "" {
			continue
		}
		if earlier, found := t.ids[token]; found {
			return fmt.Errorf("token %d: %q is already that of token %d: %w", id, token, earlier, ErrMalformed)
		}
		t.ids[token] = int32(id)
		t.longest = max(t.longest, len(token))
	}
	for value := range t.bytes {
		id, found := t.ids[string([]byte{byte(value)})]
		if !found {
			if t.recipe.Unknown < 0 && inUTF8(value) {
				return fmt.Errorf("no token for the byte 0x%02x, and none for unknown text: %w", value, ErrMalformed)
			}
			t.validOnly = true
			id = noID
		}
		t.bytes[value] = id
	}
	return nil
}

// inUTF8 reports whether a byte occurs in UTF-8. GPT-NeoX's vocabulary lacks the
// 13 that do not.
func inUTF8(value int) bool {
	return value != 0xc0 && value != 0xc1 && value < 0xf5
}

// addMerges checks the merges and enters them by what they make.
func (t *byteBPE) addMerges(merges [][2]int32) error {
	if t.recipe.Ranks && len(merges) > 0 {
		return fmt.Errorf("%d merges, but the recipe merges by rank: %w", len(merges), ErrMalformed)
	}
	t.merges = make(map[mergeKey]int32, len(merges))
	for rank, merge := range merges {
		for _, id := range merge {
			if int(id) >= len(t.tokens) || t.tokens[id] == "" {
				return fmt.Errorf("merge %d: id %d has no token: %w", rank, id, ErrMalformed)
			}
		}
		left, right := t.tokens[merge[0]], t.tokens[merge[1]]
		joined, found := t.ids[left+right]
		if !found {
			return fmt.Errorf("merge %d: %q and %q join to no token: %w", rank, left, right, ErrMalformed)
		}
		key := mergeKey{joined, int32(len(left))}
		if earlier, found := t.merges[key]; found {
			return fmt.Errorf("merge %d: %q and %q are already merge %d: %w", rank, left, right, earlier, ErrMalformed)
		}
		t.merges[key] = int32(rank)
	}
	return nil
}

// addFinders sorts the added tokens by when they are looked for.
func (t *byteBPE) addFinders() {
	t.added = make(map[int32]addedToken, len(t.recipe.Added))
	t.specials = make(map[string]int32, len(t.recipe.Added))
	var plain, normal []addedToken
	var plainContents, normalContents []string
	for _, token := range t.recipe.Added {
		t.added[token.ID] = token
		t.specials[token.Content] = token.ID
		if token.Normalized {
			normal = append(normal, token)
			normalContents = append(normalContents, t.normalise(token.Content))
		} else {
			plain = append(plain, token)
			plainContents = append(plainContents, token.Content)
		}
	}
	t.plain = newAddedFinder(plain, plainContents)
	t.normal = newAddedFinder(normal, normalContents)
}

func (t *byteBPE) normalise(text string) string {
	if t.recipe.NFC {
		return nfc(text)
	}
	return text
}

// Encode implements Tokenizer.
func (t *byteBPE) Encode(text string) []int32 {
	e := byteEncoding{tokenizer: t, merging: merging{rules: t, longest: t.longest}}
	add := func(id int32) { e.ids = append(e.ids, id) }
	if t.validOnly && !utf8.ValidString(text) {
		text = string([]rune(text)) // each bad byte becomes U+FFFD
	}
	t.plain.each(text, func(between string) {
		t.normal.each(t.normalise(between), func(stretch string) {
			t.splitting.each(stretch, e.word)
		}, add)
	}, add)
	return e.ids
}

// byteEncoding is one Encode at work.
type byteEncoding struct {
	tokenizer *byteBPE
	merging   merging // its slices serve word after word
	ids       []int32
}

// word adds the ids of one word.
func (e *byteEncoding) word(word string) {
	t := e.tokenizer
	if t.recipe.WholeWords {
		if id, found := t.ids[word]; found {
			e.ids = append(e.ids, id)
			return
		}
	}
	m := &e.merging
	m.text, m.symbols, m.candidates = word, m.symbols[:0], m.candidates[:0]
	for at := range len(word) {
		m.push(at, 1, t.bytes[word[at]] < 0)
	}
	m.run()
	unknown := false
	for index := 0; index >= 0; index = m.symbols[index].next {
		wasUnknown := unknown
		unknown = m.symbols[index].frozen
		switch {
		case !unknown:
			e.ids = append(e.ids, t.ids[m.symbolText(index)])
		case !wasUnknown || !t.recipe.FuseUnknown:
			e.ids = append(e.ids, t.recipe.Unknown)
		}
	}
}

// join implements joiner: the first merge, or the lowest rank, scores highest.
// Both are below 2²⁰, exact in a float32.
func (t *byteBPE) join(joined string, leftSize int) (score float32, found bool) {
	id, found := t.ids[joined]
	if !found {
		return 0, false
	}
	if t.recipe.Ranks {
		return -float32(id), true
	}
	rank, found := t.merges[mergeKey{id, int32(leftSize)}]
	return -float32(rank), found
}

// textOf returns the bytes that an id stands for in text.
func (t *byteBPE) textOf(id int32) string {
	if token, found := t.added[id]; found {
		if token.Special {
			return ""
		}
		return token.Content
	}
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// Decode implements Tokenizer.
func (t *byteBPE) Decode(ids []int32) string {
	var out []byte
	for _, id := range ids {
		out = append(out, t.textOf(id)...)
	}
	return string(out)
}

// NewDecoder implements Tokenizer.
func (t *byteBPE) NewDecoder() *Decoder {
	return &Decoder{raw: t}
}

// Piece implements Tokenizer: bytes are spelled as letters, added tokens as they
// are.
func (t *byteBPE) Piece(id int32) string {
	if token, found := t.added[id]; found {
		return token.Content
	}
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.letters.spell(t.tokens[id])
}

// VocabSize implements Tokenizer.
func (t *byteBPE) VocabSize() int { return len(t.tokens) }

// BOS implements Tokenizer: the first id that is put in front of a text.
func (t *byteBPE) BOS() int32 {
	if len(t.recipe.Prefix) > 0 {
		return t.recipe.Prefix[0]
	}
	return noID
}

// EOS implements Tokenizer.
func (t *byteBPE) EOS() int32 { return t.recipe.EOS }

// Prefix implements Special.
func (t *byteBPE) Prefix() []int32 { return slices.Clone(t.recipe.Prefix) }

// Suffix implements Special.
func (t *byteBPE) Suffix() []int32 { return slices.Clone(t.recipe.Suffix) }

// SpecialID implements Special.
func (t *byteBPE) SpecialID(content string) int32 {
	if id, found := t.specials[content]; found {
		return id
	}
	return noID
}

// completeSize returns how many bytes of raw come before a character that may
// still be completed: all but at most 3.
func completeSize(raw []byte) int {
	for size := 1; size <= min(utf8.UTFMax-1, len(raw)); size++ {
		tail := raw[len(raw)-size:]
		if utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return len(raw) - size
			}
			break
		}
	}
	return len(raw)
}
