package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// decoding says how a vocabulary's ids become text.
type decoding struct {
	vocab          *vocabulary
	space          string // how pieces spell a space
	unknownSurface string // text of the unknown piece
	stripFirst     bool   // remove the first space of the text: the dummy prefix
	stripAll       bool   // remove one space of every piece until there is text
}

// decode returns the text of a whole sequence.
func (d *decoding) decode(ids []int32) string {
	var out strings.Builder
	decoder := newDecoder(d)
	for _, id := range ids {
		out.WriteString(decoder.Next(id))
	}
	out.WriteString(decoder.Flush())
	return out.String()
}

// Decoder decodes one id at a time. The texts it returns, joined, are exactly
// what Tokenizer.Decode returns for the whole sequence: the bytes of a character
// made of byte pieces are held back until it is complete. To print text while
// it is generated, feed the prompt's ids first, then each new one.
//
// A Decoder serves one sequence and one goroutine.
type Decoder struct {
	raw      *byteBPE // if not nil, tokens are bytes; of the rest only pending is used
	rules    *decoding
	pending  []byte // bytes of a character not yet complete, at most 3
	started  bool   // some text was returned
	stripped bool   // the first space was removed
}

func newDecoder(rules *decoding) *Decoder {
	return &Decoder{rules: rules}
}

// Next returns the text that id makes certain, which may be empty.
func (d *Decoder) Next(id int32) string {
	if d.raw != nil {
		d.pending = append(d.pending, d.raw.textOf(id)...)
		return d.take(completeSize(d.pending))
	}
	v := d.rules.vocab
	if v.contains(id) && v.pieces[id].kind == pieceByte {
		value, _ := byteOf(v.pieces[id].text)
		d.pending = append(d.pending, value)
		return d.characters(false)
	}
	held := d.Flush()
	text := d.surface(id)
	if text != "" {
		d.started = true
	}
	return held + text
}

// Flush returns the text of the bytes held back and forgets them: U+FFFD for
// each, or for byte-level BPE the bytes. Call it at the end of the sequence.
func (d *Decoder) Flush() string {
	if d.raw != nil {
		return d.take(len(d.pending))
	}
	return d.characters(true)
}

// take takes bytes off the pending ones.
func (d *Decoder) take(size int) string {
	out := string(d.pending[:size])
	d.pending = append(d.pending[:0], d.pending[size:]...)
	return out
}

// characters takes the complete characters off the pending bytes; at the end of
// a run of byte pieces it takes all.
func (d *Decoder) characters(all bool) string {
	var out []byte
	for len(d.pending) > 0 && (all || utf8.FullRune(d.pending)) {
		r, size := utf8.DecodeRune(d.pending)
		out = utf8.AppendRune(out, r)
		d.pending = append(d.pending[:0], d.pending[size:]...)
	}
	if len(out) > 0 {
		d.started = true
	}
	return string(out)
}

// surface returns the text of a piece that is not a byte.
func (d *Decoder) surface(id int32) string {
	v := d.rules.vocab
	if !v.contains(id) || id == v.unknown {
		return d.rules.unknownSurface
	}
	p := v.pieces[id]
	if p.kind == pieceControl {
		return ""
	}
	text := p.text
	if d.rules.stripFirst && !d.started && !d.stripped {
		rest, found := strings.CutPrefix(text, d.rules.space)
		text = rest
		d.stripped = found && !d.rules.stripAll
	}
	return strings.ReplaceAll(text, d.rules.space, " ")
}
