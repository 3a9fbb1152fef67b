package tokenizer

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

type malformed struct {
	name string
	data []byte
	want error
	says string
}

func checkMalformed(t *testing.T, kind Kind, cases []malformed) {
	t.Helper()
	for _, c := range cases {
		tok, err := Parse(kind, c.data)
		if tok != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v saying %q", c.name, err, c.want, c.says)
		}
	}
}

// charsMapModel is a model with the given precompiled_charsmap.
func charsMapModel(blob []byte) message {
	return tinyModel().normalizer(message{}.text(2, string(blob)))
}

func allBytes() message {
	m := tinyModel()
	for value := range 256 {
		m = m.piece(byteText(byte(value)), 0, pieceByte)
	}
	return m
}

func TestMalformedSentencePiece(t *testing.T) {
	ok := tinyModel()
	long := strings.Repeat("a", maxPieceBytes+1)
	fallback := message{}.varint(35, 1)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	checkMalformed(t, SentencePiece, []malformed{
		{"empty", nil, ErrMalformed, "no pieces"},
		{"no pieces", message{}.trainer(message{}.varint(3, 2)), ErrMalformed, "no pieces"},
		{"tag cut", []byte{0x8a}, ErrMalformed, "byte 1: truncated number"},
		{"size cut", []byte{0x0a, 0x80}, ErrMalformed, "truncated number"},
		{"size missing", []byte{0x0a}, ErrMalformed, "truncated number"},
		{"content cut", []byte{0x0a, 5, 'a'}, ErrMalformed, "field of 5 bytes, 1 left"},
		{"size 2^63", append([]byte{0x0a}, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1), ErrMalformed, "0 left"},
		{"size 2^31", append([]byte{0x0a}, 0x80, 0x80, 0x80, 0x80, 8), ErrMalformed, "2147483648 bytes"},
		{"number of 11 bytes", append([]byte{0x08}, []byte(strings.Repeat("\xff", 10)+"\x01")...), ErrMalformed, "longer than 64 bits"},
		{"number past 64 bits", append([]byte{0x08}, []byte(strings.Repeat("\xff", 9)+"\x02")...), ErrMalformed, "longer than 64 bits"},
		{"number without end", append([]byte{0x08}, []byte(strings.Repeat("\x80", 20))...), ErrMalformed, "longer than 64 bits"},
		{"field number 0", append(ok[:len(ok):len(ok)], 0x02, 0), ErrMalformed, "field number 0"},
		{"field number 2^29", append(ok[:len(ok):len(ok)], 0x82, 0x80, 0x80, 0x80, 0x10), ErrMalformed, "out of range"},
		{"group begins", append(ok[:len(ok):len(ok)], 0x3b), ErrMalformed, "wire type 3"},
		{"group ends", append(ok[:len(ok):len(ok)], 0x3c), ErrMalformed, "wire type 4"},
		{"wire type 6", append(ok[:len(ok):len(ok)], 0x3e), ErrMalformed, "wire type 6"},
		{"wire type 7", append(ok[:len(ok):len(ok)], 0x3f), ErrMalformed, "wire type 7"},
		{"fixed64 cut", append(ok[:len(ok):len(ok)], 0x39, 1, 2), ErrMalformed, "field of 8 bytes, 2 left"},
		{"fixed32 cut", append(ok[:len(ok):len(ok)], 0x3d, 1), ErrMalformed, "field of 4 bytes, 1 left"},
		{"piece is a number", message{}.varint(1, 3), ErrMalformed, "piece 0 has wire type 0"},
		{"trainer is a number", ok.varint(2, 3), ErrMalformed, "trainer_spec has wire type 0"},
		{"normalizer is fixed32", ok.float(3, 1), ErrMalformed, "normalizer_spec has wire type 5"},
		{"piece text is a number", ok.text(1, string(message{}.varint(1, 3))), ErrMalformed, "piece 1"},
		{"score is a number", ok.text(1, string(message{}.text(1, "a").varint(2, 3))), ErrMalformed, "score has wire type 0"},
		{"type is text", ok.text(1, string(message{}.text(1, "a").text(3, "1"))), ErrMalformed, "type has wire type 2"},
		{"type 0", ok.piece("a", 0, 0), ErrMalformed, "type 0"},
		{"type 7", ok.piece("a", 0, 7), ErrMalformed, "type 7"},
		{"type 2^40+1", ok.text(1, string(message{}.text(1, "a").varint(3, 1<<40+1))), ErrMalformed, "want 1 to 6"},
		{"text past the piece", ok.text(1, "\x0a\x05ab"), ErrMalformed, "piece 1: byte"},
		{"empty piece", ok.piece("", 0, pieceNormal), ErrMalformed, "piece 1: empty"},
		{"piece without text", ok.text(1, ""), ErrMalformed, "piece 1: empty"},
		{"piece too long", ok.piece(long, 0, pieceNormal), ErrTooLarge, "1025 bytes"},
		{"piece of invalid UTF-8", ok.piece("a\xff", 0, pieceNormal), ErrMalformed, "not valid UTF-8"},
		{"piece with a surrogate", ok.piece("\xed\xa0\x80", 0, pieceNormal), ErrMalformed, "not valid UTF-8"},
		{"score NaN", ok.piece("a", nan, pieceNormal), ErrMalformed, "score NaN"},
		{"score +Inf", ok.piece("a", inf, pieceNormal), ErrMalformed, "score +Inf"},
		{"score -Inf", ok.piece("a", -inf, pieceUserDefined), ErrMalformed, "score -Inf"},
		{"duplicate piece", ok.piece("a", 0, pieceNormal).piece("a", 1, pieceUnused), ErrMalformed, "already that of piece 1"},
		{"duplicate control", ok.piece("<s>", 0, pieceControl).piece("<s>", 0, pieceControl), ErrMalformed, "already"},
		{"no unknown", message{}.piece("a", 0, pieceNormal), ErrMalformed, "none of type unknown"},
		{"two unknowns", ok.piece("<unk2>", 0, pieceUnknown), ErrMalformed, "second unknown"},
		{"byte piece without fallback", ok.piece("<0x41>", 0, pieceByte), ErrMalformed, "without byte fallback"},
		{"fallback without bytes", ok.trainer(fallback), ErrMalformed, "found 0"},
		{"fallback with one byte", ok.piece("<0x41>", 0, pieceByte).trainer(fallback), ErrMalformed, "found 1"},
		{"byte piece of other text", ok.piece("<0x4>", 0, pieceByte).trainer(fallback), ErrMalformed, "byte piece"},
		{"byte piece in lower case", ok.piece("<0xab>", 0, pieceByte).trainer(fallback), ErrMalformed, "byte piece"},
		{"byte twice", allBytes().piece("<0x41>", 0, pieceByte).trainer(fallback), ErrMalformed, "already"},
		{"model type word", ok.trainer(message{}.varint(3, 3)), ErrUnsupported, "model_type 3"},
		{"model type 2^63", ok.trainer(message{}.varint(3, 1<<63)), ErrUnsupported, "model_type"},
		{"model type is text", ok.trainer(message{}.text(3, "2")), ErrMalformed, "model_type has wire type 2"},
		{"byte_fallback is text", ok.trainer(message{}.text(35, "1")), ErrMalformed, "byte_fallback"},
		{"suffix flag is fixed32", ok.trainer(message{}.float(24, 1)), ErrMalformed, "treat_whitespace"},
		{"unk_surface is a number", ok.trainer(message{}.varint(44, 1)), ErrMalformed, "unk_surface"},
		{"bos_piece is a number", ok.trainer(message{}.varint(46, 1)), ErrMalformed, "bos_piece"},
		{"dummy prefix is text", ok.normalizer(message{}.text(3, "")), ErrMalformed, "add_dummy_prefix"},
		{"space flags are text", ok.normalizer(message{}.text(4, "")), ErrMalformed, "remove_extra"},
		{"trainer cut inside", ok.trainer(message{0x18}), ErrMalformed, "trainer_spec"},
		{"denormalizer rules", ok.text(5, string(message{}.text(2, "x"))), ErrUnsupported, "denormalizer"},
		{"rules of 2 bytes", charsMapModel([]byte{1, 0}), ErrMalformed, "precompiled_charsmap: 2 bytes"},
		{"rules: trie size 0", charsMapModel([]byte{0, 0, 0, 0, 0}), ErrMalformed, "trie of 0 bytes"},
		{"rules: trie size 2^32-4", charsMapModel([]byte{0xfc, 0xff, 0xff, 0xff, 0}), ErrMalformed, "4294967292"},
		{"rules: trie size odd", charsMapModel([]byte{3, 0, 0, 0, 0, 0, 0, 0}), ErrMalformed, "multiple of 4"},
		{"rules: no replacements", charsMapModel([]byte{4, 0, 0, 0, 0, 0, 0, 0}), ErrMalformed, "behind"},
		{"rules: replacement without end", charsMapModel(charsMapBlob([]uint32{0}, "a")), ErrMalformed, "zero byte"},
		{"rules: replacement too long", charsMapModel(charsMapBlob([]uint32{0}, strings.Repeat("a", maxRuleBytes+1)+"\x00")), ErrTooLarge, "replacement of 257"},
		{"rules: value outside the trie", charsMapModel(charsMapBlob([]uint32{unitHasValue | 9<<10}, "\x00")), ErrMalformed, "value at unit 9"},
		{"rules: value outside with steps of 256", charsMapModel(charsMapBlob([]uint32{unitHasValue | 1<<9 | 1<<10}, "\x00")), ErrMalformed, "value at unit 256"},
		{"rules: value outside the replacements", charsMapModel(charsMapBlob([]uint32{unitHasValue | 1<<10, unitIsValue | 1}, "\x00")), ErrMalformed, "replacement at byte 1"},
	})
}

func TestTooManyPieces(t *testing.T) {
	data := []byte(strings.Repeat("\x0a\x00", maxPieces+1))
	checkMalformed(t, SentencePiece, []malformed{{"pieces past the limit", data, ErrTooLarge, "limit"}})
	data = append([]byte{1, 0, 0, 0}, strings.Repeat("\x00\x00\x00\x00\x00\x00\x00\x00", maxPieces+1)...)
	checkMalformed(t, Llama2C, []malformed{{"pieces past the limit", data, ErrTooLarge, "limit"}})
}

func TestMalformedLlama2C(t *testing.T) {
	ok := tinyBin(7, "a", "b")
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const first, firstByte = 4, 4 + 8 + 5 + 8 + 5 + 8 + 6 // offsets of piece 0 and of <0x00>
	end := len(ok)
	long := strings.Repeat("a", maxPieceBytes+1)
	checkMalformed(t, Llama2C, []malformed{
		{"empty", nil, ErrMalformed, "0 bytes"},
		{"header cut", ok[:3], ErrMalformed, "3 bytes"},
		{"header alone", ok[:4], ErrMalformed, "0 pieces"},
		{"longest 0", binWith(ok, 0, 0), ErrMalformed, "longest piece of 0"},
		{"longest -1", binWith(ok, 0, 0xff, 0xff, 0xff, 0xff), ErrMalformed, "longest piece of -1"},
		{"longest smallest", binWith(ok, 0, 0, 0, 0, 0x80), ErrMalformed, "longest piece of -2147483648"},
		{"longest too small", binWith(ok, 0, 5), ErrMalformed, "piece 2: byte"},
		{"score cut", ok[:first+2], ErrMalformed, "2 bytes left"},
		{"size cut", ok[:first+7], ErrMalformed, "7 bytes left"},
		{"text cut", ok[:first+10], ErrMalformed, "5 bytes of text, 2 left"},
		{"text missing", ok[:first+8], ErrMalformed, "0 left"},
		{"a byte behind", append(ok[:end:end], 0), ErrMalformed, "1 bytes left"},
		{"seven bytes behind", append(ok[:end:end], 0, 0, 0, 0, 0, 0, 0), ErrMalformed, "7 bytes left"},
		{"size -1", binWith(ok, first+4, 0xff, 0xff, 0xff, 0xff), ErrMalformed, "-1 bytes of text"},
		{"size smallest", binWith(ok, first+4, 0, 0, 0, 0x80), ErrMalformed, "-2147483648 bytes"},
		{"size largest", binWith(ok, first+4, 0xff, 0xff, 0xff, 0x7f), ErrMalformed, "2147483647 bytes"},
		{"size past the end", binWith(ok, end-5, 2), ErrMalformed, "2 bytes of text, 1 left"},
		{"size short of the end", binWith(ok, end-5, 0), ErrMalformed, "1 bytes left"},
		{"size of <unk> 4", binWith(ok, first+4, 4), ErrMalformed, "piece"},
		{"size of <unk> 6", binWith(ok, first+4, 6), ErrMalformed, "piece"},
		{"big-endian", []byte{0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5, '<', 'u', 'n', 'k', '>'}, ErrMalformed, "piece 0"},
		{"three pieces", ok[:firstByte], ErrMalformed, "3 pieces, want at least 259"},
		{"258 pieces", tinyBin(7)[:len(tinyBin(7))-14], ErrMalformed, "258 pieces"},
		{"first byte piece renamed", binWith(ok, firstByte+8+4, '1'), ErrMalformed, `want "<0x00>"`},
		{"byte pieces swapped", binWith(binWith(ok, firstByte+8+4, '1'), firstByte+14+8+4, '0'), ErrMalformed, "piece 3"},
		{"byte in lower case", binWith(ok, firstByte+14*0xab+8+3, 'a', 'b'), ErrMalformed, "piece 174"},
		{"unknown empty", append(append(ok[:first:first], 0, 0, 0, 0, 0, 0, 0, 0), ok[first+13:]...), ErrMalformed, "piece 0: empty"},
		{"empty piece", binRecord(ok[:end:end], 0, ""), ErrMalformed, "piece 261: empty"},
		{"duplicate piece", binRecord(ok[:end:end], 0, "a"), ErrMalformed, "already that of piece 259"},
		{"duplicate control", binWith(ok, first+13+8, '<', 'u', 'n', 'k', '>'), ErrMalformed, "piece 1: text"},
		{"BOS named as a byte", binWith(ok, first+13+13+8, '<', '0', 'x', '0', '0', '>'), ErrMalformed, "already that of piece 2"},
		{"invalid UTF-8", binRecord(ok[:end:end], 0, "\xc3"), ErrMalformed, "piece 261: text"},
		{"overlong UTF-8", binRecord(ok[:end:end], 0, "\xc0\x80"), ErrMalformed, "not valid UTF-8"},
		{"invalid UTF-8 in <unk>", binWith(ok, first+8, 0xff), ErrMalformed, "piece 0: text"},
		{"score NaN", binRecord(ok[:end:end], nan, "c"), ErrMalformed, "score NaN"},
		{"score +Inf", binRecord(ok[:end:end], inf, "c"), ErrMalformed, "score +Inf"},
		{"score -Inf", binRecord(ok[:end:end], -inf, "c"), ErrMalformed, "score -Inf"},
		{"score of a byte NaN", binWith(ok, firstByte, 0, 0, 0xc0, 0x7f), ErrMalformed, "piece 3: score"},
		{"piece too long", tinyBin(2000, long), ErrTooLarge, "piece 259: 1025 bytes"},
		{"text", []byte(strings.Repeat("the tide came in ", 9)), ErrMalformed, "piece 0"},
	})
}

// Cut anywhere, a file is refused or, where a cut leaves whole fields, still
// safe to use.
func TestTruncation(t *testing.T) {
	plain := readLocal(t, "plain")
	files := map[Kind][][]byte{
		SentencePiece: {plain, readLocal(t, "unigram")},
		Llama2C:       {binOf(t, parse(t, SentencePiece, plain))},
	}
	for kind, list := range files {
		for _, data := range list {
			for size := range data {
				if tok, err := Parse(kind, data[:size]); err == nil {
					exercise(tok, "the tide ABC é\xff")
				}
			}
		}
	}
}

func TestByteFlips(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	plain := readLocal(t, "plain")
	files := map[Kind][][]byte{
		SentencePiece: {plain, readLocal(t, "unigram"), readLocal(t, "unused")},
		Llama2C:       {binOf(t, parse(t, SentencePiece, plain))},
	}
	for kind, list := range files {
		for _, data := range list {
			for range 3000 {
				flipped := append([]byte(nil), data...)
				for range 1 + random.IntN(3) {
					flipped[random.IntN(len(flipped))] = byte(random.Uint32())
				}
				if tok, err := Parse(kind, flipped); err == nil {
					exercise(tok, "the tide ABC é\xff ﬁ")
				}
			}
		}
	}
}

// exercise uses a tokenizer in every way; it must only not panic.
func exercise(tok Tokenizer, text string) {
	ids := append(tok.Encode(text), -1, 0, 1, 2, int32(tok.VocabSize()), tok.BOS(), tok.EOS())
	for _, id := range ids {
		tok.Piece(id)
	}
	tok.Decode(ids)
}
