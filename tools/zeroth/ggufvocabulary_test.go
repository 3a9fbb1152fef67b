package main

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/gguf"
	"zeroth/internal/testdata"
	"zeroth/mpzo/tokenizer"
	"zeroth/runtime/program"
)

// writeGGUF writes a model of one layer and zeros for so many tokens.
func writeGGUF(t *testing.T, path string, llama bool, tokens int, vocabulary map[string]any) {
	t.Helper()
	a := "gpt2"
	shapes := map[string][]int{
		"token_embd.weight": {tokens, 8}, "position_embd.weight": {16, 8}, "output_norm.weight": {8}, "output_norm.bias": {8},
		"blk.0.attn_norm.weight": {8}, "blk.0.attn_norm.bias": {8}, "blk.0.ffn_norm.weight": {8}, "blk.0.ffn_norm.bias": {8},
		"blk.0.attn_qkv.weight": {24, 8}, "blk.0.attn_qkv.bias": {24}, "blk.0.attn_output.weight": {8, 8}, "blk.0.attn_output.bias": {8},
		"blk.0.ffn_up.weight": {32, 8}, "blk.0.ffn_up.bias": {32}, "blk.0.ffn_down.weight": {8, 32}, "blk.0.ffn_down.bias": {8},
	}
	if llama {
		a = "llama"
		shapes = map[string][]int{
			"token_embd.weight": {tokens, 8}, "output_norm.weight": {8}, "blk.0.attn_norm.weight": {8}, "blk.0.ffn_norm.weight": {8},
			"blk.0.attn_q.weight": {8, 8}, "blk.0.attn_k.weight": {8, 8}, "blk.0.attn_v.weight": {8, 8}, "blk.0.attn_output.weight": {8, 8},
			"blk.0.ffn_gate.weight": {32, 8}, "blk.0.ffn_up.weight": {32, 8}, "blk.0.ffn_down.weight": {8, 32},
		}
	}
	metadata := map[string]any{
		"general.architecture": a, a + ".context_length": uint32(16), a + ".embedding_length": uint32(8),
		a + ".feed_forward_length": uint32(32), a + ".block_count": uint32(1), a + ".attention.head_count": uint32(2),
		a + ".attention.layer_norm_epsilon": float32(1e-5), a + ".attention.layer_norm_rms_epsilon": float32(1e-5),
		a + ".vocab_size": uint32(tokens),
	}
	maps.Copy(metadata, vocabulary)
	var entries []gguf.Entry
	for name, shape := range shapes {
		count := 1
		for _, dim := range shape {
			count *= dim
		}
		entries = append(entries, gguf.Entry{Name: name, Shape: shape, Data: make([]float32, count)})
	}
	if err := gguf.Write(path, metadata, entries); err != nil {
		t.Fatal(err)
	}
}

// sharedVocabulary is what a file of llama.cpp says of its tokenizer.
func sharedVocabulary(t *testing.T, name string) map[string]any {
	t.Helper()
	file, err := gguf.Open(testdata.Shared(t, "tokenizers/llama_cpp_vectors/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vocabulary := make(map[string]any)
	for _, entry := range file.Metadata() {
		if !strings.HasPrefix(entry.Key, "tokenizer.") {
			continue
		}
		var value any
		switch entry.TypeName() {
		case "STRING":
			value, err = file.String(entry.Key)
		case "UINT32":
			var id uint64
			id, err = file.Uint(entry.Key)
			value = uint32(id)
		case "BOOL":
			value, err = file.Bool(entry.Key)
		case "ARRAY of STRING":
			value, err = file.Strings(entry.Key)
		case "ARRAY of FLOAT32":
			value, err = file.Floats(entry.Key)
		case "ARRAY of INT32":
			var wide []int64
			wide, err = file.Ints(entry.Key)
			narrow := make([]int32, len(wide))
			for i, v := range wide {
				narrow[i] = int32(v)
			}
			value = narrow
		default:
			t.Fatalf("%s: %s", entry.Key, entry.TypeName())
		}
		if err != nil {
			t.Fatal(err)
		}
		vocabulary[entry.Key] = value
	}
	return vocabulary
}

// A GGUF file becomes a program with the tokenizer that it holds.
func TestExportGGUF(t *testing.T) {
	for _, test := range []struct {
		name   string
		llama  bool
		tokens int
		kind   tokenizer.Kind
		want   []int32 // of " Hello", by llama.cpp's vectors
	}{
		{"ggml-vocab-llama-spm.gguf", true, 32000, tokenizer.SentencePiece, []int32{29871, 15043}},
		{"ggml-vocab-gpt-2.gguf", false, 50257, tokenizer.ByteBPE, []int32{18435}},
	} {
		folder := t.TempDir()
		from, out := filepath.Join(folder, "m.gguf"), filepath.Join(folder, "m.zpt")
		writeGGUF(t, from, test.llama, test.tokens, sharedVocabulary(t, test.name))
		var printed, notices strings.Builder
		o := exportOptions{From: from, Out: out, Quant: quantOptions{Type: "f32"}, LoRA: defaultLoRA()}
		if err := runExport(context.Background(), o, &printed, &notices); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(printed.String(), "GGUF m.gguf") || strings.Contains(notices.String(), "notice") {
			t.Errorf("%s%s", &printed, &notices)
		}
		file, err := program.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		kind := file.Program.Tokenizer.Kind
		tok, err := programTokenizer(file.Program)
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Encode(" Hello"); kind != string(test.kind) || !slices.Equal(got, test.want) {
			t.Errorf("%s: %s %v, want %v", test.name, kind, got, test.want)
		}
		file.Close()
	}
}

// A tokenizer that is not there or not read is noticed, a broken one refused.
func TestExportGGUFWithoutTokenizer(t *testing.T) {
	for _, test := range []struct {
		vocabulary  map[string]any
		notice, err string
	}{
		{nil, "takes token ids only", ""},
		{map[string]any{"tokenizer.ggml.model": "t5", "tokenizer.ggml.tokens": []string{"a"}}, `tokenizer.ggml.model "t5"`, ""},
		{map[string]any{"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "default", "tokenizer.ggml.tokens": []string{"a"}}, `tokenizer.ggml.pre "default"`, ""},
		{map[string]any{"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": []string{"a"}}, "", "0 scores for 1 tokens"},
		{map[string]any{"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": []int32{3}}, "", "tokenizer.ggml.tokens"},
	} {
		folder := t.TempDir()
		o := exportOptions{From: filepath.Join(folder, "m.gguf"), Out: filepath.Join(folder, "m.zpt"), Quant: quantOptions{Type: "f32"}, LoRA: defaultLoRA()}
		writeGGUF(t, o.From, true, 9, test.vocabulary)
		var notices strings.Builder
		err := runExport(context.Background(), o, io.Discard, &notices)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%v, want %q", err, test.err)
		}
		if !strings.Contains(notices.String(), test.notice) {
			t.Errorf("%s, want %q", &notices, test.notice)
		}
	}
}
