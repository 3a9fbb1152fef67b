package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

// modelFolder makes a folder of files; a content that begins with "@" is the
// path of a file of shared/data to link to.
func modelFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		shared, link := strings.CutPrefix(content, "@")
		var err error
		if link {
			err = os.Symlink(testdata.Shared(t, shared), path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

const (
	robertaVocab  = "@tokenizers/opt-roberta/gpt2-vocab.json"
	robertaMerges = "@tokenizers/opt-roberta/gpt2-merges.txt"

	// optConfig is what the OPT checkpoints' tokenizer_config.json says.
	optConfig = `{"errors":"replace","unk_token":{"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"__type":"AddedToken"},
"bos_token":{"content":"</s>","normalized":true},"eos_token":{"content":"</s>"},"pad_token":"<pad>","add_prefix_space":false,"add_bos_token":true,
"special_tokens_map_file":null,"tokenizer_class":"GPT2Tokenizer"}`
)

func TestOpenModelFolders(t *testing.T) {
	texts, ids := vectors(t, "roberta-bpe")
	const text = 20
	cases := []struct {
		name           string
		files          map[string]string
		prefix, suffix []int32
		eos, mask      int32
	}{
		{"RoBERTa", map[string]string{
			"vocab.json": robertaVocab, "merges.txt": robertaMerges, "config.json": `{"model_type":"roberta"}`,
			"tokenizer_config.json": `{"model_max_length":512}`,
		}, []int32{0}, []int32{2}, 2, 50264},
		{"RoBERTa without configuration", map[string]string{"vocab.json": robertaVocab, "merges.txt": robertaMerges}, []int32{0}, []int32{2}, 2, 50264},
		{"OPT", map[string]string{"vocab.json": robertaVocab, "merges.txt": robertaMerges, "config.json": `{"model_type":"opt"}`}, []int32{2}, nil, 2, -1},
		{
			"OPT by its tokenizer's configuration",
			map[string]string{"vocab.json": robertaVocab, "merges.txt": robertaMerges, "tokenizer_config.json": optConfig},
			[]int32{2},
			nil, 2, -1,
		},
		{
			"BOS turned off, EOS on",
			map[string]string{
				"vocab.json": robertaVocab, "merges.txt": robertaMerges, "config.json": `{"model_type":"opt"}`,
				"tokenizer_config.json": `{"bos_token":"<s>","eos_token":"</s>","mask_token":"<mask>","add_bos_token":false,"add_eos_token":true}`,
			},
			nil,
			[]int32{2},
			2, 50264,
		},
	}
	for _, c := range cases {
		tok, kind, data, err := Open(modelFolder(t, c.files))
		if err != nil || kind != ByteBPE {
			t.Errorf("%s: %q, %v", c.name, kind, err)
			continue
		}
		checkEncode(t, tok, texts[text], ids[text])
		special := parse(t, kind, data).(Special)
		want := slices.Concat(c.prefix, ids[text], c.suffix)
		if got := Wrap(tok, ids[text]); !slices.Equal(got, want) {
			t.Errorf("%s: wrapped %v, want %v", c.name, got, want)
		}
		if tok.EOS() != c.eos || special.SpecialID("<mask>") != c.mask {
			t.Errorf("%s: EOS %d, mask %d", c.name, tok.EOS(), special.SpecialID("<mask>"))
		}
	}
}

// RoBERTa's prompts: the mask takes the space before it.
func TestMaskInText(t *testing.T) {
	tok := openShared(t, "tokenizers/opt-roberta/gpt2-merges.txt", ByteBPE)
	want := append(tok.Encode("It was"), 50264, tok.Encode(".")[0])
	checkEncode(t, tok, "It was <mask>.", want)
	checkEncode(t, tok, "It was<mask>.", want)
	if got := tok.Decode(want); got != "It was." {
		t.Errorf("decode: %q", got)
	}
}

// The configuration may name special tokens, which lie behind the vocabulary,
// without their ids. With them is TestByteBPEPublished.
func TestQwenNamedTokens(t *testing.T) {
	tok, _, _, err := Open(modelFolder(t, map[string]string{
		"vocab.json": "@tokenizers/qwen2/vocab.json", "merges.txt": "@tokenizers/qwen2/merges.txt",
		"tokenizer_config.json": `{"eos_token":"<|im_end|>","pad_token":"<|endoftext|>"}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if tok.EOS() != 151645 || tok.BOS() != -1 || tok.VocabSize() != 151646 {
		t.Errorf("EOS %d, BOS %d, size %d", tok.EOS(), tok.BOS(), tok.VocabSize())
	}
	checkEncode(t, tok, "<|im_start|>", []int32{151644})
}

func TestOpenPicksAndRefuses(t *testing.T) {
	small, model := string(readSmall(t, "small")), string(readLocal(t, "plain"))
	unigram := `{"model":{"type":"Unigram"},"pre_tokenizer":{"type":"Metaspace"}}`
	pair := func(files map[string]string) map[string]string {
		files["vocab.json"], files["merges.txt"] = robertaVocab, robertaMerges
		return files
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		kind  Kind
		size  int
		err   error
		says  string
	}{
		{"json before the rest", pair(map[string]string{"tokenizer.json": small, "tokenizer.model": model}), ByteBPE, 388, nil, ""},
		{"pair before a model", pair(map[string]string{"tokenizer.model": model}), ByteBPE, 50265, nil, ""},
		{"json of another kind", pair(map[string]string{"tokenizer.json": unigram, "tokenizer.model": model}), SentencePiece, 460, nil, ""},
		{"json of another kind alone", pair(map[string]string{"tokenizer.json": unigram}), "", 0, ErrUnsupported, "Unigram"},
		{"malformed json does not give way", map[string]string{"tokenizer.json": "{", "tokenizer.model": model}, "", 0, ErrMalformed, "tokenizer.json"},
		{"vocab without merges", map[string]string{"vocab.json": "{}"}, "", 0, ErrNoTokenizer, "merges.txt"},
		{"ranks", map[string]string{"tokenizer.model": "@tokenizers/llama3/tokenizer.model"}, ByteBPE, 128256, nil, ""},
		{"class not known", pair(map[string]string{"tokenizer_config.json": `{"tokenizer_class":"CLIPTokenizer"}`}), "", 0, ErrUnsupported, "CLIPTokenizer"},
		{"EOS not known", map[string]string{"tokenizer.json": small, "tokenizer_config.json": `{"eos_token":"<end>"}`}, "", 0, ErrMalformed, "<end>"},
		{"BOS not known", map[string]string{"tokenizer.json": string(readSmall(t, "small-unk")), "tokenizer_config.json": `{"bos_token":"<b>","add_bos_token":true}`}, "", 0, ErrMalformed, "<b>"},
		{"malformed configuration", map[string]string{"tokenizer.json": small, "tokenizer_config.json": `{"eos_token":3}`}, "", 0, ErrMalformed, "eos_token"},
		{"key twice in the configuration", map[string]string{"tokenizer.json": small, "tokenizer_config.json": `{"a":1,"a":2}`}, "", 0, ErrMalformed, "twice"},
		{"malformed model configuration", map[string]string{"tokenizer.json": small, "config.json": `[]`}, "", 0, ErrMalformed, "config.json"},
		{"added token's id", pair(map[string]string{"tokenizer_config.json": `{"tokenizer_class":"GPT2Tokenizer","added_tokens_decoder":{"x":{"content":"a"}}}`}), "", 0, ErrMalformed, `id "x"`},
		{"special token missing", pair(map[string]string{"tokenizer_config.json": `{"tokenizer_class":"GPT2Tokenizer","pad_token":"[PAD]"}`}), "", 0, ErrMalformed, "[PAD]"},
	} {
		tok, kind, _, err := Open(modelFolder(t, c.files))
		if c.err != nil {
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) || tok != nil {
				t.Errorf("%s: error %v, want %v saying %q", c.name, err, c.err, c.says)
			}
			continue
		}
		if err != nil || kind != c.kind || tok.VocabSize() != c.size {
			t.Errorf("%s: kind %q, error %v, size %v", c.name, kind, err, tok)
		}
	}
	lone := modelFolder(t, map[string]string{"merges.txt": "a b\n"})
	if _, _, _, err := Open(filepath.Join(lone, "merges.txt")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("merges without a vocabulary: %v", err)
	}
}

// A container is a tokenizer file too, and gives itself.
func TestOpenContainer(t *testing.T) {
	data := container(t, readSmall(t, "small"))
	_, kind, again, err := Open(filepath.Join(modelFolder(t, map[string]string{"a.zbpe": string(data)}), "a.zbpe"))
	if err != nil || kind != ByteBPE || !slices.Equal(again, data) {
		t.Errorf("%q, %v", kind, err)
	}
}

func TestWrapWithoutSpecial(t *testing.T) {
	tok := parse(t, SentencePiece, readLocal(t, "plain"))
	if got := Wrap(tok, []int32{7, 8}); !slices.Equal(got, []int32{tok.BOS(), 7, 8}) {
		t.Errorf("with a BOS: %v", got)
	}
	if got := Wrap(parse(t, SentencePiece, readLocal(t, "suffix")), []int32{7}); !slices.Equal(got, []int32{7}) {
		t.Errorf("without one: %v", got)
	}
}
