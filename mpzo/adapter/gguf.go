package adapter

import (
	"fmt"
	"math"

	"zeroth/internal/gguf"
)

// Base is what llama.cpp must be told of the model that an adapter is for.
type Base struct {
	Architecture string // as Hugging Face's model_type: "llama"
	HeadDim      int    // rows of a head of q_proj and k_proj
}

// GGUFType is the element type of the tensors that [WriteGGUF] writes.
type GGUFType = gguf.Type

// The types that llama.cpp's converter writes and [WriteGGUF] too.
const (
	GGUFF32 = gguf.F32
	GGUFF16 = gguf.F16
)

// WriteGGUF writes the adapter as llama.cpp reads it (llama-cli --lora): the file
// appears whole or not at all, and its bytes depend on the arguments alone. It
// holds for each site, T being the name of the site's weight in a GGUF model,
//
//	T.lora_a  [r, in]
//	T.lora_b  [out, r]   rows in the order of T's
//
// and llama.cpp computes y = W x + alpha/r B (A x). An adapter of another
// architecture than llama, qwen2, qwen3 and gpt2, or of a layer that llama.cpp's
// model does not have, is an error that wraps [ErrUnsupported]. (Source:
// src/llama-adapter.cpp and convert_lora_to_gguf.py of ggml-org/llama.cpp.)
func WriteGGUF(path string, a *Adapter, base Base, t GGUFType) error {
	if err := a.check(); err != nil {
		return fmt.Errorf("adapter: write %s: %w", path, err)
	}
	entries, err := ggufEntries(a, base, t)
	if err != nil {
		return fmt.Errorf("adapter: write %s: %w", path, err)
	}
	metadata := map[string]any{
		"general.type":                 "adapter",
		"general.architecture":         base.Architecture,
		"general.quantization_version": uint32(2),
		"general.file_type":            uint32(t), // 0 for F32 and 1 for F16, as the types
		"adapter.type":                 "lora",
		"adapter.lora.alpha":           float32(a.Alpha),
	}
	if a.Base != "" {
		metadata["general.name"] = a.Base
	}
	if err := gguf.Write(path, metadata, entries); err != nil {
		return fmt.Errorf("adapter: %w", err)
	}
	return nil
}

// ggufEntries names the tensors of a checked adapter and orders their rows.
func ggufEntries(a *Adapter, base Base, t GGUFType) ([]gguf.Entry, error) {
	names, known := gguf.NamesOf(base.Architecture)
	if !known {
		return nil, fmt.Errorf("llama.cpp runs llama, qwen2, qwen3 and gpt2 with an adapter, not %.64q: merge the adapter into its checkpoint instead: %w",
			base.Architecture, ErrUnsupported)
	}
	// llama.cpp takes an alpha of 0 for a scale of 1.
	if alpha := float32(a.Alpha); alpha == 0 || math.IsInf(float64(alpha), 0) {
		return nil, fmt.Errorf("alpha is %g, which no float32 holds: %w", a.Alpha, ErrUnsupported)
	}
	var entries []gguf.Entry
	for i, site := range a.Sites {
		weight := site.Module + ".weight"
		tensor, found := names.Tensor(weight)
		if !found {
			return nil, fmt.Errorf("module %s: llama.cpp's %s has no such layer: train without it: %w", site.Module, base.Architecture, ErrUnsupported)
		}
		rows := a.B[i]
		if names.Paired(weight) {
			var err error
			if rows, err = HalfToInterleaved(rows, a.Rank, base.HeadDim); err != nil {
				return nil, fmt.Errorf("module %s: %w", site.Module, err)
			}
		}
		entries = append(entries,
			gguf.Entry{Name: tensor + ".lora_a", Type: t, Shape: []int{a.Rank, site.In}, Data: a.A[i]},
			gguf.Entry{Name: tensor + ".lora_b", Type: t, Shape: []int{site.Out, a.Rank}, Data: rows})
	}
	return entries, nil
}
