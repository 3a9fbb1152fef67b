package tokenizer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

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
	Decode(ids []int32) string

	// NewDecoder starts the same decoding one id at a time, for printing text
	// while it is generated.
	NewDecoder() *Decoder

	// Piece returns the vocabulary entry of id as the file spells it, or "" if
	// id is outside the vocabulary.
	Piece(id int32) string

	// VocabSize returns the number of pieces.
	VocabSize() int

	// BOS returns the id that begins a sequence, or -1 if the model has none.
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
)

// Parse reads the bytes of a tokenizer file. The bytes may be hostile: errors
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
	}
	return nil, fmt.Errorf("kind %q, want %q or %q: %w", kind, SentencePiece, Llama2C, ErrUnsupported)
}

// Open reads the tokenizer at path, telling its kind from its content. For a
// folder it reads tokenizer.model in it, or else tokenizer.bin; with neither
// the error wraps ErrNoTokenizer, or ErrUnsupported if a tokenizer.json is all
// there is. data is the whole file, to be given to Parse later.
func Open(path string) (tok Tokenizer, kind Kind, data []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", nil, err
	}
	if info.IsDir() {
		if path, err = fileInFolder(path); err != nil {
			return nil, "", nil, err
		}
	}
	if data, err = readLimited(path); err != nil {
		return nil, "", nil, err
	}
	if kind, err = detect(data); err == nil {
		tok, err = Parse(kind, data)
	}
	if err != nil {
		return nil, "", nil, fmt.Errorf("%s: %w", path, err)
	}
	return tok, kind, data, nil
}

// fileInFolder picks the tokenizer file of a model folder.
func fileInFolder(folder string) (string, error) {
	for _, name := range []string{"tokenizer.model", "tokenizer.bin", "tokenizer.json"} {
		path := filepath.Join(folder, name)
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if name == "tokenizer.json" {
			return "", fmt.Errorf("%s: not supported yet; give tokenizer.model: %w", path, ErrUnsupported)
		}
		return path, nil
	}
	return "", fmt.Errorf("%s: neither tokenizer.model nor tokenizer.bin: %w", folder, ErrNoTokenizer)
}

// readLimited reads a file of at most maxFileBytes bytes.
func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%s: more than %d bytes: %w", path, maxFileBytes, ErrTooLarge)
	}
	return data, nil
}

// detect tells the kind of a tokenizer file from its first bytes. A
// tokenizer.bin holds "<unk>" as its first record, at byte 12; a ModelProto
// begins with a length-delimited field of number 1 to 5, tags 0x0a to 0x2a.
func detect(data []byte) (Kind, error) {
	const first = "<unk>"
	if len(data) >= 12+len(first) && binary.LittleEndian.Uint32(data[8:]) == uint32(len(first)) &&
		string(data[12:12+len(first)]) == first {
		return Llama2C, nil
	}
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(data) == 0:
		return "", fmt.Errorf("the file is empty: %w", ErrMalformed)
	case bytes.HasPrefix(text, []byte("{")):
		return "", fmt.Errorf("looks like tokenizer.json, not supported yet; give tokenizer.model: %w", ErrUnsupported)
	case looksLikeTiktoken(data):
		return "", fmt.Errorf("looks like tiktoken ranks, not supported yet: %w", ErrUnsupported)
	case data[0] == 0x0a || data[0] == 0x12 || data[0] == 0x1a || data[0] == 0x22 || data[0] == 0x2a:
		return SentencePiece, nil
	}
	return "", fmt.Errorf("neither a SentencePiece model nor a llama2.c tokenizer.bin (first byte 0x%02x): %w", data[0], ErrUnsupported)
}

// looksLikeTiktoken reports whether data begins with a tiktoken line: base64, a
// space, the rank 0.
func looksLikeTiktoken(data []byte) bool {
	line, _, found := bytes.Cut(data[:min(len(data), 256)], []byte("\n"))
	token, rank, hasRank := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(" "))
	return found && hasRank && string(rank) == "0" && len(token) >= 4 && len(token)%4 == 0
}
