package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func checkEncode(t *testing.T, tok Tokenizer, text string, want []int32) {
	t.Helper()
	if got := tok.Encode(text); !slices.Equal(got, want) {
		t.Errorf("encode %q\n got %v\nwant %v", text, got, want)
	}
}

// What spm_encode and spm_decode made of the texts, see testdata/README.md.
func TestGolden(t *testing.T) {
	var golden map[string][]struct {
		Text    string
		IDs     []int32
		Decoded string
	}
	readJSON(t, filepath.Join("testdata", "golden.json"), &golden)
	for _, name := range localModels {
		tok := parse(t, SentencePiece, readLocal(t, name))
		if len(golden[name]) < 60 {
			t.Fatalf("%s: %d texts", name, len(golden[name]))
		}
		for _, c := range golden[name] {
			checkEncode(t, tok, c.Text, c.IDs)
			if got := tok.Decode(c.IDs); got != c.Decoded {
				t.Errorf("%s: decode %v\n got %q\nwant %q", name, c.IDs, got, c.Decoded)
			}
		}
	}
}

// llama.cpp's vectors for the Llama 2 vocabulary, in both file formats.
func TestLlamaVectors(t *testing.T) {
	const vectors = "tokenizers/llama_cpp_vectors/ggml-vocab-llama-spm.gguf"
	inputs, err := os.ReadFile(testdata.Shared(t, vectors+".inp"))
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := os.ReadFile(testdata.Shared(t, vectors+".out"))
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Split(string(inputs), "\n__ggml_vocab_test__\n")
	lines := strings.Split(string(outputs), "\n") // the last input and its line are empty
	if len(texts) != 47 || len(lines) != 47 {
		t.Fatalf("%d inputs, %d outputs, want 47", len(texts), len(lines))
	}
	for _, tok := range []Tokenizer{
		openShared(t, "tokenizers/llama2/tokenizer.model", SentencePiece),
		openShared(t, "tokenizers/llama2/tokenizer.bin", Llama2C),
	} {
		for i, text := range texts {
			var want []int32
			for field := range strings.FieldsSeq(lines[i]) {
				id, err := strconv.ParseInt(field, 10, 32)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, int32(id))
			}
			checkEncode(t, tok, text, want)
			if got := tok.Decode(want); got != text {
				t.Errorf("decode %v\n got %q\nwant %q", want, got, text)
			}
		}
		if tok.VocabSize() != 32000 || tok.BOS() != 1 || tok.EOS() != 2 {
			t.Errorf("size %d, BOS %d, EOS %d", tok.VocabSize(), tok.BOS(), tok.EOS())
		}
	}
}

func TestReviewsReference(t *testing.T) {
	tok := openShared(t, "models/reviews-1m", SentencePiece)
	var reference struct {
		Text       string  `json:"text"`
		InputIDs   []int32 `json:"input_ids"`
		GreedyIDs  []int32 `json:"greedy_ids"`
		GreedyText string  `json:"greedy_text"`
	}
	readJSON(t, testdata.Shared(t, "models/reviews-1m/reference.json"), &reference)
	if reference.InputIDs[0] != tok.BOS() {
		t.Errorf("BOS %d, want %d", tok.BOS(), reference.InputIDs[0])
	}
	checkEncode(t, tok, reference.Text, reference.InputIDs[1:])
	if got := tok.Decode(reference.InputIDs); got != reference.Text {
		t.Errorf("decode: got %q", got)
	}
	if got := tok.Decode(reference.GreedyIDs); got != reference.GreedyText {
		t.Errorf("greedy\n got %q\nwant %q", got, reference.GreedyText)
	}
}

func TestStoriesReference(t *testing.T) {
	for model, file := range map[string]string{"stories260K": "tok512.bin", "stories3M": "tok4096.bin"} {
		tok := openShared(t, "models/"+model+"/"+file, Llama2C)
		var prompts []struct {
			Prompt string
			IDs    []int32
		}
		readJSON(t, testdata.Shared(t, "models/"+model+"/reference/reference.json"), &prompts)
		if len(prompts) != 3 {
			t.Fatalf("%s: %d prompts, want 3", model, len(prompts))
		}
		for _, p := range prompts {
			if p.IDs[0] != tok.BOS() {
				t.Errorf("BOS %d, want %d", tok.BOS(), p.IDs[0])
			}
			checkEncode(t, tok, p.Prompt, p.IDs[1:])
			if got := tok.Decode(p.IDs); got != p.Prompt {
				t.Errorf("decode: got %q, want %q", got, p.Prompt)
			}
		}
	}
}
