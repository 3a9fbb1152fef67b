package importer

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"zeroth/internal/half"
)

// GGUFFile is a file in the making. Tests change what they like before Bytes.
type GGUFFile struct {
	Metadata map[string]any
	Tensors  []GGUFTensor // rows before data, in this order
}

// GGUFTensor has ne as the file does, the fastest dimension first.
type GGUFTensor struct {
	Name string
	NE   []int
	Type uint32
	Data []byte
}

// ConvertGGUF follows the rules of llama.cpp's convert_hf_to_gguf.py for a
// checkpoint of a Hugging Face folder: its keys and names, q and k of a Llama in
// pairs, Llama 3's scaling as a tensor, vectors always in F32.
func ConvertGGUF(t testing.TB, checkpoint Checkpoint, matrices string) *GGUFFile {
	t.Helper()
	c := checkpoint.Config()
	a := c.Architecture
	file := &GGUFFile{Metadata: map[string]any{
		"general.architecture":         a,
		"general.type":                 "model",
		a + ".context_length":          uint32(c.MaxPositions),
		a + ".embedding_length":        uint32(c.HiddenSize),
		a + ".feed_forward_length":     uint32(c.IntermediateSize),
		a + ".block_count":             uint32(c.Layers),
		a + ".attention.head_count":    uint32(c.Heads),
		"tokenizer.ggml.bos_token_id":  uint32(c.BOS),
		"tokenizer.ggml.eos_token_id":  uint32(c.EOS),
		"general.quantization_version": uint32(2),
	}}
	if a == "gpt2" {
		file.Metadata[a+".attention.layer_norm_epsilon"] = float32(c.NormEps)
	} else {
		file.Metadata[a+".attention.head_count_kv"] = uint32(c.KVHeads)
		file.Metadata[a+".attention.layer_norm_rms_epsilon"] = float32(c.NormEps)
		file.Metadata[a+".rope.freq_base"] = float32(c.RopeTheta)
		if c.HeadDim*c.Heads != c.HiddenSize {
			file.Metadata[a+".attention.key_length"] = uint32(c.HeadDim)
			file.Metadata[a+".attention.value_length"] = uint32(c.HeadDim)
		}
	}
	if a == "llama" {
		file.Metadata["llama.vocab_size"] = uint32(c.VocabSize)
		file.Metadata["llama.rope.dimension_count"] = uint32(c.HeadDim)
	}
	for _, id := range []string{"bos", "eos"} {
		if file.Metadata["tokenizer.ggml."+id+"_token_id"] == uint32(math.MaxUint32) {
			delete(file.Metadata, "tokenizer.ggml."+id+"_token_id")
		}
	}
	switch c.Rope.Kind {
	case RopeLinear:
		file.Metadata[a+".rope.scaling.type"] = "linear"
		file.Metadata[a+".rope.scaling.factor"] = float32(c.Rope.Factor)
	case RopeLlama3:
		file.Tensors = append(file.Tensors, frequencyFactors(c.RopeTheta, c.HeadDim, c.Rope))
	}
	for _, name := range checkpoint.Names() {
		info, err := checkpoint.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float32, elements(info.Shape))
		if err := checkpoint.ReadF32(name, values); err != nil {
			t.Fatal(err)
		}
		if a == "llama" && strings.HasSuffix(name, "q_proj.weight") {
			values = inPairs(values, c.Heads, c.HeadDim)
		}
		if a == "llama" && strings.HasSuffix(name, "k_proj.weight") {
			values = inPairs(values, c.KVHeads, c.HeadDim)
		}
		kind := "F32"
		if len(info.Shape) > 1 {
			kind = matrices
		}
		if kind == "Q8_0" && info.Shape[len(info.Shape)-1]%32 != 0 {
			kind = "F16" // as the converter falls back
		}
		ne := slices.Clone(info.Shape)
		slices.Reverse(ne)
		file.add(convertedName(name), ne, kind, values)
	}
	return file
}

// convertedName is tensor_mapping.py for these architectures, word by word.
func convertedName(name string) string {
	name = strings.NewReplacer("model.layers.", "blk.", "transformer.h.", "blk.").Replace(name)
	for _, pair := range [][2]string{
		{"model.embed_tokens", "token_embd"},
		{"model.norm", "output_norm"},
		{"lm_head", "output"},
		{"transformer.wte", "token_embd"},
		{"transformer.wpe", "position_embd"},
		{"transformer.ln_f", "output_norm"},
		{"input_layernorm", "attn_norm"},
		{"post_attention_layernorm", "ffn_norm"},
		{"self_attn.q_proj", "attn_q"},
		{"self_attn.k_proj", "attn_k"},
		{"self_attn.v_proj", "attn_v"},
		{"self_attn.o_proj", "attn_output"},
		{"self_attn.q_norm", "attn_q_norm"},
		{"self_attn.k_norm", "attn_k_norm"},
		{"mlp.gate_proj", "ffn_gate"},
		{"mlp.up_proj", "ffn_up"},
		{"mlp.down_proj", "ffn_down"},
		{".ln_1", ".attn_norm"},
		{".ln_2", ".ffn_norm"},
		{"attn.c_attn", "attn_qkv"},
		{"attn.c_proj", "attn_output"},
		{"mlp.c_fc", "ffn_up"},
		{"mlp.c_proj", "ffn_down"},
	} {
		if strings.Contains(name, pair[0]+".") {
			return strings.Replace(name, pair[0]+".", pair[1]+".", 1)
		}
	}
	return name
}

// inPairs is the converter's permute: [heads, 2, D/2, inputs] to [heads, D/2, 2,
// inputs].
func inPairs(values []float32, heads, headDim int) []float32 {
	inputs := len(values) / (heads * headDim)
	var out []float32
	for head := range slices.Chunk(values, headDim*inputs) {
		upper := head[headDim/2*inputs:]
		for i := range headDim / 2 {
			out = append(out, head[i*inputs:(i+1)*inputs]...)
			out = append(out, upper[i*inputs:(i+1)*inputs]...)
		}
	}
	return out
}

// frequencyFactors is what the converter writes for Llama 3's scaling, by wave
// lengths as it does.
func frequencyFactors(theta float64, headDim int, s RopeScaling) GGUFTensor {
	var data []byte
	for i := range headDim / 2 {
		frequency := 1 / math.Pow(theta, float64(2*i)/float64(headDim))
		length, original := 2*math.Pi/frequency, float64(s.OriginalPositions)
		factor := 1.0
		switch {
		case length < original/s.HighFactor:
		case length > original/s.LowFactor:
			factor = s.Factor
		default:
			smooth := (original/length - s.LowFactor) / (s.HighFactor - s.LowFactor)
			factor = 1 / ((1-smooth)/s.Factor + smooth)
		}
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(factor)))
	}
	return GGUFTensor{"rope_freqs.weight", []int{headDim / 2}, 0, data}
}

// add appends a tensor of kind F32, F16 or Q8_0.
func (f *GGUFFile) add(name string, ne []int, kind string, values []float32) {
	tensor := GGUFTensor{Name: name, NE: ne}
	switch kind {
	case "F32":
		for _, value := range values {
			tensor.Data = binary.LittleEndian.AppendUint32(tensor.Data, math.Float32bits(value))
		}
	case "F16":
		tensor.Type = 1
		for _, value := range values {
			tensor.Data = binary.LittleEndian.AppendUint16(tensor.Data, half.FromFloat(value))
		}
	case "Q8_0": // a scale of amax / 127 for 32 values, and they rounded
		tensor.Type = 8
		for block := range slices.Chunk(values, 32) {
			largest := 0.0
			for _, value := range block {
				largest = max(largest, math.Abs(float64(value)))
			}
			scale := largest / 127
			tensor.Data = binary.LittleEndian.AppendUint16(tensor.Data, half.FromFloat(float32(scale)))
			for _, value := range block {
				tensor.Data = append(tensor.Data, byte(int8(math.Round(float64(value)/max(scale, 1e-30)))))
			}
		}
	}
	f.Tensors = append(f.Tensors, tensor)
}

// tensor returns a tensor to change.
func (f *GGUFFile) tensor(name string) *GGUFTensor {
	at := slices.IndexFunc(f.Tensors, func(t GGUFTensor) bool { return t.Name == name })
	return &f.Tensors[at]
}

// Bytes writes version 3 with alignment 32.
func (f *GGUFFile) Bytes() []byte {
	text := func(out []byte, s string) []byte {
		return append(binary.LittleEndian.AppendUint64(out, uint64(len(s))), s...)
	}
	out := append([]byte("GGUF"), 3, 0, 0, 0)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(f.Tensors)))
	out = binary.LittleEndian.AppendUint64(out, uint64(len(f.Metadata)))
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		out = appendValue(text(out, key), f.Metadata[key], text)
	}
	padded := func(size int) int { return (size + 31) / 32 * 32 }
	offset := 0
	for _, tensor := range f.Tensors {
		out = binary.LittleEndian.AppendUint32(text(out, tensor.Name), uint32(len(tensor.NE)))
		for _, dim := range tensor.NE {
			out = binary.LittleEndian.AppendUint64(out, uint64(dim))
		}
		out = binary.LittleEndian.AppendUint32(out, tensor.Type)
		out = binary.LittleEndian.AppendUint64(out, uint64(offset))
		offset += padded(len(tensor.Data))
	}
	out = append(out, make([]byte, padded(len(out))-len(out))...)
	for _, tensor := range f.Tensors {
		out = append(out, tensor.Data...)
		out = append(out, make([]byte, padded(len(tensor.Data))-len(tensor.Data))...)
	}
	return out
}

// appendValue writes the value's type and the value.
func appendValue(out []byte, value any, text func([]byte, string) []byte) []byte {
	kind := func(number uint32) { out = binary.LittleEndian.AppendUint32(out, number) }
	list := func(number uint32, count int) {
		kind(9)
		kind(number)
		out = binary.LittleEndian.AppendUint64(out, uint64(count))
	}
	switch value := value.(type) {
	case uint32:
		kind(4)
		kind(value)
	case int32:
		kind(5)
		kind(uint32(value))
	case float32:
		kind(6)
		kind(math.Float32bits(value))
	case float64:
		kind(12)
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(value))
	case bool:
		kind(7)
		out = append(out, map[bool]byte{true: 1}[value])
	case string:
		kind(8)
		out = text(out, value)
	case []string:
		list(8, len(value))
		for _, s := range value {
			out = text(out, s)
		}
	case []float32:
		list(6, len(value))
		for _, x := range value {
			kind(math.Float32bits(x))
		}
	case []int32:
		list(5, len(value))
		for _, x := range value {
			kind(uint32(x))
		}
	default:
		panic(fmt.Sprintf("%T", value))
	}
	return out
}

// Save writes the file for Open.
func (f *GGUFFile) Save(t testing.TB, path string) {
	t.Helper()
	if err := os.WriteFile(path, f.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
