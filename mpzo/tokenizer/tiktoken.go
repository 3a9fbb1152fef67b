package tokenizer

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// A tiktoken rank file has a token a line: base64 of its bytes, a space, its rank,
// which is its id. Neighbours that join to a token are merged, lowest rank first.
// Special tokens and the expression that cuts words are not in it; they are known
// by the number of ranks.

// readRanks reads a rank file.
func readRanks(data []byte) (*byteVocabulary, error) {
	tokens, err := readRankTokens(string(data))
	if err != nil {
		return nil, err
	}
	v := &byteVocabulary{tokens: tokens, recipe: recipe{Ranks: true, WholeWords: true, Unknown: noID, EOS: int32(len(tokens))}}
	specials := []string{"<|endoftext|>"}
	switch len(tokens) {
	case 50256:
		v.recipe.Split = []string{splitGPT2}
	case 128000:
		v.recipe.Split = []string{splitLlama3}
		v.recipe.Prefix = []int32{int32(len(tokens))}
		v.recipe.EOS++
		specials = llama3Specials()
	case 151643:
		v.recipe.NFC = true
		v.recipe.Split = []string{splitQwen2}
		specials = append(specials, "<|im_start|>", "<|im_end|>")
	default:
		return nil, fmt.Errorf("tiktoken ranks: %d, of a model not known (GPT-2 has 50256, Llama 3 128000, Qwen 151643); give tokenizer.json: %w",
			len(tokens), ErrUnsupported)
	}
	for _, content := range specials {
		v.recipe.Added = append(v.recipe.Added, addedToken{ID: int32(len(v.tokens)), Content: content, Special: true})
		v.tokens = append(v.tokens, "")
	}
	return v, nil
}

// readRankTokens reads the tokens by rank. Lines may be in any order.
func readRankTokens(data string) ([]string, error) {
	count := strings.Count(data, "\n")
	if !strings.HasSuffix(data, "\n") {
		count++
	}
	if data == "" {
		return nil, fmt.Errorf("tiktoken ranks: no lines: %w", ErrMalformed)
	}
	if count > maxPieces {
		return nil, fmt.Errorf("tiktoken ranks: %d lines, limit %d: %w", count, maxPieces, ErrTooLarge)
	}
	tokens := make([]string, count)
	number := 0
	for line := range strings.Lines(data) {
		number++
		encoded, rankText, found := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		token, err := base64.StdEncoding.Strict().DecodeString(encoded)
		rank, rankErr := strconv.ParseUint(rankText, 10, 31)
		switch {
		case !found || err != nil || rankErr != nil:
			return nil, fmt.Errorf("tiktoken ranks: line %d: %.80q, want base64 and a rank: %w", number, line, ErrMalformed)
		case len(token) == 0 || len(token) > maxPieceBytes:
			return nil, fmt.Errorf("tiktoken ranks: line %d: token of %d bytes, want 1 to %d: %w", number, len(token), maxPieceBytes, ErrMalformed)
		case rank >= uint64(count):
			return nil, fmt.Errorf("tiktoken ranks: line %d: rank %d of %d: %w", number, rank, count, ErrMalformed)
		case tokens[rank] != "":
			return nil, fmt.Errorf("tiktoken ranks: line %d: rank %d appears twice: %w", number, rank, ErrMalformed)
		}
		tokens[rank] = string(token)
	}
	return tokens, nil
}

// llama3Specials returns the 256 special tokens of Llama 3.1 and 3.2 in the order
// of their ids. Llama 3.0 names some of the reserved ones otherwise.
func llama3Specials() []string {
	reserved := func(n int) string { return fmt.Sprintf("<|reserved_special_token_%d|>", n) }
	specials := []string{
		"<|begin_of_text|>", "<|end_of_text|>", reserved(0), reserved(1), "<|finetune_right_pad_id|>", reserved(2),
		"<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
	}
	for n := 3; len(specials) < 256; n++ {
		specials = append(specials, reserved(n))
	}
	return specials
}
