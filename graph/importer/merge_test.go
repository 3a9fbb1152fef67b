package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/safetensors"
)

// product is B A with B = [1 … Out] as a column, twice, and A = [1 … In] as a
// row and its negative halves: row i, column j get Scale · (i+1)(j+1) / 2.
func product(module string, out, in int) LowRank {
	p := LowRank{Module: module, Out: out, In: in, Rank: 2, Scale: 0.25}
	for i := range out {
		p.B = append(p.B, float32(i+1), float32(i+1))
	}
	for j := range in {
		p.A = append(p.A, float32(j+1))
	}
	for j := range in {
		p.A = append(p.A, -float32(j+1)/2)
	}
	return p
}

func merge(t *testing.T, from string, products ...LowRank) (to string, left []string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "merged")
	left, err := Merge(context.Background(), from, to, products, nil)
	if err != nil {
		t.Fatal(err)
	}
	return to, left
}

// checkMerged adds the products to the weights, both exact in dtype.
func checkMerged(t *testing.T, folder string, weights map[string][]float32, products ...LowRank) {
	t.Helper()
	for _, p := range products {
		for i := range p.Out {
			for j := range p.In {
				weights[p.Module+".weight"][i*p.In+j] += float32(p.Scale) * float32(i+1) * float32(j+1) / 2
			}
		}
	}
	checkWeights(t, mustOpen(t, folder), weights)
}

func TestMergeShards(t *testing.T) {
	from := t.TempDir()
	weights := randomWeights(small(false), 0)
	text, err := json.Marshal(map[string]any{"weight_map": newSharded(t, from, weights)})
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, from, "model.safetensors.index.json", string(text))
	products := []LowRank{
		product("model.layers.0.self_attn.k_proj", 24, 48), product("model.layers.2.mlp.up_proj", 96, 48), product("lm_head", 40, 48),
	}
	to, left := merge(t, from, products...)
	checkMerged(t, to, weights, products...)
	if len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	names := func(folder string) (names []string) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
	if !slices.Equal(names(from), names(to)) {
		t.Errorf("%v became %v", names(from), names(to))
	}
}

// Each dtype is kept, eighths up to 14.5 being exact in all; and matrices stored as [inputs, outputs] get the product
// the other way round.
func TestMergeDTypes(t *testing.T) {
	for _, dtype := range []string{safetensors.F32, safetensors.F16, safetensors.BF16} {
		config := gpt2Config()
		config.MaxPositions = 16
		weights := make(map[string][]float32)
		var entries []safetensors.Entry
		for weight := range config.Weights() {
			values := make([]float32, elements(weight.Shape))
			for i := range values {
				values[i] = float32(i%5) / 4
			}
			weights[weight.Name] = values
			entry := safetensors.Entry{Name: weight.Name, DType: dtype, Shape: weight.Shape, Data: values}
			if len(weight.Shape) == 2 && strings.Contains(weight.Name, ".h.") {
				entry.Shape, entry.Data = []int{weight.Shape[1], weight.Shape[0]}, nil
				for i := range values {
					entry.Data = append(entry.Data, values[i%weight.Shape[0]*weight.Shape[1]+i/weight.Shape[0]])
				}
			}
			entries = append(entries, entry)
		}
		from := newFolder(t, plus(gpt2Text, `"n_positions":16`), entries)
		products := []LowRank{product("transformer.h.1.attn.c_attn", 18, 6)}
		to, _ := merge(t, from, products...)
		checkMerged(t, to, weights, products...)
		if info, err := mustOpen(t, to).Tensor("transformer.h.1.attn.c_attn.weight"); err != nil || info.DType != dtype {
			t.Errorf("%+v, %v", info, err)
		}
	}
}

// What is not of the model stays behind, and is named; nothing is written where
// something is already.
func TestMergeCompanions(t *testing.T) {
	from := newFolder(t, configText(true), entriesOf(small(true), randomWeights(small(true), 0)))
	copied := []string{"tokenizer.json", "tokenizer.model", "tokenizer.bin", "merges.txt", "LICENSE", "Licence.old", "README.md", "chat_template.jinja", "generation_config.json"}
	kept := []string{"adapter_config.json", "adapter_model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "model.gguf", "m.zpt"}
	for _, name := range slices.Concat(copied, kept, []string{".gitattributes"}) {
		writeText(t, from, name, "text of "+name)
	}
	if err := os.Mkdir(filepath.Join(from, "onnx"), 0o700); err != nil {
		t.Fatal(err)
	}
	to, left := merge(t, from, product("model.layers.1.mlp.gate_proj", 96, 48))
	kept = append(kept, "onnx")
	slices.Sort(kept)
	slices.Sort(left)
	if !slices.Equal(left, kept) {
		t.Errorf("left %v, want %v", left, kept)
	}
	for _, name := range append(copied, "config.json") {
		want, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(to, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range kept {
		if _, err := os.Lstat(filepath.Join(to, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	if _, err := Merge(context.Background(), from, to, nil, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another: %v", err)
	}
}

func TestMergeRefuses(t *testing.T) {
	from := newFolder(t, configText(true), entriesOf(small(true), randomWeights(small(true), 0)))
	short := product("model.layers.0.mlp.up_proj", 96, 48)
	short.A = short.A[1:]
	up := product("model.layers.0.mlp.up_proj", 96, 48)
	for name, c := range map[string]struct {
		products []LowRank
		want     error
		text     string
	}{
		"another layer":   {[]LowRank{product("model.layers.3.mlp.up_proj", 96, 48)}, ErrMismatch, `no linear layer "model.layers.3.mlp.up_proj"`},
		"another model":   {[]LowRank{product("transformer.h.0.attn.c_attn", 18, 6)}, ErrMismatch, "a llama model of 3 layers"},
		"another shape":   {[]LowRank{product("model.layers.0.mlp.up_proj", 96, 47)}, ErrMismatch, `tensor "model.layers.0.mlp.up_proj.weight" is [96 48], the adapter's product for it [96, 47]`},
		"within no layer": {[]LowRank{product("mlp.up_proj", 96, 48)}, ErrMismatch, `"mlp.up_proj"`},
		"an embedding":    {[]LowRank{product("model.embed_tokens", 40, 48)}, ErrMismatch, "embed_tokens"},
		"a tied head":     {[]LowRank{product("lm_head", 40, 48)}, ErrMismatch, "lm_head"},
		"a norm":          {[]LowRank{product("model.norm", 48, 1)}, ErrMismatch, "model.norm"},
		"no name":         {[]LowRank{product("", 1, 1)}, ErrMismatch, `""`},
		"short A":         {[]LowRank{short}, ErrArgument, "95 values of A"},
		"rank 0":          {[]LowRank{{Module: up.Module, Out: 96, In: 48}}, ErrArgument, "rank 0"},
		"twice":           {[]LowRank{up, up}, ErrArgument, "two products"},
	} {
		to := filepath.Join(t.TempDir(), "merged")
		if _, err := Merge(context.Background(), from, to, c.products, nil); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.text)
		}
	}
	to := filepath.Join(t.TempDir(), "merged")
	if _, err := Merge(context.Background(), filepath.Join(from, "model.safetensors"), to, nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := Merge(context.Background(), filepath.Join(from, "none"), to, nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}

// A merge that ends early leaves nothing.
func TestMergeEndsEarly(t *testing.T) {
	config := small(true)
	weights := randomWeights(config, 0)
	entries := entriesOf(config, weights)
	for i := range entries {
		entries[i].DType = safetensors.F16
	}
	from := newFolder(t, configText(true), entries)
	large := product("model.layers.0.mlp.up_proj", 96, 48)
	large.Scale = 1e6
	above := t.TempDir()
	if _, err := Merge(context.Background(), from, filepath.Join(above, "merged"), []LowRank{large}, nil); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "too large for F16") {
		t.Errorf("too large: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var told int64
	_, err := Merge(ctx, from, filepath.Join(above, "merged"), nil, func(done, total int64) {
		if told = done; done == total {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || told == 0 {
		t.Errorf("cancelled after %d bytes: %v", told, err)
	}
	if entries, err := os.ReadDir(above); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
