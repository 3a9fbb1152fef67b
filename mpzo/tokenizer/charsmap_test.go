package tokenizer

import (
	"encoding/binary"
	"testing"
)

// charsMapBlob writes a precompiled_charsmap.
func charsMapBlob(units []uint32, replacements string) []byte {
	blob := binary.LittleEndian.AppendUint32(nil, uint32(4*len(units)))
	for _, unit := range units {
		blob = binary.LittleEndian.AppendUint32(blob, unit)
	}
	return append(blob, replacements...)
}

// A trie laid out by hand: "A" becomes "a", "AB" becomes "xyz", "C" nothing.
// The children of unit i are at i ^ offset ^ label, its value at i ^ offset.
func handTrie() []uint32 {
	units := make([]uint32, 1024)
	edge := func(label, offset uint32) uint32 { return label | offset<<10 }
	units[0] = edge(0, 256)                                // children at 256 ^ label
	units[256^'A'] = edge('A', 256^'A'^512) | unitHasValue // value and children at 512 ^ …
	units[512] = unitIsValue                               // "a"
	units[512^'B'] = edge('B', 512^'B'^700) | unitHasValue
	units[700] = unitIsValue | 2
	// The same kind of edge with an offset in steps of 256: 256^'C' ^ (2<<8) = 768^'C'.
	units[256^'C'] = 'C' | 2<<10 | 1<<9 | unitHasValue
	units[768^'C'] = unitIsValue | 1
	return units
}

func TestCharsMap(t *testing.T) {
	m, err := parseCharsMap(string(charsMapBlob(handTrie(), "a\x00xyz\x00")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, replacement string
		size              int
	}{
		{"A", "a", 1},
		{"AA", "a", 1},
		{"AB", "xyz", 2},
		{"ABB", "xyz", 2},
		{"C", "", 1},
		{"B", "", 0},
		{"\xff", "", 0},
		{"\x00", "", 0},
		{"", "", 0},
	} {
		replacement, size := m.longest(c.text)
		if replacement != c.replacement || size != c.size {
			t.Errorf("%q: %q, %d, want %q, %d", c.text, replacement, size, c.replacement, c.size)
		}
	}
}

// A trie whose edges lead in a circle must end with the text, and a replacement
// that is not UTF-8 must not harm the segmenters.
func TestCharsMapHostile(t *testing.T) {
	units := make([]uint32, 256)
	for label := range uint32(256) {
		units[label] = label | label<<10 // 0 ^ label ^ label: back to the root
	}
	text := string(make([]byte, 5000)) + "abc"
	for _, modelType := range []uint64{modelUnigram, modelBPE} {
		spec := message{}.text(2, string(charsMapBlob(units, "\x00")))
		data := tinyModel().piece("a", 0, pieceNormal).trainer(message{}.varint(3, modelType)).normalizer(spec)
		tok := parse(t, SentencePiece, data)
		checkEncode(t, tok, text, tok.Encode(text))

		spec = message{}.text(2, string(charsMapBlob(handTrie(), "\xe2\x00\xff\x96\x80\x00")))
		data = tinyModel().piece("é", 0, pieceNormal).trainer(message{}.varint(3, modelType)).normalizer(spec)
		exercise(parse(t, SentencePiece, data), "éAéABéCA é A")
	}
}
