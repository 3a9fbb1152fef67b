package tokenizer

import (
	"strings"
	"testing"
)

const fuzzTexts = "the tide ABC, AB"

func FuzzSentencePiece(f *testing.F) {
	for _, name := range localModels {
		f.Add(readLocal(f, name), fuzzTexts)
	}
	f.Add([]byte(charsMapModel(charsMapBlob(handTrie(), "a\x00xyz\x00"))), "AB\xff é")
	f.Add([]byte(allBytes().piece("ab", 1, pieceUnused).trainer(message{}.varint(35, 1).varint(3, 2))), "abab")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		fuzzOne(t, SentencePiece, data, text)
	})
}

func FuzzLlama2c(f *testing.F) {
	f.Add(tinyBin(9, " ", "a", "b", "ab", " ab", "é"), "ab abé\xff")
	f.Add(binOf(f, parse(f, SentencePiece, readLocal(f, "plain"))), fuzzTexts)
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		fuzzOne(t, Llama2C, data, text)
	})
}

// fuzzOne parses, and checks what must hold for any tokenizer that Parse lets
// through: ids within the vocabulary, whole and stepwise decoding alike.
func fuzzOne(t *testing.T, kind Kind, data []byte, text string) {
	tok, err := Parse(kind, data)
	if err != nil {
		return
	}
	exercise(tok, text)
	ids := tok.Encode(text)
	decoder := tok.NewDecoder()
	var joined strings.Builder
	for _, id := range ids {
		if id < 0 || int(id) >= tok.VocabSize() {
			t.Fatalf("id %d of %d", id, tok.VocabSize())
		}
		joined.WriteString(decoder.Next(id))
	}
	joined.WriteString(decoder.Flush())
	if whole := tok.Decode(ids); joined.String() != whole {
		t.Fatalf("stepwise %q, whole %q", joined.String(), whole)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, text := range alphabet {
		f.Add(text + fuzzTexts + text)
	}
	plain := parse(f, SentencePiece, readLocal(f, "plain"))
	suffix := parse(f, SentencePiece, readLocal(f, "suffix"))
	bin := parse(f, Llama2C, binOf(f, plain))
	f.Fuzz(func(t *testing.T, text string) {
		exercise(plain, text)
		exercise(suffix, text)
		exercise(bin, text)
		text = strings.ToValidUTF8(text, "\ufffd")
		if got := bin.Decode(bin.Encode(text)); got != text {
			t.Fatalf("tokenizer.bin: %q became %q", text, got)
		}
		text = strings.ReplaceAll(text, spaceMark, " ")
		if got := plain.Decode(plain.Encode(text)); got != text {
			t.Fatalf("plain: %q became %q", text, got)
		}
	})
}
