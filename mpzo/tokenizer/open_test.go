package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zeroth/internal/testdata"
)

func TestOpen(t *testing.T) {
	model := readLocal(t, "plain")
	bin := binOf(t, parse(t, SentencePiece, model))
	folder := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("both/tokenizer.model", model)
	write("both/tokenizer.json", []byte("{}"))
	write("bin/tokenizer.bin", bin)
	write("json/tokenizer.json", []byte("{}"))
	write("none/config.json", []byte("{}"))
	cases := []struct {
		name string
		path string
		kind Kind
		err  error
		says string
	}{
		{"folder with a model", filepath.Join(folder, "both"), SentencePiece, nil, ""},
		{"folder with a bin", filepath.Join(folder, "bin"), Llama2C, nil, ""},
		{"folder with a json", filepath.Join(folder, "json"), "", ErrUnsupported, "give tokenizer.model"},
		{"folder without", filepath.Join(folder, "none"), "", ErrNoTokenizer, "none"},
		{"model of any name", write("a.bin", model), SentencePiece, nil, ""},
		{"bin of any name", write("a.model", bin), Llama2C, nil, ""},
		{"json file", write("a.json", []byte("\n {}")), "", ErrUnsupported, "give tokenizer.model"},
		{"tiktoken ranks", write("t.model", []byte("IQ== 0\nIg== 1\n")), "", ErrUnsupported, "tiktoken"},
		{"empty file", write("empty", nil), "", ErrMalformed, "empty"},
		{"something else", write("elf", []byte("\x7fELF")), "", ErrUnsupported, "first byte 0x7f"},
		{"cut model", write("cut", model[:len(model)/2]), "", ErrMalformed, "cut"},
		{"pointer", write("pointer", []byte("version https://git-lfs.github.com/spec/v1\n")), "", ErrMalformed, "Git LFS"},
		{"missing", filepath.Join(folder, "missing"), "", fs.ErrNotExist, "missing"},
	}
	for _, c := range cases {
		tok, kind, data, err := Open(c.path)
		if c.err != nil {
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) || tok != nil {
				t.Errorf("%s: error %v, want %v saying %q", c.name, err, c.err, c.says)
			}
			continue
		}
		if err != nil || kind != c.kind {
			t.Errorf("%s: kind %q, error %v", c.name, kind, err)
			continue
		}
		again := parse(t, kind, data)
		if again.VocabSize() != tok.VocabSize() || again.Decode(again.Encode("the tide")) != "the tide" {
			t.Errorf("%s: the bytes returned are not the tokenizer", c.name)
		}
	}
	if _, err := Parse("tiktoken", nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := Parse(SentencePiece, make([]byte, maxFileBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// TestOpenRefusesAPipe would hang if Open opened it.
func TestOpenRefusesAPipe(t *testing.T) {
	if _, _, _, err := Open(testdata.Pipe(t)); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}
