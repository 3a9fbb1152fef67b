package tokenizer

import "fmt"

// Tokenizer maps text to token ids and back. Ids run from 0 to VocabSize()-1.
type Tokenizer interface {
	// Encode returns the ids of text without BOS or EOS. It never fails; the
	// empty string has no ids. Time is O(n log n) in len(text) for BPE and
	// O(n) for unigram models.
	Encode(text string) []int32

	// Decode returns the text of a whole sequence as SentencePiece does: the
	// space that the dummy prefix put in front is removed, control pieces (BOS,
	// EOS) have no text, byte pieces are joined into characters and those that
	// form none become U+FFFD. The unknown piece, and any id outside the
	// vocabulary, is shown as the model's unknown surface (" ⁇ " by default).
	//
	// Byte-level BPE joins the bytes of the tokens, whatever they are. Special
	// tokens and ids outside the vocabulary have none.
	Decode(ids []int32) string

	// NewDecoder starts the same decoding one id at a time, for printing text
	// while it is generated.
	NewDecoder() *Decoder

	// Piece returns the vocabulary entry of id as the file spells it, or "" if
	// id is outside the vocabulary. Byte-level BPE spells bytes as letters, the
	// space as "Ġ", whatever the file.
	Piece(id int32) string

	// VocabSize returns the number of pieces.
	VocabSize() int

	// BOS returns the id that begins a sequence, or -1 if the model has none.
	// For byte-level BPE that is what its tokenizer puts in front of a text:
	// GPT-2 names one, <|endoftext|>, but puts none.
	BOS() int32

	// EOS returns the id that ends a sequence, or -1 if the model has none.
	EOS() int32
}

// Kind names a tokenizer file format. It is stored beside the file's bytes in a
// program, so its values never change.
type Kind string

const (
	// SentencePiece is a serialised sentencepiece.ModelProto (tokenizer.model).
	SentencePiece Kind = "sentencepiece"

	// Llama2C is llama2.c's vocabulary export (tokenizer.bin).
	Llama2C Kind = "llama2c"

	// ByteBPE is a container, made by Open, of a byte-level BPE: of GPT-2's,
	// RoBERTa's, OPT's, GPT-NeoX's, Llama 3's, Qwen2's or the like. container.go
	// gives the layout.
	ByteBPE Kind = "bytebpe"
)

// Parse reads the bytes of a tokenizer, as Open returns them. The bytes may be hostile: errors
// wrap ErrMalformed, ErrUnsupported or ErrTooLarge. data is not kept.
func Parse(kind Kind, data []byte) (Tokenizer, error) {
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%d bytes, limit %d: %w", len(data), maxFileBytes, ErrTooLarge)
	}
	switch kind {
	case SentencePiece:
		return parseSentencePiece(string(data))
	case Llama2C:
		return parseLlama2C(string(data))
	case ByteBPE:
		return parseByteBPE(string(data))
	}
	return nil, fmt.Errorf("kind %q, want %q, %q or %q: %w", kind, SentencePiece, Llama2C, ByteBPE, ErrUnsupported)
}
