package tokenizer

import "fmt"

// GGUFVocabulary is a byte-level BPE as a GGUF file's metadata gives it, with
// tokenizer.ggml.model "gpt2". Each field is the key tokenizer.ggml.… of its
// comment.
type GGUFVocabulary struct {
	Pre    string   // pre: how words are cut
	Tokens []string // tokens, by id
	Types  []int32  // token_type, by id; none if the key is missing
	Merges []string // merges, "left right"
	BOS    int32    // bos_token_id, -1 if missing
	EOS    int32    // eos_token_id, -1 if missing
	AddBOS bool     // add_bos_token; llama.cpp takes true where llama-bpe lacks it
	AddEOS bool     // add_eos_token
}

// The token types of GGUF that matter here.
const (
	ggufControl     = 3
	ggufUserDefined = 4
	ggufUnused      = 5
)

// FromGGUF builds a tokenizer of kind ByteBPE, and its bytes for Parse, from
// GGUF metadata, which may be hostile: errors wrap ErrMalformed, ErrUnsupported
// or ErrTooLarge. Control tokens are found in text, as in tokenizer.json. Qwen2's
// text is brought to form C as its makers do, though llama.cpp does not.
func FromGGUF(g GGUFVocabulary) (Tokenizer, []byte, error) {
	s, err := g.spelled()
	if err != nil {
		return nil, nil, fmt.Errorf("gguf: %w", err)
	}
	v, err := s.build("")
	if err != nil {
		return nil, nil, fmt.Errorf("gguf: %w", err)
	}
	data, err := v.marshal()
	if err != nil {
		return nil, nil, fmt.Errorf("gguf: %w", err)
	}
	tok, err := Parse(ByteBPE, data)
	if err != nil {
		return nil, nil, fmt.Errorf("gguf: %w", err)
	}
	return tok, data, nil
}

// spelled sorts the tokens by type.
func (g *GGUFVocabulary) spelled() (*spelled, error) {
	if len(g.Tokens) > maxPieces || len(g.Merges) > maxPieces {
		return nil, fmt.Errorf("%d tokens and %d merges, limit %d: %w", len(g.Tokens), len(g.Merges), maxPieces, ErrTooLarge)
	}
	if len(g.Types) != 0 && len(g.Types) != len(g.Tokens) {
		return nil, fmt.Errorf("%d token types for %d tokens: %w", len(g.Types), len(g.Tokens), ErrMalformed)
	}
	s := &spelled{vocab: make(map[string]int32, len(g.Tokens)), recipe: recipe{EOS: g.EOS}}
	if err := g.readPre(&s.recipe); err != nil {
		return nil, err
	}
	for id, text := range g.Tokens {
		kind := int32(0)
		if len(g.Types) > 0 {
			kind = g.Types[id]
		}
		switch kind {
		case ggufUnused:
			continue
		case ggufControl, ggufUserDefined:
			s.recipe.Added = append(s.recipe.Added, addedToken{ID: int32(id), Content: text, Special: kind == ggufControl, Normalized: kind == ggufUserDefined})
			continue
		}
		if earlier, found := s.vocab[text]; found {
			return nil, fmt.Errorf("token %d: %q is already token %d: %w", id, text, earlier, ErrMalformed)
		}
		s.vocab[text] = int32(id)
	}
	s.merges = make([][2]string, len(g.Merges))
	for i, line := range g.Merges {
		merge, ok := splitMerge(line)
		if !ok {
			return nil, fmt.Errorf("merge %d: %.80q, want two tokens: %w", i, line, ErrMalformed)
		}
		s.merges[i] = merge
	}
	if g.AddBOS && g.BOS >= 0 {
		s.recipe.Prefix = []int32{g.BOS}
	}
	if g.AddEOS && g.EOS >= 0 {
		s.recipe.Suffix = []int32{g.EOS}
	}
	return s, nil
}

// readPre maps llama.cpp's names of pre-tokenisers.
func (g *GGUFVocabulary) readPre(r *recipe) error {
	switch g.Pre {
	case "gpt-2", "roberta-bpe":
		r.Split = []string{splitGPT2}
	case "mpt", "gpt-neox":
		r.NFC = true
		r.Split = []string{splitGPT2}
	case "llama-bpe", "llama3", "llama-v3":
		r.WholeWords = true
		r.Split = []string{splitLlama3}
	case "qwen2", "deepseek-r1-qwen":
		r.NFC = true
		r.Split = []string{splitQwen2}
	default:
		return fmt.Errorf("tokenizer.ggml.pre %q, want gpt-2, roberta-bpe, mpt, gpt-neox, llama-bpe or qwen2; give --tokenizer tokenizer.json: %w", g.Pre, ErrUnsupported)
	}
	return nil
}
