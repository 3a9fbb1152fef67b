package tokenizer

import (
	"encoding/binary"
	"fmt"
	"math"
)

// llama2c is a tokenizer read from a llama2.c tokenizer.bin.
//
// The file is little-endian: int32 bytes of the longest piece, then to the end
// of the file one record a piece: float32 score, int32 size in bytes, text. The
// number of pieces is not stored. Ids 0, 1, 2 are unknown, BOS and EOS, 3 to 258
// the bytes "<0x00>" to "<0xFF>". Pieces spell the space as itself.
type llama2c struct {
	*vocabulary
	decoding decoding
}

const (
	llama2cBOS       = 1
	llama2cEOS       = 2
	llama2cFirstByte = 3

	// llama2cScoreFloor is where run.c's search for the best merge starts.
	llama2cScoreFloor = -1e10
)

// parseLlama2C builds the tokenizer of a tokenizer.bin.
func parseLlama2C(data string) (Tokenizer, error) {
	pieces, err := readLlama2C(data)
	if err != nil {
		return nil, err
	}
	if want := llama2cFirstByte + 256; len(pieces) < want {
		return nil, fmt.Errorf("%d pieces, want at least %d: %w", len(pieces), want, ErrMalformed)
	}
	for index := range pieces[:llama2cFirstByte+256] {
		p := &pieces[index]
		switch {
		case index == 0:
			p.kind = pieceUnknown
		case index < llama2cFirstByte:
			p.kind = pieceControl
		default:
			p.kind = pieceByte
			if want := byteText(byte(index - llama2cFirstByte)); p.text != want {
				return nil, fmt.Errorf("piece %d: text %q, want %q: %w", index, p.text, want, ErrMalformed)
			}
		}
	}
	vocab, err := newVocabulary(pieces, true)
	if err != nil {
		return nil, err
	}
	return &llama2c{
		vocabulary: vocab,
		decoding:   decoding{vocab: vocab, space: " ", unknownSurface: " \u2047 ", stripFirst: true},
	}, nil
}

// readLlama2C reads the records, all as normal pieces. It walks them twice, so
// that they are counted before any is allocated.
func readLlama2C(data string) ([]piece, error) {
	const header = 4
	if len(data) < header {
		return nil, fmt.Errorf("%d bytes, want a header of %d: %w", len(data), header, ErrMalformed)
	}
	longest := int64(int32(binary.LittleEndian.Uint32([]byte(data[:header]))))
	if longest < 1 {
		return nil, fmt.Errorf("byte 0: longest piece of %d bytes: %w", longest, ErrMalformed)
	}
	count := 0
	if err := walkLlama2C(data, longest, func(piece) { count++ }); err != nil {
		return nil, err
	}
	if count > maxPieces {
		return nil, fmt.Errorf("%d pieces, limit %d: %w", count, maxPieces, ErrTooLarge)
	}
	pieces := make([]piece, 0, count)
	err := walkLlama2C(data, longest, func(p piece) { pieces = append(pieces, p) })
	return pieces, err
}

// walkLlama2C calls visit for each record.
func walkLlama2C(data string, longest int64, visit func(piece)) error {
	const header, recordHeader = 4, 8
	for pos, index := header, 0; pos < len(data); index++ {
		if rest := len(data) - pos; rest < recordHeader {
			return fmt.Errorf("piece %d: byte %d: %d bytes left, want a record header of %d: %w", index, pos, rest, recordHeader, ErrMalformed)
		}
		record := []byte(data[pos : pos+recordHeader])
		score := math.Float32frombits(binary.LittleEndian.Uint32(record))
		size := int64(int32(binary.LittleEndian.Uint32(record[4:])))
		pos += recordHeader
		switch rest := len(data) - pos; {
		case size < 0 || size > int64(rest):
			return fmt.Errorf("piece %d: byte %d: %d bytes of text, %d left: %w", index, pos, size, rest, ErrMalformed)
		case size > longest:
			return fmt.Errorf("piece %d: byte %d: %d bytes, the header says at most %d: %w", index, pos, size, longest, ErrMalformed)
		}
		visit(piece{text: data[pos : pos+int(size)], score: score, kind: pieceNormal})
		pos += int(size)
	}
	return nil
}

// Encode implements Tokenizer as run.c's encode does: a space goes in front of
// a text that is not empty; characters that are no piece become bytes, which
// never merge; then pairs are merged as in SentencePiece's BPE.
func (t *llama2c) Encode(text string) []int32 {
	to := collector{vocab: t.vocabulary}
	if text == "" {
		return to.ids
	}
	text = " " + text // the dummy prefix is a character of its own
	rules := pieceJoiner{vocab: t.vocabulary, floor: llama2cScoreFloor}
	m := merging{rules: &rules, longest: t.longest, text: text}
	m.symbols = make([]symbol, 0, len(text))
	for start, size := 0, 1; start < len(text); {
		unknown := t.id(text[start:start+size]) == t.unknown
		m.push(start, size, unknown)
		start += size
		size = llama2cCharacterSize(text[start:])
	}
	m.run()
	for index := 0; index >= 0; index = m.symbols[index].next {
		rules.emit(m.symbolText(index), &to)
	}
	return to.ids
}

// llama2cCharacterSize returns the bytes that run.c takes for one character: any
// byte and the continuation bytes behind it, 4 at most; 1 at the end of the text.
func llama2cCharacterSize(text string) int {
	size := 1
	for size < min(4, len(text)) && text[size]&0xc0 == 0x80 {
		size++
	}
	return size
}

// Decode implements Tokenizer.
func (t *llama2c) Decode(ids []int32) string {
	return t.decoding.decode(ids)
}

// NewDecoder implements Tokenizer.
func (t *llama2c) NewDecoder() *Decoder {
	return newDecoder(&t.decoding)
}

// BOS implements Tokenizer.
func (t *llama2c) BOS() int32 { return llama2cBOS }

// EOS implements Tokenizer.
func (t *llama2c) EOS() int32 { return llama2cEOS }
