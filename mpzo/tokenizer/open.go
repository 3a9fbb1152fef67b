package tokenizer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"zeroth/internal/readat"
)

// vocabPairs are the names of a vocabulary and the merges beside it.
var vocabPairs = [...][2]string{
	{"vocab.json", "merges.txt"},
	{"encoder.json", "vocab.bpe"},
	{"gpt2-vocab.json", "gpt2-merges.txt"},
}

// Open reads the tokenizer at path, telling its kind from its content; vocab.json
// and merges.txt (or encoder.json and vocab.bpe, gpt2-vocab.json and
// gpt2-merges.txt) belong together, and either names both. tokenizer_config.json
// and config.json in the same folder are heeded by those and by tokenizer.json.
//
// In a folder it takes tokenizer.json, or else vocab.json and merges.txt, or else
// tokenizer.model, or else tokenizer.bin; a tokenizer.json of a kind that is not
// supported gives way to tokenizer.model and tokenizer.bin. With none of them the
// error wraps ErrNoTokenizer. data is all of the tokenizer, to be given to Parse.
func Open(path string) (tok Tokenizer, kind Kind, data []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", nil, err
	}
	if info.IsDir() {
		return openFolder(path)
	}
	return openFile(path)
}

// openFolder picks the tokenizer of a model folder.
func openFolder(folder string) (tok Tokenizer, kind Kind, data []byte, err error) {
	names := []string{"tokenizer.json"}
	for _, pair := range vocabPairs {
		names = append(names, pair[0])
	}
	names = append(names, "tokenizer.model", "tokenizer.bin")
	var refused error
	for _, name := range names {
		path := filepath.Join(folder, name)
		partner, paired := partnerOf(path)
		if there, err := exists(path, partner); err != nil {
			return nil, "", nil, err
		} else if !there || paired && refused != nil {
			continue
		}
		tok, kind, data, err = openFile(path)
		if name != "tokenizer.json" || !errors.Is(err, ErrUnsupported) {
			return tok, kind, data, err
		}
		refused = err
	}
	if refused != nil {
		return nil, "", nil, refused
	}
	return nil, "", nil, fmt.Errorf("%s: no tokenizer.json, vocab.json with merges.txt, tokenizer.model or tokenizer.bin: %w", folder, ErrNoTokenizer)
}

// exists reports whether all of the paths that are not "" exist.
func exists(paths ...string) (bool, error) {
	for _, path := range paths {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// partnerOf returns the path that belongs to one of vocabPairs.
func partnerOf(path string) (partner string, paired bool) {
	for _, pair := range vocabPairs {
		for side, name := range pair {
			if filepath.Base(path) == name {
				return filepath.Join(filepath.Dir(path), pair[1-side]), true
			}
		}
	}
	return "", false
}

// openFile reads one file, or a pair.
func openFile(path string) (tok Tokenizer, kind Kind, data []byte, err error) {
	if data, err = readLimited(path); err != nil {
		return nil, "", nil, err
	}
	if kind, data, err = canonical(path, data); err == nil {
		tok, err = Parse(kind, data)
	}
	if err != nil {
		return nil, "", nil, fmt.Errorf("%s: %w", path, err)
	}
	return tok, kind, data, nil
}

// canonical returns the kind of a file's content, and what Parse takes for it.
func canonical(path string, data []byte) (Kind, []byte, error) {
	partner, paired := partnerOf(path)
	text := bytes.TrimLeft(data, " \t\r\n")
	var v *byteVocabulary
	var err error
	switch {
	case bytes.HasPrefix(data, []byte(containerMagic)):
		return ByteBPE, data, nil
	case paired:
		v, err = canonicalPair(path, partner, data)
	case bytes.HasPrefix(text, []byte("{")):
		var config modelConfig
		if config, err = configBeside(path); err == nil {
			v, err = readTokenizerJSON(data, config)
		}
	case looksLikeTiktoken(data):
		v, err = readRanks(data)
	default:
		kind, err := detect(data)
		return kind, data, err
	}
	if err != nil {
		return "", nil, err
	}
	out, err := v.marshal()
	return ByteBPE, out, err
}

// canonicalPair reads a vocabulary and its merges, of which path is either.
func canonicalPair(path, partner string, data []byte) (*byteVocabulary, error) {
	other, err := readLimited(partner)
	if err != nil {
		return nil, fmt.Errorf("the file that belongs to it: %w", err)
	}
	config, err := configBeside(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".json") {
		return readVocabMerges(data, other, config)
	}
	return readVocabMerges(other, data, config)
}

// configBeside reads the configuration in the folder of a tokenizer's file.
func configBeside(path string) (modelConfig, error) {
	var files [2][]byte
	for i, name := range []string{"tokenizer_config.json", "config.json"} {
		data, err := readLimited(filepath.Join(filepath.Dir(path), name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return modelConfig{}, err
		}
		files[i] = data
	}
	return readModelConfig(files[0], files[1])
}

// readLimited reads a file of at most maxFileBytes bytes.
func readLimited(path string) ([]byte, error) {
	file, size, err := readat.Open(path)
	if readat.IsUseless(err) {
		return nil, fmt.Errorf("%w: %w", err, ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxFileBytes {
		return nil, fmt.Errorf("%s: more than %d bytes: %w", path, maxFileBytes, ErrTooLarge)
	}
	data := make([]byte, size)
	if err := readat.Full(file, data, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// detect tells a SentencePiece model and a tokenizer.bin by their first bytes. A
// tokenizer.bin holds "<unk>" as its first record, at byte 12; a ModelProto
// begins with a length-delimited field of number 1 to 5, tags 0x0a to 0x2a.
func detect(data []byte) (Kind, error) {
	const first = "<unk>"
	if len(data) >= 12+len(first) && binary.LittleEndian.Uint32(data[8:]) == uint32(len(first)) &&
		string(data[12:12+len(first)]) == first {
		return Llama2C, nil
	}
	switch {
	case len(data) == 0:
		return "", fmt.Errorf("the file is empty: %w", ErrMalformed)
	case data[0] == 0x0a || data[0] == 0x12 || data[0] == 0x1a || data[0] == 0x22 || data[0] == 0x2a:
		return SentencePiece, nil
	}
	return "", fmt.Errorf("neither tokenizer.json, tiktoken ranks, a SentencePiece model nor a llama2.c tokenizer.bin (first byte 0x%02x): %w",
		data[0], ErrUnsupported)
}

// looksLikeTiktoken reports whether data begins with a tiktoken line: base64, a
// space, the rank 0.
func looksLikeTiktoken(data []byte) bool {
	line, _, found := bytes.Cut(data[:min(len(data), 256)], []byte("\n"))
	token, rank, hasRank := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(" "))
	return found && hasRank && string(rank) == "0" && len(token) >= 4 && len(token)%4 == 0
}
