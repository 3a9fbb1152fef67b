package adapter

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/gguf"
)

// What llama.cpp checks when it loads the file: the metadata, names in pairs,
// shapes (ne backwards) and the rows of q in the order of a converted Llama.
func TestWriteGGUF(t *testing.T) {
	a := sample(layered([]int{0, 12}, "self_attn.q_proj", "mlp.down_proj")...)
	path := filepath.Join(t.TempDir(), "adapter.gguf")
	for _, kind := range []GGUFType{GGUFF32, GGUFF16} {
		if err := WriteGGUF(path, a, Base{"llama", 4}, kind); err != nil {
			t.Fatal(err)
		}
		file, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{
			"general.type": "adapter", "general.architecture": "llama", "adapter.type": "lora", "general.name": "org/base",
		} {
			if got, err := file.String(key); err != nil || got != want {
				t.Errorf("%s is %q, %v", key, got, err)
			}
		}
		if alpha, err := file.Float("adapter.lora.alpha"); err != nil || alpha != 4 {
			t.Errorf("alpha is %v, %v", alpha, err)
		}
		if entry, _ := file.Find("adapter.lora.alpha"); entry.Type != gguf.Float32 {
			t.Errorf("alpha is a %s", entry.TypeName())
		}
		if got := len(file.Tensors()); got != 8 {
			t.Errorf("%d tensors", got)
		}
		for name, want := range map[string][]float32{
			"blk.0.attn_q.weight.lora_a":   a.A[0],
			"blk.0.attn_q.weight.lora_b":   {0, 0.0625, 0.25, 0.3125, 0.125, 0.1875, 0.375, 0.4375}, // rows 0 2 1 3
			"blk.0.ffn_down.weight.lora_b": a.B[1],
			"blk.12.attn_q.weight.lora_a":  a.A[2],
		} {
			shape := []int{4, 2}
			if strings.HasSuffix(name, "_a") {
				shape = []int{2, 3}
			}
			tensor, found := file.Lookup(name)
			if !found || !slices.Equal(tensor.Shape, shape) || tensor.Type != kind {
				t.Errorf("%s: %v %v %v", name, found, tensor.Shape, tensor.Type)
				continue
			}
			got := make([]float32, len(want))
			if err := file.ReadF32(name, got); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s holds %v, %v, want %v", name, got, err, want)
			}
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Only a Llama's rows are moved.
func TestWriteGGUFKeepsRows(t *testing.T) {
	for architecture, module := range map[string]string{
		"qwen2": "model.layers.0.self_attn.q_proj", "qwen3": "model.layers.0.self_attn.k_proj",
		"llama": "model.layers.0.self_attn.v_proj", "gpt2": "transformer.h.0.attn.c_attn",
	} {
		a := sample(module)
		entries, err := ggufEntries(a, Base{architecture, 4}, GGUFF32)
		if err != nil || len(entries) != 2 || !slices.Equal(entries[1].Data, a.B[0]) {
			t.Errorf("%s: %v, %v", architecture, entries, err)
		}
	}
}

func TestWriteGGUFRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *Adapter)
		base   Base
		kind   GGUFType
		want   error
		text   string
	}{
		"opt":             {nil, Base{"opt", 4}, GGUFF32, ErrUnsupported, `not "opt": merge the adapter`},
		"no architecture": {nil, Base{"", 4}, GGUFF32, ErrUnsupported, "llama, qwen2, qwen3 and gpt2"},
		"foreign module":  {nil, Base{"gpt2", 4}, GGUFF32, ErrUnsupported, "module model.layers.0.self_attn.q_proj: llama.cpp's gpt2 has no such layer"},
		"odd head":        {nil, Base{"llama", 3}, GGUFF32, ErrArgument, "heads of 3"},
		"no whole heads":  {nil, Base{"llama", 8}, GGUFF32, ErrArgument, "no whole heads"},
		"tiny alpha":      {func(a *Adapter) { a.Alpha = 1e-60 }, Base{"llama", 4}, GGUFF32, ErrUnsupported, "alpha is 1e-60"},
		"huge alpha":      {func(a *Adapter) { a.Alpha = 1e60 }, Base{"llama", 4}, GGUFF32, ErrUnsupported, "alpha is 1e+60"},
		"B NaN":           {func(a *Adapter) { a.B[0][0] = float32(math.NaN()) }, Base{"llama", 4}, GGUFF32, ErrArgument, "B[0] is NaN"},
		"large for F16":   {func(a *Adapter) { a.A[0][0] = 70000 }, Base{"llama", 4}, GGUFF16, gguf.ErrArgument, "use F32"},
		"quantised":       {nil, Base{"llama", 4}, gguf.Q8_0, gguf.ErrArgument, "Q8_0"},
	} {
		a := sample(qProj)
		if c.change != nil {
			c.change(a)
		}
		path := filepath.Join(t.TempDir(), "adapter.gguf")
		if err := WriteGGUF(path, a, c.base, c.kind); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.text)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s: a file was written", name)
		}
	}
}
