package importer

import (
	"errors"
	"fmt"
	"math"

	"zeroth/internal/gguf"
)

// TokenizerSource is a second, optional interface: checkpoints that hold their
// tokenizer have it. The error wraps [ErrNotFound] where this one holds none.
type TokenizerSource interface {
	TokenizerMetadata() (TokenizerMetadata, error)
}

// TokenizerMetadata is a tokenizer as a GGUF file has it: the value of each key
// tokenizer.ggml.…, unjudged but for its type.
type TokenizerMetadata struct {
	Model  string    // model: "gpt2" for byte-level BPE, "llama" for SentencePiece, …
	Pre    string    // pre: how words are cut
	Tokens []string  // tokens, by id
	Scores []float32 // scores; none if missing
	Types  []int32   // token_type; none if missing
	Merges []string  // merges; none if missing

	BOS, EOS int // bos_token_id, eos_token_id; −1 if missing

	// add_bos_token, add_eos_token, add_space_prefix and
	// remove_extra_whitespaces; nil if missing.
	AddBOS, AddEOS, AddSpacePrefix, RemoveExtraSpaces *bool
}

// TokenizerMetadata implements [TokenizerSource]. The texts take about twice
// the bytes that they have in the file.
func (m *ggufModel) TokenizerMetadata() (TokenizerMetadata, error) {
	f := &ggufFields{file: m.file, prefix: "tokenizer.ggml."}
	if !f.given("model") || !f.given("tokens") {
		return TokenizerMetadata{}, fmt.Errorf("the file holds no tokenizer: %w", ErrNotFound)
	}
	t := TokenizerMetadata{
		Model: f.textOr("model", ""), Pre: f.textOr("pre", ""),
		BOS: f.integerOr("bos_token_id", -1), EOS: f.integerOr("eos_token_id", -1),
		AddBOS: f.booleanIf("add_bos_token"), AddEOS: f.booleanIf("add_eos_token"),
		AddSpacePrefix: f.booleanIf("add_space_prefix"), RemoveExtraSpaces: f.booleanIf("remove_extra_whitespaces"),
		Types: f.types("token_type"),
	}
	t.Tokens = listIf(f, "tokens", f.file.Strings)
	t.Merges = listIf(f, "merges", f.file.Strings)
	t.Scores = listIf(f, "scores", f.file.Floats)
	if f.err != nil {
		return TokenizerMetadata{}, f.err
	}
	return t, nil
}

func (f *ggufFields) booleanIf(name string) *bool {
	value, err := f.file.Bool(f.prefix + name)
	if errors.Is(err, gguf.ErrNotFound) {
		return nil
	}
	if err != nil {
		f.failWith(name, err)
	}
	return &value
}

// listIf reads a list with an accessor of the file; nil where there is none.
func listIf[T any](f *ggufFields, name string, read func(key string) ([]T, error)) []T {
	values, err := read(f.prefix + name)
	if err != nil && !errors.Is(err, gguf.ErrNotFound) {
		f.fail("%w", ggufError(err))
	}
	return values
}

func (f *ggufFields) types(name string) []int32 {
	wide := listIf(f, name, f.file.Ints)
	if wide == nil {
		return nil
	}
	types := make([]int32, len(wide))
	for i, value := range wide {
		if value < 0 || value > math.MaxInt32 {
			f.fail("%s%s: element %d is %d, want a token type: %w", f.prefix, name, i, value, ErrInvalid)
			return nil
		}
		types[i] = int32(value)
	}
	return types
}
