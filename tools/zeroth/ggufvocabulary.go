package main

import (
	"errors"
	"fmt"

	"zeroth/graph/importer"
	"zeroth/mpzo/tokenizer"
)

// innerTokenizer returns the tokenizer that a checkpoint holds, a GGUF file's.
// The error wraps tokenizer.ErrNoTokenizer where it holds none.
func innerTokenizer(checkpoint importer.Checkpoint) (tokenizer.Tokenizer, tokenizer.Kind, []byte, error) {
	source, ok := checkpoint.(importer.TokenizerSource)
	if !ok {
		return nil, "", nil, tokenizer.ErrNoTokenizer
	}
	m, err := source.TokenizerMetadata()
	if errors.Is(err, importer.ErrNotFound) {
		return nil, "", nil, fmt.Errorf("%w: %w", tokenizer.ErrNoTokenizer, err)
	}
	if err != nil {
		return nil, "", nil, err
	}
	given := func(value *bool, fallback bool) bool {
		if value == nil {
			return fallback
		}
		return *value
	}
	switch m.Model {
	case "gpt2":
		tok, data, err := tokenizer.FromGGUF(tokenizer.GGUFVocabulary{
			Pre: m.Pre, Tokens: m.Tokens, Types: m.Types, Merges: m.Merges, BOS: int32(m.BOS), EOS: int32(m.EOS),
			AddBOS: given(m.AddBOS, m.Pre == "llama-bpe" || m.Pre == "llama3" || m.Pre == "llama-v3"),
			AddEOS: given(m.AddEOS, false),
		})
		return tok, tokenizer.ByteBPE, data, err
	case "llama":
		// Ids that are not given are llama.cpp's own.
		bos, eos := m.BOS, m.EOS
		if bos < 0 {
			bos = 1
		}
		if eos < 0 {
			eos = 2
		}
		tok, data, err := tokenizer.FromGGUFPieces(tokenizer.GGUFPieces{
			Tokens: m.Tokens, Scores: m.Scores, Types: m.Types, BOS: int32(bos), EOS: int32(eos),
			AddBOS: given(m.AddBOS, true), AddEOS: given(m.AddEOS, false),
			AddSpacePrefix: given(m.AddSpacePrefix, true), RemoveExtraSpaces: given(m.RemoveExtraSpaces, false),
		})
		return tok, tokenizer.SentencePiece, data, err
	}
	return nil, "", nil, fmt.Errorf("tokenizer.ggml.model %.64q: gpt2 and llama are read; give --tokenizer FILE: %w", m.Model, tokenizer.ErrUnsupported)
}
