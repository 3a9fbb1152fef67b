package tokenizer

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// vectors returns llama.cpp's 47 texts and the ids of one of its vocabularies.
func vectors(t testing.TB, name string) (texts []string, ids [][]int32) {
	t.Helper()
	path := "tokenizers/llama_cpp_vectors/ggml-vocab-" + name + ".gguf"
	inputs, err := os.ReadFile(testdata.Shared(t, path+".inp"))
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := os.ReadFile(testdata.Shared(t, path+".out"))
	if err != nil {
		t.Fatal(err)
	}
	texts = strings.Split(string(inputs), "\n__ggml_vocab_test__\n")
	lines := strings.Split(string(outputs), "\n") // the last input and its line are empty
	if len(texts) != 47 || len(lines) != 47 {
		t.Fatalf("%s: %d inputs, %d outputs, want 47", name, len(texts), len(lines))
	}
	for _, line := range lines {
		var want []int32
		for field := range strings.FieldsSeq(line) {
			id, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, int32(id))
		}
		ids = append(ids, want)
	}
	return texts, ids
}

// published are the byte-level vocabularies of shared/data.
var published = []struct {
	path, vectors  string
	size, bos, eos int32
}{
	{"tokenizers/gpt2", "gpt-2", 50257, -1, 50256},
	{"tokenizers/opt-roberta", "roberta-bpe", 50265, 0, 2},
	{"tokenizers/qwen2", "qwen2", 151646, -1, 151645},
	{"tokenizers/llama3", "llama-bpe", 128256, 128000, 128001},
	{"tokenizers/neox", "mpt", 50277, -1, 0},
}

// Each is loaded once for all that is asked of it.
func TestByteBPEPublished(t *testing.T) {
	for _, p := range published {
		tok := openShared(t, p.path, ByteBPE)
		texts, ids := vectors(t, p.vectors)
		for i, text := range texts {
			checkEncode(t, tok, text, ids[i])
			if got := tok.Decode(ids[i]); got != text {
				t.Errorf("%s: decode %v\n got %q\nwant %q", p.path, ids[i], got, text)
			}
		}
		if tok.VocabSize() != int(p.size) || tok.BOS() != p.bos || tok.EOS() != p.eos {
			t.Errorf("%s: size %d, BOS %d, EOS %d", p.path, tok.VocabSize(), tok.BOS(), tok.EOS())
		}
		checkRoundTrip(t, tok, 1000)
		if p.vectors == "llama-bpe" || p.vectors == "qwen2" {
			checkLongText(t, tok)
		}
	}
}
