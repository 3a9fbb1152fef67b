package tokenizer

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/gguf"
	"zeroth/internal/testdata"
)

// openGGUF opens a shared vocabulary of llama.cpp and reads a list.
func openGGUF(t *testing.T, name string) *gguf.File {
	t.Helper()
	file, err := gguf.Open(testdata.Shared(t, "tokenizers/llama_cpp_vectors/ggml-vocab-"+name+".gguf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func ggufList[T any](t *testing.T, read func(string) ([]T, error), key string) []T {
	t.Helper()
	values, err := read("tokenizer.ggml." + key)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func ggufTypes(t *testing.T, file *gguf.File) []int32 {
	var types []int32
	for _, kind := range ggufList(t, file.Ints, "token_type") {
		types = append(types, int32(kind))
	}
	return types
}

// The ids of llama.cpp for its own files.
func TestGGUFFileVectors(t *testing.T) {
	spm := openGGUF(t, "llama-spm")
	pieces, data, err := FromGGUFPieces(GGUFPieces{
		Tokens: ggufList(t, spm.Strings, "tokens"), Scores: ggufList(t, spm.Floats, "scores"), Types: ggufTypes(t, spm),
		BOS: 1, EOS: 2, AddBOS: true, AddSpacePrefix: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if pieces.VocabSize() != 32000 || pieces.BOS() != 1 || pieces.EOS() != 2 {
		t.Errorf("size %d, BOS %d, EOS %d", pieces.VocabSize(), pieces.BOS(), pieces.EOS())
	}
	bpe := openGGUF(t, "gpt-2")
	letters, _, err := FromGGUF(GGUFVocabulary{
		Pre: "gpt-2", Tokens: ggufList(t, bpe.Strings, "tokens"), Types: ggufTypes(t, bpe), Merges: ggufList(t, bpe.Strings, "merges"),
		BOS: 50256, EOS: 50256,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, tokenizers := range map[string][]Tokenizer{"llama-spm": {pieces, parse(t, SentencePiece, data)}, "gpt-2": {letters}} {
		texts, ids := vectors(t, name)
		if len(texts) != 47 {
			t.Fatalf("%s: %d texts, want 47", name, len(texts))
		}
		for _, tok := range tokenizers {
			for i, text := range texts {
				checkEncode(t, tok, text, ids[i])
				if got := tok.Decode(ids[i]); got != text {
					t.Errorf("%s: decode %v\n got %q\nwant %q", name, ids[i], got, text)
				}
			}
		}
	}
}

// tinyPieces are two words over their letters; of type 4 is a user's.
func tinyPieces() GGUFPieces {
	return GGUFPieces{
		Tokens: []string{"<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab", "<x>"},
		Scores: []float32{0, 0, 0, -1, -2, -3, -4, -5, 0}, Types: []int32{2, 3, 3, 1, 1, 1, 1, 1, 4},
		BOS: 1, EOS: 2, AddBOS: true, AddSpacePrefix: true,
	}
}

func TestGGUFPieces(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*GGUFPieces)
		text   string
		want   []int32
		bos    int32
		eos    int32
	}{
		{"as llama.cpp", func(*GGUFPieces) {}, "ab", []int32{6, 5}, 1, 2},
		{"no space in front", func(g *GGUFPieces) { g.AddSpacePrefix = false }, "ab", []int32{7}, 1, 2},
		{"spaces kept", func(*GGUFPieces) {}, "a  b", []int32{6, 3, 3, 5}, 1, 2},
		{"spaces removed", func(g *GGUFPieces) { g.RemoveExtraSpaces = true }, "a  b ", []int32{6, 3, 5}, 1, 2},
		{"user's token", func(*GGUFPieces) {}, "a<x>b", []int32{6, 8, 5}, 1, 2},
		{"no BOS", func(g *GGUFPieces) { g.AddBOS = false }, "", nil, -1, 2},
		{"none at all", func(g *GGUFPieces) { g.BOS, g.EOS = -1, -1 }, "", nil, -1, -1},
		{"EOS of another type", func(g *GGUFPieces) { g.EOS = 8 }, "<x>", []int32{3, 0}, 1, 8},
	} {
		g := tinyPieces()
		c.change(&g)
		tok, _, err := FromGGUFPieces(g)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := tok.Encode(c.text); !slices.Equal(got, c.want) || tok.BOS() != c.bos || tok.EOS() != c.eos {
			t.Errorf("%s: %v, BOS %d, EOS %d; want %v, %d, %d", c.name, got, tok.BOS(), tok.EOS(), c.want, c.bos, c.eos)
		}
	}
}

func TestMalformedGGUFPieces(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*GGUFPieces)
		want   error
		says   string
	}{
		{"scores", func(g *GGUFPieces) { g.Scores = g.Scores[1:] }, ErrMalformed, "8 scores for 9"},
		{"no scores", func(g *GGUFPieces) { g.Scores = nil }, ErrMalformed, "0 scores"},
		{"types", func(g *GGUFPieces) { g.Types = g.Types[:3] }, ErrMalformed, "3 token types"},
		{"no tokens", func(g *GGUFPieces) { *g = GGUFPieces{BOS: -1, EOS: -1} }, ErrMalformed, "no pieces"},
		{"type 0", func(g *GGUFPieces) { g.Types[4] = 0 }, ErrMalformed, "token 4: type 0"},
		{"type 7", func(g *GGUFPieces) { g.Types[4] = 7 }, ErrMalformed, "token 4: type 7"},
		{"type -1", func(g *GGUFPieces) { g.Types[4] = -1 }, ErrMalformed, "token 4: type -1"},
		{"type of 33 bits", func(g *GGUFPieces) { g.Types[4] = 257 }, ErrMalformed, "token 4: type 257"},
		{"BOS outside", func(g *GGUFPieces) { g.BOS = 9 }, ErrMalformed, "id 9"},
		{"EOS below", func(g *GGUFPieces) { g.EOS = -2 }, ErrMalformed, "id -2"},
		{"EOS behind", func(g *GGUFPieces) { g.AddEOS = true }, ErrUnsupported, "add_eos_token"},
		{"no unknown", func(g *GGUFPieces) { g.Types[0] = 1 }, ErrMalformed, "none of type unknown"},
		{"two unknown", func(g *GGUFPieces) { g.Types[4] = 2 }, ErrMalformed, "second unknown"},
		{"unknown is BOS", func(g *GGUFPieces) { g.BOS = 0 }, ErrMalformed, "none of type unknown"},
		{"token twice", func(g *GGUFPieces) { g.Tokens[4] = "b" }, ErrMalformed, "already that of piece"},
		{"empty token", func(g *GGUFPieces) { g.Tokens[4] = "" }, ErrMalformed, "empty text"},
		{"not UTF-8", func(g *GGUFPieces) { g.Tokens[4] = "\xff" }, ErrMalformed, "not valid UTF-8"},
		{"long token", func(g *GGUFPieces) { g.Tokens[4] = strings.Repeat("a", maxPieceBytes+1) }, ErrTooLarge, "1025 bytes"},
		{"score NaN", func(g *GGUFPieces) { g.Scores[4] = float32(math.NaN()) }, ErrMalformed, "finite"},
		{"a byte alone", func(g *GGUFPieces) { g.Tokens[4], g.Types[4] = "<0x00>", 6 }, ErrMalformed, "256 byte pieces"},
		{"a byte's text", func(g *GGUFPieces) { g.Types[4] = 6 }, ErrMalformed, `byte piece "a"`},
		{"too many", func(g *GGUFPieces) { g.Tokens = make([]string, maxPieces+1) }, ErrTooLarge, "1048577 tokens"},
		{"too long", func(g *GGUFPieces) {
			g.Tokens = slices.Repeat([]string{strings.Repeat("a", 1<<20)}, 65)
			g.Scores, g.Types = make([]float32, 65), slices.Repeat([]int32{1}, 65)
		}, ErrTooLarge, "bytes of tokens"},
	} {
		g := tinyPieces()
		c.change(&g)
		if _, _, err := FromGGUFPieces(g); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v saying %q", c.name, err, c.want, c.says)
		}
	}
}
