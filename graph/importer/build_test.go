package importer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zeroth/internal/safetensors"
)

// small is a model whose sizes all differ, so that no two can be mixed up.
func small(tied bool) Config {
	return Config{
		Architecture: "llama", HiddenSize: 48, IntermediateSize: 96, Layers: 3, Heads: 2, KVHeads: 1,
		HeadDim: 24, VocabSize: 40, MaxPositions: 10, NormEps: 1e-5, RopeTheta: 10000,
		Interleaved: true, Tied: tied, BOS: 1, EOS: 2,
	}
}

// tiny is a model of a few hundred bytes.
func tiny(tied bool) Config {
	return Config{Architecture: "llama", HiddenSize: 4, IntermediateSize: 2, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 2, VocabSize: 3, MaxPositions: 1, Tied: tied}
}

// randomWeights gives every weight of a model values that int8 in groups of
// groupSize holds exactly, whole numbers × 2⁻⁷ with ±127 in each group.
func randomWeights(config Config, groupSize int) map[string][]float32 {
	random := rand.New(rand.NewPCG(3, 4))
	weights := make(map[string][]float32)
	for weight := range config.Weights() {
		values := make([]float32, elements(weight.Shape))
		for i := range values {
			values[i] = float32(random.IntN(255)-127) / 128
			if groupSize > 0 && i%groupSize == 0 {
				values[i] = 127.0 / 128
			}
		}
		weights[weight.Name] = values
	}
	return weights
}

// buildLlama2c writes a file as export.py does, in the order of its source.
func buildLlama2c(config Config, weights map[string][]float32, version, groupSize int) []byte {
	var file []byte
	word := func(value int) { file = binary.LittleEndian.AppendUint32(file, uint32(int32(value))) }
	floats := func(values []float32) {
		for _, value := range values {
			file = binary.LittleEndian.AppendUint32(file, math.Float32bits(value))
		}
	}
	quantised := func(values []float32) {
		if groupSize == 0 {
			floats(values)
			return
		}
		for _, value := range values {
			file = append(file, byte(int8(value*128)))
		}
		floats(slices.Repeat([]float32{1.0 / 128}, len(values)/groupSize))
	}
	layers := func(write func([]float32), suffix string) {
		for layer := range config.Layers {
			write(weights[fmt.Sprintf("model.layers.%d.%s.weight", layer, suffix)])
		}
	}
	vocab := config.VocabSize
	if version == 0 && !config.Tied {
		vocab = -vocab
	}
	if version > 0 {
		word(0x616b3432)
		word(version)
	}
	for _, size := range []int{config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads, config.KVHeads, vocab, config.MaxPositions} {
		word(size)
	}
	if version == 0 {
		floats(weights["model.embed_tokens.weight"])
		for _, suffix := range []string{
			"input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
			"self_attn.o_proj", "post_attention_layernorm", "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj",
		} {
			layers(floats, suffix)
		}
		floats(weights["model.norm.weight"])
		for range config.MaxPositions * config.HiddenSize / config.Heads {
			floats([]float32{99})
		}
		floats(weights["lm_head.weight"])
		return file
	}
	tied := byte(0)
	if config.Tied {
		tied = 1
	}
	file = append(file, tied)
	if version == 2 {
		word(groupSize)
	}
	file = append(file, make([]byte, 256-len(file))...)
	layers(floats, "input_layernorm")
	layers(floats, "post_attention_layernorm")
	floats(weights["model.norm.weight"])
	quantised(weights["model.embed_tokens.weight"])
	for _, suffix := range []string{
		"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
		"mlp.gate_proj", "mlp.down_proj", "mlp.up_proj",
	} {
		layers(quantised, suffix)
	}
	quantised(weights["lm_head.weight"])
	return file
}

// configText is config.json of small(tied).
func configText(tied bool) string {
	return fmt.Sprintf(`{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 48,
		"intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1,
		"vocab_size": 40, "max_position_embeddings": 10, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
		"hidden_act": "silu", "tie_word_embeddings": %v, "bos_token_id": 1, "eos_token_id": 2}`, tied)
}

// entriesOf turns a model's weights into tensors to write.
func entriesOf(config Config, weights map[string][]float32) []safetensors.Entry {
	var entries []safetensors.Entry
	for weight := range config.Weights() {
		entries = append(entries, safetensors.Entry{Name: weight.Name, Shape: weight.Shape, Data: weights[weight.Name]})
	}
	return entries
}

func writeText(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeTensors(t *testing.T, folder, name string, entries []safetensors.Entry) {
	t.Helper()
	if err := safetensors.Write(filepath.Join(folder, name), entries, nil); err != nil {
		t.Fatal(err)
	}
}

// checkWeights reads all weights of a checkpoint and compares them exactly.
func checkWeights(t *testing.T, checkpoint Checkpoint, want map[string][]float32) {
	t.Helper()
	if names := checkpoint.Names(); len(names) != len(want) {
		t.Errorf("%d names, want %d", len(names), len(want))
	}
	for _, name := range checkpoint.Names() {
		if got := readWeight(t, checkpoint, name); !slices.Equal(got, want[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func readWeight(t *testing.T, checkpoint Checkpoint, name string) []float32 {
	t.Helper()
	info, err := checkpoint.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, elements(info.Shape))
	if err := checkpoint.ReadF32(name, values); err != nil {
		t.Fatal(err)
	}
	checkRowReads(t, checkpoint, name, values)
	return values
}

// checkRowReads compares rows read by themselves with those of a whole read, bit
// for bit: none, the first, the last, a panel's worth from within, all but one.
func checkRowReads(t *testing.T, checkpoint Checkpoint, name string, whole []float32) {
	t.Helper()
	info, err := checkpoint.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	rows := info.Shape[0]
	length := len(whole) / rows
	for _, span := range [][2]int{{0, 0}, {rows, 0}, {0, 1}, {rows - 1, 1}, {rows / 3, min(16, rows-rows/3)}, {1, rows - 1}} {
		first, count := span[0], span[1]
		got := make([]float32, count*length)
		if err := checkpoint.ReadRows(name, first, got); err != nil {
			t.Fatalf("%s: %d rows from %d: %v", name, count, first, err)
		}
		for i, want := range whole[first*length : (first+count)*length] {
			if math.Float32bits(got[i]) != math.Float32bits(want) {
				t.Fatalf("%s: %d rows from %d: element %d is %g, read whole %g", name, count, first, i, got[i], want)
			}
		}
	}
	for _, wrong := range []struct{ first, count int }{{-1, length}, {rows, length}, {rows + 1, 0}, {0, (rows + 1) * length}} {
		if err := checkpoint.ReadRows(name, wrong.first, make([]float32, wrong.count)); !errors.Is(err, ErrArgument) {
			t.Fatalf("%s: %d elements from row %d: %v", name, wrong.count, wrong.first, err)
		}
	}
	if length > 1 {
		if err := checkpoint.ReadRows(name, 0, make([]float32, length+1)); !errors.Is(err, ErrArgument) {
			t.Fatalf("%s: a row and a piece: %v", name, err)
		}
	}
}

func mustOpen(t *testing.T, path string) Checkpoint {
	t.Helper()
	checkpoint, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoint.Close() })
	return checkpoint
}
