package tokenizer

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// A byte-level BPE lies in several files, of several kinds. A program keeps one
// container made of them. All numbers are unsigned LEB128 (binary.Uvarint), the
// shortest form only:
//
//	8 bytes   "zbpe" 0x00 0x01 "\r\n": name, version 1, proof of binary copying
//	number    bytes of the recipe, then the recipe: JSON, see recipe.go
//	number    ids; for each its token: number of bytes, bytes. 0 bytes where the
//	          vocabulary has no token; an added token may have the id
//	number    merges; for each the ids of left and right, which must join to a
//	          token. The first merge goes first. None where the recipe has ranks.
//
// The file ends there. Ids count from 0 in the order of the list.
const containerMagic = "zbpe\x00\x01\r\n"

// byteVocabulary is what a container holds, not yet checked.
type byteVocabulary struct {
	recipe recipe
	tokens []string // raw bytes by id; "" has no token
	merges [][2]int32
}

// marshal writes the container.
func (v *byteVocabulary) marshal() ([]byte, error) {
	settings, err := json.Marshal(v.recipe)
	if err != nil {
		return nil, err
	}
	out := append([]byte(nil), containerMagic...)
	out = append(binary.AppendUvarint(out, uint64(len(settings))), settings...)
	out = binary.AppendUvarint(out, uint64(len(v.tokens)))
	for _, token := range v.tokens {
		out = append(binary.AppendUvarint(out, uint64(len(token))), token...)
	}
	out = binary.AppendUvarint(out, uint64(len(v.merges)))
	for _, merge := range v.merges {
		out = binary.AppendUvarint(out, uint64(merge[0]))
		out = binary.AppendUvarint(out, uint64(merge[1]))
	}
	if len(out) > maxFileBytes {
		return nil, fmt.Errorf("%d bytes, limit %d: %w", len(out), maxFileBytes, ErrTooLarge)
	}
	return out, nil
}

// containerReader walks a container.
type containerReader struct {
	data string
	pos  int
}

// number reads a number of at most limit.
func (r *containerReader) number(what string, limit int) (int, error) {
	rest := r.data[r.pos:]
	value, size := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64+1)]))
	switch {
	case size == 0:
		return 0, fmt.Errorf("byte %d: %s: truncated number: %w", r.pos, what, ErrMalformed)
	case size < 0:
		return 0, fmt.Errorf("byte %d: %s: number longer than 64 bits: %w", r.pos, what, ErrMalformed)
	case size > 1 && rest[size-1] == 0:
		return 0, fmt.Errorf("byte %d: %s: number not in its shortest form: %w", r.pos, what, ErrMalformed)
	case value > uint64(limit):
		return 0, fmt.Errorf("byte %d: %s %d, limit %d: %w", r.pos, what, value, limit, ErrTooLarge)
	}
	r.pos += size
	return int(value), nil
}

// count reads how many things of at least size bytes follow.
func (r *containerReader) count(what string, limit, size int) (int, error) {
	count, err := r.number(what, limit)
	if err != nil {
		return 0, err
	}
	if rest := (len(r.data) - r.pos) / size; count > rest {
		return 0, fmt.Errorf("byte %d: %s %d, at most %d fit: %w", r.pos, what, count, rest, ErrMalformed)
	}
	return count, nil
}

// text reads a number of bytes and as many bytes.
func (r *containerReader) text(what string, limit int) (string, error) {
	size, err := r.number(what, limit)
	if err != nil {
		return "", err
	}
	if rest := len(r.data) - r.pos; size > rest {
		return "", fmt.Errorf("byte %d: %s %d, %d left: %w", r.pos, what, size, rest, ErrMalformed)
	}
	r.pos += size
	return r.data[r.pos-size : r.pos], nil
}

// readContainer reads the parts without holding them against each other.
func readContainer(data string) (*byteVocabulary, error) {
	if len(data) < len(containerMagic) || data[:len(containerMagic)] != containerMagic {
		return nil, fmt.Errorf("byte 0: want %q: %w", containerMagic, ErrMalformed)
	}
	r := &containerReader{data: data, pos: len(containerMagic)}
	settings, err := r.text("recipe of bytes", maxFileBytes)
	if err != nil {
		return nil, err
	}
	v := &byteVocabulary{}
	if err := readRecipe(settings, &v.recipe); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	count, err := r.count("ids", maxPieces, 1)
	if err != nil {
		return nil, err
	}
	v.tokens = make([]string, count)
	for id := range v.tokens {
		if v.tokens[id], err = r.text("bytes of a token", maxPieceBytes); err != nil {
			return nil, fmt.Errorf("token %d: %w", id, err)
		}
	}
	if count, err = r.count("merges", maxPieces, 2); err != nil {
		return nil, err
	}
	v.merges = make([][2]int32, count)
	for i := range v.merges {
		for side := range v.merges[i] {
			id, err := r.number("id", maxPieces)
			if err != nil {
				return nil, fmt.Errorf("merge %d: %w", i, err)
			}
			v.merges[i][side] = int32(id)
		}
	}
	if rest := len(data) - r.pos; rest > 0 {
		return nil, fmt.Errorf("byte %d: %d bytes behind the end: %w", r.pos, rest, ErrMalformed)
	}
	return v, nil
}

// readRecipe reads the JSON, in which every field must be known.
func readRecipe(settings string, into *recipe) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(settings)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", err, ErrMalformed)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("more than one JSON value: %w", ErrMalformed)
	}
	return nil
}
