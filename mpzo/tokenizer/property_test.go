package tokenizer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// alphabet mixes what tokenizers treat differently.
var alphabet = []string{
	"a", "b", "e", "h", "t", "the", "tide", " ", "  ", "\n", "\t", "\x00", "\x7f", "é", "ß", "漢", "🦙",
	"\u0301", "\ufffd", "\u2047", "<s>", "<unk>", "<0x41>", "▁", "\xff", "\xc3", "\xe2\x96", "\x80\x81",
}

func randomText(random *rand.Rand, parts []string) string {
	var text strings.Builder
	for range random.IntN(24) {
		text.WriteString(parts[random.IntN(len(parts))])
	}
	return text.String()
}

// binOf exports a SentencePiece model as llama2.c's tokenizer.py does.
func binOf(t testing.TB, tok Tokenizer) []byte {
	t.Helper()
	model := tok.(*sentencePiece)
	data := []byte{0xff, 0, 0, 0}
	for id, p := range model.pieces {
		text := strings.ReplaceAll(p.text, spaceMark, " ")
		if id == 1 || id == 2 {
			text = "\n" + text + "\n"
		}
		data = binRecord(data, p.score, text)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	plain := parse(t, SentencePiece, readLocal(t, "plain"))
	bin := parse(t, Llama2C, binOf(t, plain))
	random := rand.New(rand.NewPCG(1, 2))
	same := 0
	for range 5000 {
		text := strings.ToValidUTF8(randomText(random, alphabet), "?")
		if got := bin.Decode(bin.Encode(text)); got != text {
			t.Fatalf("tokenizer.bin: %q became %q", text, got)
		}
		text = strings.ReplaceAll(text, spaceMark, "")
		if got := plain.Decode(plain.Encode(text)); got != text {
			t.Fatalf("plain: %q became %q", text, got)
		}
		if text != "" && slices.Equal(plain.Encode(text), bin.Encode(text)) {
			same++
		}
	}
	if same < 4000 {
		t.Errorf("both formats of one vocabulary agree on %d texts of 5000", same)
	}
}

// A Decoder's texts join to Decode's, for any ids, and are valid UTF-8 each.
func TestDecoderEqualsDecode(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, name := range localModels {
		tok := parse(t, SentencePiece, readLocal(t, name))
		for range 2000 {
			ids := make([]int32, random.IntN(12))
			for i := range ids {
				ids[i] = int32(random.IntN(tok.VocabSize()+4)) - 2
			}
			decoder := tok.NewDecoder()
			var joined strings.Builder
			for _, id := range ids {
				text := decoder.Next(id)
				if !utf8.ValidString(text) {
					t.Fatalf("%s: %v: part %q is not valid UTF-8", name, ids, text)
				}
				joined.WriteString(text)
			}
			joined.WriteString(decoder.Flush())
			if want := tok.Decode(ids); joined.String() != want {
				t.Fatalf("%s: %v: joined %q, whole %q", name, ids, joined.String(), want)
			}
		}
	}
}

func TestDecoderHoldsBackBytes(t *testing.T) {
	tok := parse(t, SentencePiece, readLocal(t, "plain"))
	var steps []string
	decoder := tok.NewDecoder()
	for _, id := range tok.Encode("🦙a") {
		steps = append(steps, decoder.Next(id))
	}
	if want := []string{"", "", "", "", "🦙", "a"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	decoder = tok.NewDecoder()
	for _, id := range tok.Encode("🦙")[:3] {
		decoder.Next(id)
	}
	if got := decoder.Flush(); got != "\ufffd\ufffd" {
		t.Errorf("flush of two bytes of four: %q", got)
	}
}

func TestDecodeOutsideVocabulary(t *testing.T) {
	tok := parse(t, SentencePiece, readLocal(t, "bpe"))
	size := int32(tok.VocabSize())
	for _, id := range []int32{-1, math.MinInt32, size, math.MaxInt32, 0} {
		if got := tok.Decode([]int32{id}); got != "[?]" {
			t.Errorf("decode %d: %q, want the unknown surface", id, got)
		}
	}
	if tok.Piece(-1) != "" || tok.Piece(size) != "" || tok.Piece(1) != "<s>" {
		t.Errorf("pieces %q %q %q", tok.Piece(-1), tok.Piece(size), tok.Piece(1))
	}
}

// naiveBPE merges by the definition: search all pairs, merge the best, repeat.
func naiveBPE(v *vocabulary, text string) []string {
	var parts []string
	for text != "" {
		size := characterSize(text)
		parts = append(parts, text[:size])
		text = text[size:]
	}
	for {
		best, bestScore := -1, math.Inf(-1)
		for i := 1; i < len(parts); i++ {
			id, found := v.textual[parts[i-1]+parts[i]]
			if found && float64(v.pieces[id].score) > bestScore {
				best, bestScore = i, float64(v.pieces[id].score)
			}
		}
		if best < 0 {
			return parts
		}
		parts[best-1] += parts[best]
		parts = slices.Delete(parts, best, best+1)
	}
}

func TestBPEEqualsDefinition(t *testing.T) {
	tok := parse(t, SentencePiece, readLocal(t, "plain")).(*sentencePiece)
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		text := randomText(random, alphabet)
		want := collector{vocab: tok.vocabulary}
		if normalised := tok.normaliser.apply(text); normalised != "" {
			for _, part := range naiveBPE(tok.vocabulary, normalised) {
				want.add(part, tok.id(part))
			}
		}
		checkEncode(t, tok, text, want.ids)
	}
}

// Over every way to cut a short text, none scores above the unigram's choice.
func TestUnigramIsBest(t *testing.T) {
	data := tinyModel()
	scores := map[string]float64{}
	random := rand.New(rand.NewPCG(7, 8))
	for length := 1; length <= 4; length++ {
		for bits := range 1 << length {
			if length > 1 && random.IntN(3) == 0 {
				continue
			}
			text := strings.NewReplacer("0", "a", "1", "b").Replace(fmt.Sprintf("%0*b", length, bits))
			score := -float32(random.IntN(1000)) / 64
			scores[text] = float64(score)
			data = data.piece(text, score, pieceNormal)
		}
	}
	tok := parse(t, SentencePiece, data.normalizer(plainSpec()))
	var best func(text string) float64
	best = func(text string) float64 {
		if text == "" {
			return 0
		}
		most := math.Inf(-1)
		for size := 1; size <= min(4, len(text)); size++ {
			if score, found := scores[text[:size]]; found {
				most = max(most, score+best(text[size:]))
			}
		}
		return most
	}
	for range 500 {
		text := randomText(random, []string{"a", "b"})
		text = text[:min(len(text), 14)]
		total := 0.0
		for _, id := range tok.Encode(text) {
			total += scores[tok.Piece(id)]
		}
		if tok.Decode(tok.Encode(text)) != text || math.Abs(total-best(text)) > 1e-9 {
			t.Fatalf("%q: score %v, best %v", text, total, best(text))
		}
	}
}

// A long text must not take quadratic time: that would be minutes, not tenths of
// a second.
func TestLongText(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	words := []string{"the", " tide", " tower", "  ", "é", "zq", "🦙", "\n"}
	var mixed strings.Builder
	for mixed.Len() < 1<<18 {
		mixed.WriteString(words[random.IntN(len(words))])
	}
	plain := parse(t, SentencePiece, readLocal(t, "plain"))
	suffix := parse(t, SentencePiece, readLocal(t, "suffix"))
	bin := parse(t, Llama2C, binOf(t, plain))
	for _, text := range []string{mixed.String(), strings.Repeat("e", 1<<18), strings.Repeat(" ", 1<<18)} {
		for _, tok := range []Tokenizer{plain, suffix, bin} {
			if got := tok.Decode(tok.Encode(text)); strings.TrimSuffix(got, " ") != strings.TrimSuffix(text, " ") {
				t.Errorf("%T: a text of %d bytes came back as %d", tok, len(text), len(got))
			}
		}
	}
}

func TestUserDefinedAndControl(t *testing.T) {
	tok := parse(t, SentencePiece, readLocal(t, "bpe"))
	sep := tok.Encode("<sep>")
	if len(sep) != 2 || tok.Piece(sep[1]) != "<sep>" {
		t.Errorf("<sep> is %v", sep)
	}
	for _, text := range []string{"<s>", "</s>", "<unk>", "<0x41>"} {
		for _, id := range tok.Encode(text) {
			if id == tok.BOS() || id == tok.EOS() || tok.Piece(id) == text {
				t.Errorf("text %q gave the reserved piece %d", text, id)
			}
		}
	}
	noBOS := parse(t, SentencePiece, readLocal(t, "suffix"))
	if noBOS.BOS() != -1 || noBOS.EOS() < 0 {
		t.Errorf("suffix.model: BOS %d, EOS %d", noBOS.BOS(), noBOS.EOS())
	}
}
