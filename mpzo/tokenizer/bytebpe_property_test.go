package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// tinyBytes is a vocabulary of the 256 bytes and what its merges make.
func tinyBytes() *byteVocabulary {
	v := &byteVocabulary{recipe: recipe{Split: []string{splitGPT2}, Unknown: noID, EOS: noID}}
	for value := range 256 {
		v.tokens = append(v.tokens, string([]byte{byte(value)}))
	}
	for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "a"}, {"ab", "ab"}, {"aa", "aa"}, {"\xc3", "\xa9"}, {"b", "ab"}} {
		v.add(pair[0], pair[1])
	}
	return v
}

// add adds a merge and the token it makes.
func (v *byteVocabulary) add(left, right string) {
	id := func(token string) int32 { return int32(slices.Index(v.tokens, token)) }
	v.merges = append(v.merges, [2]int32{id(left), id(right)})
	if id(left+right) < 0 {
		v.tokens = append(v.tokens, left+right)
	}
}

func (v *byteVocabulary) bytes(t testing.TB) []byte {
	t.Helper()
	data, err := v.marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// naiveMerges merges by the definition: the first merge of the list that applies
// anywhere, at its leftmost place, again and again.
func naiveMerges(v *byteVocabulary, word string) []string {
	var parts []string
	for i := range len(word) {
		parts = append(parts, word[i:i+1])
	}
next:
	for _, merge := range v.merges {
		for i := 1; i < len(parts); i++ {
			if parts[i-1] == v.tokens[merge[0]] && parts[i] == v.tokens[merge[1]] {
				parts[i-1] += parts[i]
				parts = slices.Delete(parts, i, i+1)
				goto next
			}
		}
	}
	return parts
}

func TestByteBPEEqualsDefinition(t *testing.T) {
	v := tinyBytes()
	tok := parse(t, ByteBPE, v.bytes(t)).(*byteBPE)
	random := rand.New(rand.NewPCG(31, 32))
	for range 4000 {
		text := randomText(random, []string{"a", "b", "a", "b", "é", "\xc3", " "})
		var want []int32
		tok.splitting.each(text, func(word string) {
			for _, part := range naiveMerges(v, word) {
				want = append(want, int32(slices.Index(v.tokens, part)))
			}
		})
		checkEncode(t, tok, text, want)
	}
}

// checkRoundTrip: any bytes come back; of Qwen2 and GPT-NeoX, the normalised text.
// Stepwise decoding gives the same, in parts of whole characters.
func checkRoundTrip(t *testing.T, tok Tokenizer, count int) {
	t.Helper()
	random := rand.New(rand.NewPCG(33, 34))
	for range count {
		raw := make([]byte, random.IntN(20))
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		text := randomText(random, splitTexts) + string(raw)
		want := text
		if tok.(*byteBPE).validOnly {
			want = string([]rune(want))
		}
		want = tok.(*byteBPE).normalise(want)
		ids := tok.Encode(text)
		if got := tok.Decode(ids); got != want {
			t.Fatalf("%d tokens: %q came back as %q", tok.VocabSize(), want, got)
		}
		checkStepwise(t, tok, ids)
	}
}

func TestByteBPERoundTrip(t *testing.T) {
	checkRoundTrip(t, parse(t, ByteBPE, tinyBytes().bytes(t)), 4000)
}

func checkStepwise(t *testing.T, tok Tokenizer, ids []int32) {
	t.Helper()
	whole := tok.Decode(ids)
	var joined strings.Builder
	decoder := tok.NewDecoder()
	for _, id := range ids {
		part := decoder.Next(id)
		if utf8.ValidString(whole) && !utf8.ValidString(part) {
			t.Fatalf("%v: part %q of %q", ids, part, whole)
		}
		joined.WriteString(part)
	}
	joined.WriteString(decoder.Flush())
	if joined.String() != whole {
		t.Fatalf("%v: stepwise %q, whole %q", ids, joined.String(), whole)
	}
}

func TestByteBPEDecodesAnyIDs(t *testing.T) {
	random := rand.New(rand.NewPCG(35, 36))
	for _, name := range smallTokenizers {
		tok := parse(t, ByteBPE, container(t, readSmall(t, name)))
		for range 2000 {
			ids := make([]int32, random.IntN(12))
			for i := range ids {
				ids[i] = int32(random.IntN(tok.VocabSize()+4)) - 2
			}
			checkStepwise(t, tok, ids)
		}
		if tok.Piece(-1) != "" || tok.Piece(int32(tok.VocabSize())) != "" || tok.Decode([]int32{-1, 1 << 30}) != "" {
			t.Errorf("%s: an id outside the vocabulary has text", name)
		}
	}
}

// checkLongText is as TestLongText: quadratic time would be minutes.
func checkLongText(t *testing.T, tok Tokenizer) {
	t.Helper()
	random := rand.New(rand.NewPCG(37, 38))
	var mixed strings.Builder
	for mixed.Len() < 1<<18 {
		mixed.WriteString(splitTexts[random.IntN(len(splitTexts)-5)])
		mixed.WriteString(" the tide came in")
	}
	const run = 100000
	for _, text := range []string{
		mixed.String(), strings.Repeat("a", run), strings.Repeat(" ", run), strings.Repeat("\n ", run/2), strings.Repeat("漢", run/3),
		strings.Repeat("7", run), strings.Repeat("!", run), strings.Repeat("a\u0301", run/3), "e" + strings.Repeat("\u0301", run/2),
		strings.Repeat("<|im_start|", run/10),
	} {
		want := tok.(*byteBPE).normalise(text)
		if got := tok.Decode(tok.Encode(text)); got != want {
			t.Errorf("%.20q: %d bytes came back as %d", text, len(want), len(got))
		}
	}
}

// nfc equals x/text where that is the plain form, and goes on where x/text
// breaks long runs of marks.
func TestNFC(t *testing.T) {
	random := rand.New(rand.NewPCG(39, 40))
	parts := []string{"a", "e", "\u0301", "\u0323", "\u0345", "é", "가", "\u1100", "\u1161", "\u11a8", "\u0928", "\u093c", "漢", "\u212b", "\xff", "\u0f71\u0f72", "ệ"}
	for range 5000 {
		text := randomText(random, parts)
		if got, want := compose(text), nfc(text); utf8.ValidString(text) && !manyMarks(text) && got != want {
			t.Fatalf("%+q: compose %+q, x/text %+q", text, got, want)
		}
	}
	for _, c := range [][2]string{
		{"e" + strings.Repeat("\u0301", 40) + "x", "é" + strings.Repeat("\u0301", 39) + "x"},
		{"a" + strings.Repeat("\u0301\u0323", 20), "ạ" + strings.Repeat("\u0323", 19) + strings.Repeat("\u0301", 20)},
		{"e\u0301" + strings.Repeat("\u0300", 50) + "e\u0301", "é" + strings.Repeat("\u0300", 50) + "é"},
		{"\xffe\u0301\xc3", "\xffé\xc3"},
	} {
		if got := nfc(c[0]); got != c[1] {
			t.Errorf("%+q\n got %+q\nwant %+q", c[0], got, c[1])
		}
	}
}

func FuzzByteBPE(f *testing.F) {
	f.Add(tinyBytes().bytes(f), "abab aé\xff")
	for _, name := range smallTokenizers {
		f.Add(container(f, readSmall(f, name)), "the <mask> cat[r] 12 e\u0301")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		fuzzOne(t, ByteBPE, data, text)
	})
}

func FuzzTokenizerJSON(f *testing.F) {
	for _, name := range smallTokenizers {
		f.Add(readSmall(f, name), []byte(`{"bos_token":"<s>","add_bos_token":true}`), "the <mask> cat")
	}
	f.Fuzz(func(t *testing.T, data, config []byte, text string) {
		c, err := readModelConfig(config, config)
		if err != nil {
			return
		}
		v, err := readTokenizerJSON(data, c)
		if err != nil {
			return
		}
		out, err := v.marshal()
		if err != nil {
			t.Fatal(err)
		}
		fuzzOne(t, ByteBPE, out, text)
	})
}
