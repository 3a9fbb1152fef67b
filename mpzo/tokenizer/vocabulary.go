package tokenizer

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// pieceKind says what a piece is for. The values are those of SentencePiece's
// ModelProto.SentencePiece.Type.
type pieceKind uint8

const (
	pieceNormal      pieceKind = 1
	pieceUnknown     pieceKind = 2
	pieceControl     pieceKind = 3
	pieceUserDefined pieceKind = 4
	pieceUnused      pieceKind = 5
	pieceByte        pieceKind = 6
)

// matchesText reports whether a piece of this kind may be found in text.
func (k pieceKind) matchesText() bool {
	return k == pieceNormal || k == pieceUserDefined || k == pieceUnused
}

type piece struct {
	text  string
	score float32
	kind  pieceKind
}

// vocabulary is the checked list of pieces and the maps to find them by.
type vocabulary struct {
	pieces   []piece          // by id
	textual  map[string]int32 // pieces that match text
	reserved map[string]int32 // unknown, control and byte pieces
	unknown  int32            // id of the unknown piece
	bytes    *[256]int32      // id of each byte's piece; nil without byte fallback
	longest  int              // bytes of the longest piece that matches text
}

// newVocabulary checks pieces by the rules of SentencePiece's loader, and
// further that texts are valid UTF-8 and scores finite.
func newVocabulary(pieces []piece, byteFallback bool) (*vocabulary, error) {
	v := &vocabulary{
		pieces:   pieces,
		textual:  make(map[string]int32, len(pieces)),
		reserved: make(map[string]int32),
		unknown:  -1,
	}
	if byteFallback {
		v.bytes = new([256]int32)
	}
	byteCount := 0
	for index, p := range pieces {
		if err := v.add(int32(index), p); err != nil {
			return nil, fmt.Errorf("piece %d: %w", index, err)
		}
		if p.kind == pieceByte {
			byteCount++
		}
	}
	if v.unknown < 0 {
		return nil, fmt.Errorf("%d pieces, none of type unknown: %w", len(pieces), ErrMalformed)
	}
	if byteFallback && byteCount != 256 {
		return nil, fmt.Errorf("byte fallback needs 256 byte pieces, found %d: %w", byteCount, ErrMalformed)
	}
	return v, nil
}

// add checks one piece and enters it in the maps.
func (v *vocabulary) add(id int32, p piece) error {
	switch {
	case p.text == "":
		return fmt.Errorf("empty text: %w", ErrMalformed)
	case len(p.text) > maxPieceBytes:
		return fmt.Errorf("%d bytes, limit %d: %w", len(p.text), maxPieceBytes, ErrTooLarge)
	case !utf8.ValidString(p.text):
		return fmt.Errorf("text %q is not valid UTF-8: %w", p.text, ErrMalformed)
	case math.IsNaN(float64(p.score)) || math.IsInf(float64(p.score), 0):
		return fmt.Errorf("score %v is not a finite number: %w", p.score, ErrMalformed)
	}
	names := v.reserved
	if p.kind.matchesText() {
		names = v.textual
		v.longest = max(v.longest, len(p.text))
	}
	if earlier, found := names[p.text]; found {
		return fmt.Errorf("text %q is already that of piece %d: %w", p.text, earlier, ErrMalformed)
	}
	names[p.text] = id

	switch p.kind {
	case pieceUnknown:
		if v.unknown >= 0 {
			return fmt.Errorf("a second unknown piece, the first is %d: %w", v.unknown, ErrMalformed)
		}
		v.unknown = id
	case pieceByte:
		value, ok := byteOf(p.text)
		if !ok {
			return fmt.Errorf("byte piece %q, want <0x00> to <0xFF>: %w", p.text, ErrMalformed)
		}
		if v.bytes == nil {
			return fmt.Errorf("byte piece %q in a model without byte fallback: %w", p.text, ErrMalformed)
		}
		v.bytes[value] = id
	}
	return nil
}

// byteOf returns the value of a byte piece's text, "<0x" two upper-case
// hexadecimal digits ">".
func byteOf(text string) (byte, bool) {
	if len(text) != len("<0x00>") || text[:3] != "<0x" || text[5] != '>' {
		return 0, false
	}
	const digits = "0123456789ABCDEF"
	high, low := strings.IndexByte(digits, text[3]), strings.IndexByte(digits, text[4])
	if high < 0 || low < 0 {
		return 0, false
	}
	return byte(high<<4 | low), true
}

// byteText returns the text of a byte's piece.
func byteText(value byte) string {
	return fmt.Sprintf("<0x%02X>", value)
}

// id returns the id of the piece with this text: reserved ones come first, as
// in SentencePiece; the unknown piece if there is none.
func (v *vocabulary) id(text string) int32 {
	if id, found := v.reserved[text]; found {
		return id
	}
	if id, found := v.textual[text]; found {
		return id
	}
	return v.unknown
}

// control returns the id of the control piece with this text, or -1.
func (v *vocabulary) control(text string) int32 {
	if id := v.id(text); v.pieces[id].kind == pieceControl {
		return id
	}
	return -1
}

func (v *vocabulary) contains(id int32) bool {
	return id >= 0 && int(id) < len(v.pieces)
}

// Piece implements Tokenizer for both formats.
func (v *vocabulary) Piece(id int32) string {
	if !v.contains(id) {
		return ""
	}
	return v.pieces[id].text
}

// VocabSize implements Tokenizer for both formats.
func (v *vocabulary) VocabSize() int {
	return len(v.pieces)
}

// collector gathers the ids of an encoding. Unknown text becomes byte pieces
// where the model has them; otherwise a run of unknowns becomes one id.
type collector struct {
	vocab       *vocabulary
	ids         []int32
	lastUnknown bool
}

// add appends a symbol of the text whose piece is id.
func (c *collector) add(text string, id int32) {
	unknown := id == c.vocab.unknown
	switch {
	case unknown && c.vocab.bytes != nil:
		for i := 0; i < len(text); i++ {
			c.ids = append(c.ids, c.vocab.bytes[text[i]])
		}
	case !unknown || !c.lastUnknown:
		c.ids = append(c.ids, id)
	}
	c.lastUnknown = unknown
}
