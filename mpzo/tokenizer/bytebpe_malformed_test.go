package tokenizer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// changed returns tinyBytes as a container after a change.
func changed(t *testing.T, change func(v *byteVocabulary)) []byte {
	v := tinyBytes()
	change(v)
	return v.bytes(t)
}

func TestMalformedContainer(t *testing.T) {
	ok := tinyBytes().bytes(t)
	start := len(containerMagic)
	parts := func(settings string, rest ...byte) []byte {
		return append([]byte(containerMagic+string(rune(len(settings)))+settings), rest...)
	}
	const plain = `{"split":[],"unknown":-1,"eos":-1}`
	long := strings.Repeat("a", maxPieceBytes+1)
	added := func(tokens ...addedToken) []byte {
		return changed(t, func(v *byteVocabulary) {
			v.tokens = append(v.tokens, "", "")
			v.recipe.Added = tokens
		})
	}
	gap := int32(len(tinyBytes().tokens))
	checkMalformed(t, ByteBPE, []malformed{
		{"empty", nil, ErrMalformed, "byte 0"},
		{"magic cut", ok[:5], ErrMalformed, "byte 0"},
		{"version 2", binWith(ok, 5, 2), ErrMalformed, "byte 0"},
		{"line end changed", binWith(ok, 6, '\n'), ErrMalformed, "byte 0"},
		{"recipe size missing", ok[:start], ErrMalformed, "truncated number"},
		{"recipe size cut", append(ok[:start:start], 0x80), ErrMalformed, "truncated number"},
		{"recipe size not shortest", append(ok[:start:start], 0x80, 0x00), ErrMalformed, "shortest form"},
		{"recipe size past 64 bits", append(ok[:start:start], []byte(strings.Repeat("\xff", 10)+"\x01")...), ErrMalformed, "64 bits"},
		{"recipe size 2^63", append(ok[:start:start], []byte(strings.Repeat("\x80", 9)+"\x01")...), ErrTooLarge, "limit"},
		{"recipe past the end", append(ok[:start:start], 100, '{'), ErrMalformed, "1 left"},
		{"recipe no JSON", parts("{"), ErrMalformed, "recipe"},
		{"recipe twice", parts(plain + "{}"), ErrMalformed, "more than one"},
		{"recipe unknown field", parts(`{"colour":1}`), ErrMalformed, "colour"},
		{"recipe wrong type", parts(`{"split":1}`), ErrMalformed, "recipe"},
		{"recipe id of 40 bits", parts(`{"eos":1099511627776}`), ErrMalformed, "recipe"},
		{"no tokens", parts(plain), ErrMalformed, "truncated number"},
		{"tokens past the end", parts(plain, 9, 1, 'a'), ErrMalformed, "at most 2 fit"},
		{"too many tokens", parts(plain, 0xff, 0xff, 0xff, 0x7f), ErrTooLarge, "limit"},
		{"token past the end", parts(plain, 1, 2, 'a'), ErrMalformed, "1 left"},
		{"token too long", changed(t, func(v *byteVocabulary) { v.tokens = append(v.tokens, long) }), ErrTooLarge, "limit 1024"},
		{"no merges", parts(plain, 1, 1, 'a'), ErrMalformed, "truncated number"},
		{"merges past the end", parts(plain, 1, 1, 'a', 9, 0, 0), ErrMalformed, "at most 1 fit"},
		{"merge cut", parts(plain, 1, 1, 'a', 1, 0, 0x80), ErrMalformed, "truncated number"},
		{"merge id too large", parts(plain, 1, 1, 'a', 1, 0x80, 0x80, 0x80, 0x80, 1, 0), ErrTooLarge, "limit"},
		{"bytes behind", append(ok[:len(ok):len(ok)], 0), ErrMalformed, "1 bytes behind"},
		{"byte missing", changed(t, func(v *byteVocabulary) { v.tokens['q'] = "" }), ErrMalformed, "0x71"},
		{"no ids", parts(plain, 0, 0), ErrMalformed, "0x00"},
		{"token twice", changed(t, func(v *byteVocabulary) { v.tokens = append(v.tokens, "ab") }), ErrMalformed, "already that of token 256"},
		{"unknown outside", changed(t, func(v *byteVocabulary) { v.recipe.Unknown = gap }), ErrMalformed, "unknown: id"},
		{"unknown -2", changed(t, func(v *byteVocabulary) { v.recipe.Unknown = -2 }), ErrMalformed, "unknown: id"},
		{"EOS outside", changed(t, func(v *byteVocabulary) { v.recipe.EOS = 1 << 30 }), ErrMalformed, "eos: id"},
		{"prefix outside", changed(t, func(v *byteVocabulary) { v.recipe.Prefix = []int32{gap} }), ErrMalformed, "around a text"},
		{"suffix -1", changed(t, func(v *byteVocabulary) { v.recipe.Suffix = []int32{-1} }), ErrMalformed, "around a text"},
		{"long prefix", changed(t, func(v *byteVocabulary) { v.recipe.Prefix = make([]int32, 17) }), ErrTooLarge, "17 ids"},
		{"unknown step", changed(t, func(v *byteVocabulary) { v.recipe.Split = []string{"o200k"} }), ErrUnsupported, "o200k"},
		{"many steps", changed(t, func(v *byteVocabulary) { v.recipe.Split = make([]string, 9) }), ErrTooLarge, "9 steps"},
		{"merge of a gap", changed(t, func(v *byteVocabulary) {
			v.tokens = append(v.tokens, "")
			v.merges = append(v.merges, [2]int32{gap, 0})
		}), ErrMalformed, "has no token"},
		{"merge outside", changed(t, func(v *byteVocabulary) { v.merges[3][1] = gap }), ErrMalformed, "merge 3"},
		{"merge into nothing", changed(t, func(v *byteVocabulary) { v.merges[0] = [2]int32{'x', 'y'} }), ErrMalformed, "join to no token"},
		{"merge twice", changed(t, func(v *byteVocabulary) { v.merges = append(v.merges, v.merges[0]) }), ErrMalformed, "already merge 0"},
		{"merges and ranks", changed(t, func(v *byteVocabulary) { v.recipe.Ranks = true }), ErrMalformed, "by rank"},
		{"added outside", added(addedToken{ID: gap + 2, Content: "x"}), ErrMalformed, "id 265"},
		{"added negative", added(addedToken{ID: -1, Content: "x"}), ErrMalformed, "id -1"},
		{"added empty", added(addedToken{ID: gap}), ErrMalformed, "content"},
		{"added too long", added(addedToken{ID: gap, Content: long}), ErrTooLarge, "1025 bytes"},
		{"added id twice", added(addedToken{ID: gap, Content: "xx"}, addedToken{ID: gap, Content: "yy"}), ErrMalformed, "id 263 is already"},
		{"added content twice", added(addedToken{ID: gap, Content: "xx"}, addedToken{ID: gap + 1, Content: "xx"}), ErrMalformed, `"xx" is already`},
		{"added over another", added(addedToken{ID: 'q', Content: "x"}), ErrMalformed, "the vocabulary's token 113"},
	})
}

func TestContainerCutAndFlipped(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 42))
	for _, data := range [][]byte{tinyBytes().bytes(t), container(t, readSmall(t, "small")), container(t, readSmall(t, "small-unk"))} {
		for size := range data {
			if tok, err := Parse(ByteBPE, data[:size]); err == nil || tok != nil {
				t.Fatalf("%d of %d bytes were accepted", size, len(data))
			}
		}
		for range 4000 {
			flipped := append([]byte(nil), data...)
			for range 1 + random.IntN(3) {
				flipped[random.IntN(len(flipped))] = byte(random.Uint32())
			}
			if tok, err := Parse(ByteBPE, flipped); err == nil {
				exercise(tok, "the tide <mask> cat é\xff 12")
			}
		}
	}
}

// tinyJSON is a tokenizer.json of the 256 byte letters, "ab" and what is given.
func tinyJSON(top, model, vocab, merges string) string {
	var entries []string
	letters := newLetterTable()
	for value := range 256 {
		entries = append(entries, fmt.Sprintf("%q:%d", letters.spell(string([]byte{byte(value)})), value))
	}
	return `{` + top + `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE",` + model +
		`"vocab":{` + strings.Join(entries, ",") + `,"ab":256` + vocab + `},"merges":["a b"` + merges + `]}}`
}

func TestMalformedTokenizerJSON(t *testing.T) {
	ok := tinyJSON("", "", "", "")
	with := func(old, replacement string) string {
		if !strings.Contains(ok, old) {
			t.Fatalf("%s is not in the file", old)
		}
		return strings.Replace(ok, old, replacement, 1)
	}
	split := func(fields string) string {
		return with(`{"type":"ByteLevel","add_prefix_space":false}`, `{"type":"Sequence","pretokenizers":[{"type":"Split",`+fields+`},{"type":"ByteLevel"}]}`)
	}
	post := func(value string) string { return tinyJSON(`"post_processor":`+value+`,`, "", "", "") }
	addedJSON := func(value string) string { return tinyJSON(`"added_tokens":[`+value+`],`, "", "", "") }
	cases := []struct {
		name, data string
		want       error
		says       string
	}{
		{"empty object", `{}`, ErrUnsupported, "give tokenizer.model"},
		{"cut", ok[:len(ok)-1], ErrMalformed, "tokenizer.json"},
		{"two values", ok + "{}", ErrMalformed, "more than one"},
		{"list", "[]", ErrMalformed, "want a JSON object"},
		{"invalid UTF-8", with("ab", "\xff"), ErrMalformed, "UTF-8"},
		{"key twice", tinyJSON(`"model":{},`, "", "", ""), ErrMalformed, `"model" appears twice`},
		{"model key twice", tinyJSON("", `"merges":[],`, "", ""), ErrMalformed, `"merges" appears twice`},
		{"token twice", tinyJSON("", "", `,"ab":257`, ""), ErrMalformed, `"ab" appears twice`},
		{"token twice, escaped", tinyJSON("", "", `,"\u0061b":257`, ""), ErrMalformed, `"ab" appears twice`},
		{"lone surrogate", tinyJSON("", "", `,"\ud800":257`, ""), ErrMalformed, "no letter of a byte"},
		{"id twice", tinyJSON("", "", `,"ba":256`, ""), ErrMalformed, "256 is already"},
		{"id negative", tinyJSON("", "", `,"ba":-1`, ""), ErrMalformed, "id -1"},
		{"id 2^20", tinyJSON("", "", `,"ba":1048576`, ""), ErrTooLarge, "1048576"},
		{"id 2^40", tinyJSON("", "", `,"ba":1099511627776`, ""), ErrMalformed, `"ba"`},
		{"id with a fraction", tinyJSON("", "", `,"ba":257.5`, ""), ErrMalformed, `"ba"`},
		{"id text", tinyJSON("", "", `,"ba":"257"`, ""), ErrMalformed, `"ba"`},
		{"ids far apart", tinyJSON("", "", `,"ba":900000`, ""), ErrTooLarge, "900000"},
		{"empty token", tinyJSON("", "", `,"":257`, ""), ErrMalformed, "257 is empty"},
		{"letter of no byte", tinyJSON("", "", `,"漢":257`, ""), ErrMalformed, "no letter of a byte"},
		{"raw space", tinyJSON("", "", `,"a b":257`, ""), ErrMalformed, "no letter of a byte"},
		{"byte missing", with(`"q":113,`, ""), ErrMalformed, "0x71"},
		{"unk_token unknown", strings.Replace(tinyJSON("", `"unk_token":"<unk>",`, "", ""), `"q":113,`, "", 1), ErrMalformed, "unk_token"},
		{"byte_fallback", strings.Replace(tinyJSON("", `"byte_fallback":true,`, "", ""), `"q":113,`, "", 1), ErrUnsupported, "byte_fallback"},
		{"no vocab", `{"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE"}}`, ErrMalformed, "no vocab"},
		{"vocab list", `{"pre_tokenizer":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":[]}}`, ErrMalformed, "want a JSON object"},
		{"merge of one", tinyJSON("", "", "", `,"a"`), ErrMalformed, "merge 1"},
		{"merge of three", tinyJSON("", "", "", `,"a b c"`), ErrMalformed, "merge 1"},
		{"merge list of three", tinyJSON("", "", "", `,["a","b","c"]`), ErrMalformed, "merge 1"},
		{"merge number", tinyJSON("", "", "", `,7`), ErrMalformed, "merge 1"},
		{"merge of no token", tinyJSON("", "", "", `,"ab xy"`), ErrMalformed, `"xy" is not in the vocabulary`},
		{"merge into nothing", tinyJSON("", "", "", `,"ab c"`), ErrMalformed, "join to no token"},
		{"merge twice", tinyJSON("", "", "", `,"a b"`), ErrMalformed, "already merge 0"},
		{"merges object", strings.Replace(ok, `["a b"]`, `{}`, 1), ErrMalformed, "merges"},
		{"unigram", with(`"type":"BPE"`, `"type":"Unigram"`), ErrUnsupported, "Unigram"},
		{"dropout", tinyJSON("", `"dropout":0.1,`, "", ""), ErrUnsupported, "dropout"},
		{"word suffix", tinyJSON("", `"end_of_word_suffix":"</w>",`, "", ""), ErrUnsupported, "end_of_word_suffix"},
		{"normalizer", tinyJSON(`"normalizer":{"type":"NFKC"},`, "", "", ""), ErrUnsupported, "NFKC"},
		{"normalizer without type", tinyJSON(`"normalizer":{},`, "", "", ""), ErrMalformed, "no type"},
		{"deep normalizer", tinyJSON(`"normalizer":`+strings.Repeat(`{"type":"Sequence","normalizers":[`, 9)+strings.Repeat(`]}`, 9)+`,`, "", "", ""), ErrTooLarge, "nested"},
		{"very deep JSON", tinyJSON(`"x":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`,`, "", "", ""), ErrMalformed, "depth"},
		{"decoder", tinyJSON(`"decoder":{"type":"WordPiece"},`, "", "", ""), ErrUnsupported, "WordPiece"},
		{"pre-tokenizer", with("ByteLevel", "Metaspace"), ErrUnsupported, "Metaspace"},
		{"digits only", with("ByteLevel", "Digits"), ErrUnsupported, "no ByteLevel"},
		{"split behind", with(`{"type":"ByteLevel","add_prefix_space":false}`, `{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}`), ErrUnsupported, "behind ByteLevel"},
		{"many steps", with(`{"type":"ByteLevel","add_prefix_space":false}`, `{"type":"Sequence","pretokenizers":[`+strings.Repeat(`{"type":"Digits"},`, 9)+`{"type":"ByteLevel"}]}`), ErrTooLarge, "steps"},
		{"unknown expression", split(`"pattern":{"Regex":"\\w+"},"behavior":"Isolated","invert":false`), ErrUnsupported, `\\w+`},
		{"behavior", split(`"pattern":{"Regex":"` + strings.ReplaceAll(patternQwen2, `\`, `\\`) + `"},"behavior":"Removed","invert":false`), ErrUnsupported, "Removed"},
		{"post-processor", post(`{"type":"Weird"}`), ErrUnsupported, "Weird"},
		{"two post-processors", post(`{"type":"Sequence","processors":[{"type":"BertProcessing","sep":["a",1],"cls":["b",2]},{"type":"BertProcessing"}]}`), ErrUnsupported, "behind another"},
		{"sep of one", post(`{"type":"RobertaProcessing","sep":["a"],"cls":["b",2]}`), ErrMalformed, "sep"},
		{"cls outside", post(`{"type":"RobertaProcessing","sep":["a",1],"cls":["b",9999]}`), ErrMalformed, "id 9999"},
		{"template of two texts", post(`{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"Sequence":{"id":"B"}}]}`), ErrMalformed, "2 texts"},
		{"template token missing", post(`{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}]}`), ErrMalformed, "special_tokens"},
		{"template ids", post(`{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"a"}},{"Sequence":{}}],"special_tokens":{"a":{"ids":[` + strings.Repeat("1,", 40) + `1]}}}`), ErrTooLarge, "around"},
		{"added without content", addedJSON(`{"id":257}`), ErrMalformed, "no content"},
		{"added id huge", addedJSON(`{"id":2000000000,"content":"x"}`), ErrTooLarge, "2000000000"},
		{"added over another", addedJSON(`{"id":5,"content":"<s>"}`), ErrMalformed, "the vocabulary's token 5"},
		{"added key twice", addedJSON(`{"id":257,"content":"x","id":258}`), ErrMalformed, `"id" appears twice`},
	}
	if _, err := readTokenizerJSON([]byte(ok), modelConfig{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		v, err := readTokenizerJSON([]byte(c.data), modelConfig{})
		if err == nil {
			_, err = Parse(ByteBPE, v.bytes(t))
		}
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v saying %q", c.name, err, c.want, c.says)
		}
	}
	for size := 0; size < len(ok); size++ {
		if _, err := readTokenizerJSON([]byte(ok[:size]), modelConfig{}); err == nil {
			t.Fatalf("%d of %d bytes were accepted", size, len(ok))
		}
	}
}

func TestMalformedRanksAndMerges(t *testing.T) {
	for _, c := range []struct {
		data string
		want error
		says string
	}{
		{"", ErrMalformed, "tiktoken ranks"},
		{"IQ== 0\nIg== 1\n", ErrUnsupported, "2, of a model not known"},
		{"IQ== 0\nIg== 0\n", ErrMalformed, "rank 0 appears twice"},
		{"IQ== 0\nIg== 2\n", ErrMalformed, "rank 2 of 2"},
		{"IQ== 0\nIg== -1\n", ErrMalformed, "line 2"},
		{"IQ== 0\nIg== 99999999999999999999\n", ErrMalformed, "line 2"},
		{"IQ== 0\nIg==\n", ErrMalformed, "line 2"},
		{"IQ== 0\nIg= 1\n", ErrMalformed, "line 2"},
		{"IQ== 0\nIh== 1\n", ErrMalformed, "line 2"},
		{"IQ== 0\n 1\n", ErrMalformed, "token of 0 bytes"},
		{"IQ== 0\n\n", ErrMalformed, "line 2"},
		{strings.Repeat("\n", maxPieces+1), ErrTooLarge, "lines"},
	} {
		if _, err := readRanks([]byte(c.data)); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("ranks %.40q: got %v, want %v saying %q", c.data, err, c.want, c.says)
		}
	}
	for _, c := range []struct {
		data string
		want error
		says string
	}{
		{"#version: 0.2\na b\nc\n", ErrMalformed, "line 3"},
		{"a  b\n", ErrMalformed, "line 1"},
		{"a b c\n", ErrMalformed, "line 1"},
		{" a\n", ErrMalformed, "line 1"},
		{"a \n", ErrMalformed, "line 1"},
		{"a \xff\n", ErrMalformed, "UTF-8"},
	} {
		if _, err := readMergesText([]byte(c.data)); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("merges %.40q: got %v, want %v saying %q", c.data, err, c.want, c.says)
		}
	}
	merges, err := readMergesText([]byte("#version: 0.2\r\na b\r\n\r\nab c"))
	if err != nil || len(merges) != 2 || merges[1] != [2]string{"ab", "c"} {
		t.Errorf("CRLF: %q, %v", merges, err)
	}
}
