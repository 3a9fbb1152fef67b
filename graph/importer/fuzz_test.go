package importer

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"zeroth/internal/testdata"
)

// realFile reads a shared file for a fuzz target's seeds; nil where there is
// none. testdata.Shared would skip the target, generated seeds and all.
func realFile(name string) []byte {
	root := os.Getenv("ZEROTH_SHARED")
	if root == "" {
		root = testdata.Repo("../shared/data")
	}
	whole, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil
	}
	return whole
}

// FuzzLlama2c checks that any bytes give an error or a checkpoint that
// validates and whose weights all read.
func FuzzLlama2c(f *testing.F) {
	if whole := realFile("models/stories260K/stories260K.bin"); whole != nil {
		f.Add(whole)
	}
	// The size of a whole v2 file would slow the fuzzer to a crawl.
	if whole := realFile("models/stories3M/stories3M-q80.bin"); whole != nil {
		f.Add(whole[:4096])
	}
	for _, tied := range []bool{true, false} {
		for version, groupSize := range []int{0, 0, 4} {
			f.Add(buildLlama2c(tiny(tied), randomWeights(tiny(tied), groupSize), version, groupSize))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		checkpoint, err := newLlama2c(bytes.NewReader(file), int64(len(file)), "")
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrUnknownFormat) {
				t.Fatal(err)
			}
			return
		}
		if err := Validate(checkpoint); err != nil {
			t.Fatal(err)
		}
		checkPlacement(t, checkpoint, int64(len(file)))
		for _, name := range checkpoint.Names() {
			readWeight(t, checkpoint, name)
		}
	})
}

// FuzzGGUF checks that any bytes give an error or a checkpoint that validates
// and whose weights all read.
func FuzzGGUF(f *testing.F) {
	llama := tiny(false)
	llama.NormEps, llama.RopeTheta, llama.HeadDim, llama.Interleaved = 1e-5, 10000, 8, false
	llama.Rope = RopeScaling{Kind: RopeLlama3, Factor: 8, LowFactor: 1, HighFactor: 4, OriginalPositions: 64}
	for _, config := range []Config{llama, qwen3Config(), gpt2Config()} {
		config.Layers, config.MaxPositions = 1, 4
		for _, kind := range []string{"F32", "Q8_0"} {
			file := ConvertGGUF(f, fixed{config, randomWeights(config, 0)}, kind)
			f.Add(file.Bytes())
			file.Metadata["tokenizer.ggml.model"] = "llama"
			file.Metadata["tokenizer.ggml.tokens"] = []string{"<unk>", "<s>", "</s>"}
			file.Metadata["tokenizer.ggml.scores"] = []float32{0, 0, 0}
			file.Metadata["tokenizer.ggml.token_type"] = []int32{2, 3, 3}
			f.Add(file.Bytes())
		}
	}
	f.Fuzz(checkGGUF)
}

// FuzzHFConfig checks that any text gives an error or a config within limits.
func FuzzHFConfig(f *testing.F) {
	for _, name := range []string{
		"reviews-1m", "stories260K", "tiny-random-llama", "tiny-random-llama3",
		"tiny-random-qwen2", "tiny-random-qwen3", "tiny-random-gpt2", "tiny-random-opt", "tiny-random-roberta",
	} {
		if text := realFile("models/" + name + "/config.json"); text != nil {
			f.Add(text)
		}
	}
	f.Add([]byte(configText(true)))
	for _, text := range []string{qwen3Text, gpt2Text, optText, robertaText} {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"model_type":"llama","rope_parameters":{"rope_theta":5e5,"rope_type":"default"},"head_dim":8,"eos_token_id":[2,3]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		config, err := parseHFConfig(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		if config.Heads%config.KVHeads != 0 || config.HiddenSize < 1 || config.Heads*config.HeadDim > 1<<28 || config.VocabSize > 1<<24 ||
			config.BOS >= config.VocabSize || config.MaxPositions < 1 || config.Rotary() && config.HeadDim%2 != 0 {
			t.Fatalf("%+v", config)
		}
		if !config.Rotary() && (config.Activation == "" || config.Heads*config.HeadDim != config.HiddenSize) {
			t.Fatalf("%+v", config)
		}
		seen := make(map[string]bool)
		config.Layers = min(config.Layers, 3)
		for weight := range config.Weights() {
			if seen[weight.Name] || elements(weight.Shape) < 1 {
				t.Fatalf("%+v of %+v", weight, config)
			}
			seen[weight.Name] = true
		}
	})
}

// FuzzIndex checks that any text gives an error or shards with plain names.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":8},"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../x.safetensors"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		shards, err := parseIndex(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		for _, shard := range shards {
			if filepath.Base(shard.name) != shard.name || shard.name == ".." || len(shard.tensors) == 0 {
				t.Fatalf("%+v", shard)
			}
		}
	})
}
