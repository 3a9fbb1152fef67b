package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// vocab.json and merges.txt, or encoder.json and vocab.bpe as OpenAI named them,
// do not say how text is cut or what goes around it. That is known of families,
// told by tokenizer_config.json, config.json or the tokens themselves.

// family is the habits of one.
type family struct {
	split    string
	nfc      bool
	tokens   []addedToken // special; their ids are looked up
	prefix   string       // contents put around a text, "" for none
	suffix   string
	eos      string
	classes  []string // tokenizer_class
	models   []string // model_type
	contents []string // tokens that only this family has
	size     int      // of its vocabulary, where the special tokens lie behind it
}

// families are the known ones. The earlier goes first where two would do: OPT
// has RoBERTa's vocabulary and GPT-2's class, so that only model_type tells it.
func families() []family {
	const end, opened, closed, padding, unknown, mask = "<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"
	plain := func(contents ...string) []addedToken {
		tokens := make([]addedToken, len(contents))
		for i, content := range contents {
			tokens[i] = addedToken{Content: content, Special: true}
		}
		return tokens
	}
	roberta := append(plain(opened, closed, padding, unknown), addedToken{Content: mask, Special: true, LStrip: true})
	return []family{
		{split: splitGPT2, tokens: plain(closed, padding), prefix: closed, eos: closed, models: []string{"opt"}},
		{
			split: splitGPT2, tokens: roberta, prefix: opened, suffix: closed, eos: closed,
			classes: []string{"RobertaTokenizer", "BartTokenizer"}, models: []string{"roberta", "bart"},
			contents: []string{opened, closed, padding, unknown, mask},
		},
		{
			split: splitQwen2, nfc: true, tokens: plain(end, "<|im_start|>", "<|im_end|>"), eos: end,
			classes: []string{"Qwen2Tokenizer"}, models: []string{"qwen2", "qwen2_moe", "qwen3", "qwen3_moe"}, size: 151643,
		},
		{
			split: splitGPT2, tokens: plain(end), eos: end,
			classes: []string{"GPT2Tokenizer"}, models: []string{"gpt2"}, contents: []string{end},
		},
	}
}

// familyOf picks the family of a vocabulary.
func familyOf(vocab map[string]int32, c modelConfig) (family, error) {
	known := families()
	for _, by := range []func(f family) bool{
		func(f family) bool { return slices.Contains(f.models, c.modelType) },
		func(f family) bool { return slices.Contains(f.classes, c.class) },
		func(f family) bool { return c.class == "" && f.size > 0 && f.size == len(vocab) },
		func(f family) bool {
			for _, content := range f.contents {
				if _, found := vocab[content]; !found {
					return false
				}
			}
			return c.class == "" && len(f.contents) > 0
		},
	} {
		for _, f := range known {
			if by(f) {
				return f, nil
			}
		}
	}
	return family{}, fmt.Errorf("tokenizer_class %q, model_type %q, %d tokens: not known as GPT-2's, RoBERTa's, OPT's or Qwen2's; give tokenizer.json: %w",
		c.class, c.modelType, len(vocab), ErrUnsupported)
}

// readVocabMerges reads the two files.
func readVocabMerges(vocab, merges []byte, config modelConfig) (*byteVocabulary, error) {
	s := &spelled{config: config}
	var err error
	if s.vocab, err = readVocabulary("vocabulary", vocab); err != nil {
		return nil, err
	}
	if s.merges, err = readMergesText(merges); err != nil {
		return nil, err
	}
	f, err := familyOf(s.vocab, config)
	if err != nil {
		return nil, err
	}
	s.recipe = recipe{NFC: f.nfc, Split: []string{f.split}, EOS: noID}
	if config.prefixed {
		s.recipe.Split = []string{prefixSpace, f.split}
	}
	if err := s.addFamily(f); err != nil {
		return nil, err
	}
	return s.build(config.named["unk_token"])
}

// addFamily adds the special tokens and what goes around a text: those that
// tokenizer_config.json names, or else the family's. Tokens that are not in the
// vocabulary have the ids that added_tokens_decoder gives them, or where there is
// none the ids behind the family's vocabulary.
func (s *spelled) addFamily(f family) error {
	c := &s.config
	s.recipe.Added = append(s.recipe.Added, c.added...)
	ids := make(map[string]bool, len(c.added))
	for _, token := range c.added {
		ids[token.Content] = true
	}
	if len(c.added) == 0 && f.size > 0 && f.size == len(s.vocab) {
		for i, token := range f.tokens {
			token.ID = int32(f.size + i)
			ids[token.Content] = true
			s.recipe.Added = append(s.recipe.Added, token)
		}
	}
	wanted := f.tokens
	if len(c.added) > 0 || len(c.named) > 0 {
		wanted = c.specials()
	}
	for _, token := range wanted {
		if ids[token.Content] {
			continue
		}
		id, found := s.vocab[token.Content]
		if !found {
			return fmt.Errorf("special token %q is not in the vocabulary: %w", token.Content, ErrMalformed)
		}
		token.ID = id
		ids[token.Content] = true
		s.recipe.Added = append(s.recipe.Added, token)
	}
	return s.addFamilyEnds(f)
}

// addFamilyEnds sets prefix, suffix and EOS.
func (s *spelled) addFamilyEnds(f family) error {
	c := &s.config
	rename := func(content, role string) string {
		if named := c.named[role]; named != "" && content != "" {
			return named
		}
		return content
	}
	prefix, suffix := rename(f.prefix, "bos_token"), rename(f.suffix, "eos_token")
	if c.addBOS != nil {
		prefix = ""
		if *c.addBOS {
			prefix = c.named["bos_token"]
		}
	}
	for _, end := range []struct {
		content string
		into    *[]int32
	}{{prefix, &s.recipe.Prefix}, {suffix, &s.recipe.Suffix}} {
		if end.content == "" {
			continue
		}
		id := s.id(end.content)
		if id < 0 {
			return fmt.Errorf("%q, which goes around a text, is no token: %w", end.content, ErrMalformed)
		}
		*end.into = []int32{id}
	}
	if c.named["eos_token"] == "" {
		s.recipe.EOS = s.id(f.eos)
	}
	return s.readEnds()
}

// readMergesText reads merges.txt: a pair a line, with a space between. A line
// that begins with "#version" is not one, and the last may be empty.
func readMergesText(data []byte) ([][2]string, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("merges: not valid UTF-8: %w", ErrMalformed)
	}
	var merges [][2]string
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		merge, ok := splitMerge(line)
		if !ok {
			return nil, fmt.Errorf("merges: line %d: %.80q, want two tokens: %w", number, line, ErrMalformed)
		}
		if len(merges) == maxPieces {
			return nil, fmt.Errorf("merges: line %d: more than %d: %w", number, maxPieces, ErrTooLarge)
		}
		merges = append(merges, merge)
	}
	return merges, nil
}
