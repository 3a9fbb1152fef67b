package tokenizer

import (
	"errors"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// ggufOf gives a published tokenizer the shape of GGUF metadata.
func ggufOf(t *testing.T, path, pre string) GGUFVocabulary {
	t.Helper()
	_, kind, data, err := Open(testdata.Shared(t, path))
	if err != nil {
		t.Fatal(err)
	}
	tok := parse(t, kind, data).(*byteBPE)
	v, err := readContainer(string(data))
	if err != nil {
		t.Fatal(err)
	}
	g := GGUFVocabulary{Pre: pre, BOS: tok.BOS(), EOS: tok.EOS(), AddBOS: true}
	for id := range v.tokens {
		kind := int32(1)
		if added, found := tok.added[int32(id)]; found {
			kind = ggufUserDefined
			if added.Special {
				kind = ggufControl
			}
		} else if v.tokens[id] == "" {
			kind = ggufUnused
		}
		g.Tokens, g.Types = append(g.Tokens, tok.Piece(int32(id))), append(g.Types, kind)
	}
	for _, merge := range v.merges {
		g.Merges = append(g.Merges, tok.Piece(merge[0])+" "+tok.Piece(merge[1]))
	}
	return g
}

func TestGGUFVectors(t *testing.T) {
	for path, pre := range map[string]string{"tokenizers/gpt2": "gpt-2", "tokenizers/neox": "mpt"} {
		tok, data, err := FromGGUF(ggufOf(t, path, pre))
		if err != nil {
			t.Fatal(err)
		}
		again := parse(t, ByteBPE, data)
		texts, ids := vectors(t, pre)
		for i, text := range texts {
			checkEncode(t, tok, text, ids[i])
			checkEncode(t, again, text, ids[i])
		}
	}
}

func TestMalformedGGUF(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(g *GGUFVocabulary)
		want   error
		says   string
	}{
		{"pre", func(g *GGUFVocabulary) { g.Pre = "default" }, ErrUnsupported, `"default"`},
		{"types", func(g *GGUFVocabulary) { g.Types = g.Types[1:] }, ErrMalformed, "256 token types"},
		{"token twice", func(g *GGUFVocabulary) { g.Tokens[3] = g.Tokens[4] }, ErrMalformed, "already token"},
		{"merge of one", func(g *GGUFVocabulary) { g.Merges = []string{"a"} }, ErrMalformed, "merge 0"},
		{"merge into nothing", func(g *GGUFVocabulary) { g.Merges = []string{"a q"} }, ErrMalformed, "join to no token"},
		{"BOS outside", func(g *GGUFVocabulary) { g.BOS = 257 }, ErrMalformed, "id 257"},
		{"EOS outside", func(g *GGUFVocabulary) { g.EOS = 257 }, ErrMalformed, "id 257"},
		{"byte missing", func(g *GGUFVocabulary) { g.Types['q'] = ggufUnused }, ErrMalformed, "0x71"},
		{"no tokens", func(g *GGUFVocabulary) { g.Tokens, g.Types = nil, nil }, ErrMalformed, "id 256 of 0"},
		{"too many", func(g *GGUFVocabulary) { g.Merges = make([]string, maxPieces+1) }, ErrTooLarge, "merges"},
		{"control empty", func(g *GGUFVocabulary) { g.Tokens[256] = "" }, ErrMalformed, "content"},
	} {
		g := GGUFVocabulary{Pre: "gpt-2", BOS: 256, EOS: 256, AddBOS: true, AddEOS: true}
		letters := newLetterTable()
		for value := range 256 {
			g.Tokens, g.Types = append(g.Tokens, letters.spell(string([]byte{byte(value)}))), append(g.Types, 1)
		}
		g.Tokens, g.Types = append(g.Tokens, "<|endoftext|>"), append(g.Types, ggufControl)
		if _, _, err := FromGGUF(g); err != nil {
			t.Fatal(err)
		}
		c.change(&g)
		if _, _, err := FromGGUF(g); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v saying %q", c.name, err, c.want, c.says)
		}
	}
}
