package importer

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// Each change makes a sound file one that must be refused by name.
func TestMalformedGGUF(t *testing.T) {
	llama := small(false)
	llama.Interleaved = false
	sources := map[string]fixed{"llama": {llama, randomWeights(llama, 0)}}
	for name, config := range map[string]Config{"qwen3": qwen3Config(), "gpt2": gpt2Config()} {
		sources[name] = fixed{config, randomWeights(config, 0)}
	}
	set := func(key string, value any) func(*GGUFFile) { return func(f *GGUFFile) { f.Metadata[key] = value } }
	unset := func(key string) func(*GGUFFile) { return func(f *GGUFFile) { delete(f.Metadata, key) } }
	drop := func(name string) func(*GGUFFile) {
		return func(f *GGUFFile) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t GGUFTensor) bool { return t.Name == name })
		}
	}
	rename := func(name, to string) func(*GGUFFile) { return func(f *GGUFFile) { f.tensor(name).Name = to } }
	reshape := func(name string, ne ...int) func(*GGUFFile) {
		return func(f *GGUFFile) { f.tensor(name).NE = ne }
	}
	extra := func(name string, ne []int, values ...float32) func(*GGUFFile) {
		return func(f *GGUFFile) { f.add(name, ne, "F32", values) }
	}
	ones := func(count int, last float32) []float32 { return append(slices.Repeat([]float32{1}, count-1), last) }
	for _, test := range []struct {
		model  string
		change func(*GGUFFile)
		kind   error
		want   string
	}{
		{"llama", unset("general.architecture"), ErrUnsupported, `general.architecture ""`},
		{"llama", set("general.architecture", "gemma3"), ErrUnsupported, `general.architecture "gemma3"`},
		{"llama", set("general.architecture", "opt"), ErrUnsupported, `general.architecture "opt"`},
		{"llama", set("general.architecture", uint32(7)), ErrInvalid, "general.architecture"},
		{"llama", set("general.architecture", "qwen2"), ErrInvalid, "qwen2."},
		{"llama", set("general.type", "adapter"), ErrUnsupported, `general.type "adapter"`},
		{"llama", set("split.count", uint32(3)), ErrUnsupported, "split.count 3"},
		{"llama", set("general.alignment", uint32(7)), ErrInvalid, "alignment"},
		{"llama", unset("llama.embedding_length"), ErrInvalid, "llama.embedding_length is not given"},
		{"llama", unset("llama.feed_forward_length"), ErrInvalid, "llama.feed_forward_length is not given"},
		{"llama", unset("llama.block_count"), ErrInvalid, "llama.block_count is not given"},
		{"llama", unset("llama.attention.head_count"), ErrInvalid, "llama.attention.head_count is not given"},
		{"llama", unset("llama.context_length"), ErrInvalid, "llama.context_length is not given"},
		{"llama", unset("llama.attention.layer_norm_rms_epsilon"), ErrInvalid, "layer_norm_rms_epsilon is not given"},
		{"llama", set("llama.attention.layer_norm_rms_epsilon", float32(math.NaN())), ErrInvalid, "layer_norm_rms_epsilon NaN"},
		{"llama", set("llama.attention.layer_norm_rms_epsilon", uint32(1)), ErrInvalid, "layer_norm_rms_epsilon"},
		{"llama", set("llama.embedding_length", uint32(0)), ErrInvalid, "llama.embedding_length 0"},
		{"llama", set("llama.embedding_length", uint32(49)), ErrInvalid, "no multiple of llama.attention.head_count 2"},
		{"gpt2", set("gpt2.embedding_length", uint32(9)), ErrInvalid, "found shape [9 6], want [9 9]"},
		{"llama", set("llama.embedding_length", uint32(math.MaxUint32)), ErrInvalid, "llama.embedding_length 4294967295"},
		{"llama", set("llama.embedding_length", int32(-48)), ErrInvalid, "-48"},
		{"llama", set("llama.embedding_length", "48"), ErrInvalid, "llama.embedding_length"},
		{"llama", set("llama.feed_forward_length", []int32{96, 96, 96}), ErrUnsupported, "differs from layer to layer"},
		{"llama", set("llama.feed_forward_length", uint32(95)), ErrInvalid, "want [95 48]"},
		{"llama", set("llama.block_count", uint32(0)), ErrInvalid, "llama.block_count 0"},
		{"llama", set("llama.block_count", uint32(4)), ErrInvalid, `"blk.3.attn_norm.weight": missing`},
		{"llama", set("llama.block_count", uint32(4096)), ErrInvalid, `"blk.3.attn_norm.weight": missing`},
		{"llama", set("llama.block_count", uint32(5000)), ErrInvalid, "llama.block_count 5000"},
		{"llama", set("llama.block_count", uint32(2)), ErrUnsupported, `"blk.2.attn_norm.weight"`},
		{"llama", set("llama.attention.head_count", uint32(0)), ErrInvalid, "llama.attention.head_count 0"},
		{"llama", set("llama.attention.head_count", uint32(16)), ErrUnsupported, "llama.rope.dimension_count 24"},
		{"llama", set("llama.attention.head_count_kv", uint32(0)), ErrInvalid, "head_count_kv 0"},
		{"llama", set("llama.attention.head_count_kv", uint32(3)), ErrInvalid, "no multiple of llama.attention.head_count_kv 3"},
		{"llama", set("llama.attention.head_count_kv", uint32(2)), ErrInvalid, `"blk.0.attn_k.weight": found shape [24 48], want [48 48]`},
		{"llama", set("llama.attention.key_length", uint32(12)), ErrUnsupported, "llama.rope.dimension_count 24"},
		{"llama", set("llama.attention.value_length", uint32(12)), ErrUnsupported, "llama.attention.value_length 12"},
		{"llama", set("llama.rope.dimension_count", uint32(12)), ErrUnsupported, "llama.rope.dimension_count 12"},
		{"llama", set("llama.rope.freq_base", float32(0)), ErrInvalid, "rope_theta 0"},
		{"llama", set("llama.rope.freq_base", float32(math.Inf(1))), ErrInvalid, "rope_theta +Inf"},
		{"llama", set("llama.rope.scaling.type", "yarn"), ErrUnsupported, `llama.rope.scaling.type "yarn"`},
		{"llama", set("llama.rope.scaling.factor", float32(-2)), ErrInvalid, "llama.rope.scaling.factor -2"},
		{"llama", set("llama.rope.scaling.factor", float32(math.NaN())), ErrInvalid, "llama.rope.scaling.factor NaN"},
		{"llama", set("llama.rope.scaling.attn_factor", float32(1.2)), ErrUnsupported, "llama.rope.scaling.attn_factor 1.2"},
		{"llama", set("llama.context_length", uint32(0)), ErrInvalid, "llama.context_length 0"},
		{"llama", set("llama.vocab_size", uint32(41)), ErrInvalid, `"token_embd.weight": found shape [40 48], want [41 48]`},
		{"llama", set("llama.vocab_size", uint32(1<<25)), ErrInvalid, "llama.vocab_size 33554432"},
		{"llama", set("llama.expert_count", uint32(8)), ErrUnsupported, "llama.expert_count 8"},
		{"llama", set("llama.attention.sliding_window", uint32(4)), ErrUnsupported, "llama.attention.sliding_window 4"},
		{"llama", set("llama.attention.causal", false), ErrUnsupported, "llama.attention.causal false"},
		{"llama", set("llama.attention.causal", uint32(1)), ErrInvalid, "llama.attention.causal"},
		{"llama", set("llama.logit_scale", float32(2)), ErrUnsupported, "llama.logit_scale 2"},
		{"llama", set("tokenizer.ggml.bos_token_id", uint32(40)), ErrInvalid, "bos_token_id 40"},
		{"llama", set("tokenizer.ggml.eos_token_id", uint32(math.MaxUint32)), ErrInvalid, "eos_token_id 4294967295"},
		{"llama", drop("token_embd.weight"), ErrInvalid, `"token_embd.weight": missing`},
		{"llama", drop("blk.1.ffn_gate.weight"), ErrInvalid, `"blk.1.ffn_gate.weight": missing`},
		{"llama", drop("output_norm.weight"), ErrInvalid, `"output_norm.weight": missing`},
		{"llama", rename("blk.1.attn_q.weight", "blk.1.attn_qkv.weight"), ErrUnsupported, `"blk.1.attn_qkv.weight"`},
		{"llama", rename("blk.1.attn_q.weight", "blk.01.attn_q.weight"), ErrUnsupported, `"blk.01.attn_q.weight"`},
		{"llama", extra("blk.0.attn_q.bias", []int{48}, make([]float32, 48)...), ErrUnsupported, `"blk.0.attn_q.bias"`},
		{"llama", extra("blk.0.attn_q_norm.weight", []int{24}, make([]float32, 24)...), ErrUnsupported, `"blk.0.attn_q_norm.weight"`},
		{"llama", extra("blk.0.ffn_gate_inp.weight", []int{1}, 1), ErrUnsupported, `"blk.0.ffn_gate_inp.weight"`},
		{"llama", extra("rope_factors_long.weight", []int{1}, 1), ErrUnsupported, `"rope_factors_long.weight"`},
		{"llama", extra("x", []int{1}, 1), ErrUnsupported, `"x"`},
		{"llama", extra("output_norm.weight", []int{1}, 1), ErrInvalid, "output_norm.weight"},
		{"llama", reshape("blk.0.attn_k.weight", 24, 48), ErrInvalid, "found shape [48 24], want [24 48]"},
		{"llama", reshape("output_norm.weight", 24, 2), ErrInvalid, "found shape [2 24], want [48]"},
		{"llama", reshape("output.weight", 48, 20), ErrInvalid, "output.weight"},
		{"llama", extra("rope_freqs.weight", []int{11}, ones(11, 1)...), ErrInvalid, "found shape [11], want [12]"},
		{"llama", extra("rope_freqs.weight", []int{12}, ones(12, 0.5)...), ErrUnsupported, "rope_freqs.weight"},
		{"llama", extra("rope_freqs.weight", []int{12}, append([]float32{8}, ones(11, 1)...)...), ErrUnsupported, "rope_freqs.weight"},
		{"llama", extra("rope_freqs.weight", []int{12}, ones(12, float32(math.NaN()))...), ErrUnsupported, "rope_freqs.weight"},
		{"llama", func(f *GGUFFile) {
			set("llama.rope.scaling.factor", float32(2))(f)
			extra("rope_freqs.weight", []int{12}, ones(12, 8)...)(f)
		}, ErrUnsupported, "beside rope.scaling.factor 2"},
		{"qwen3", func(f *GGUFFile) {
			tensor := f.tensor("blk.0.attn_q.weight")
			tensor.Type, tensor.NE, tensor.Data = 20, []int{32, 6}, make([]byte, 6*18)
		}, ErrUnsupported, `"blk.0.attn_q.weight": type IQ4_NL`},
		{"llama", func(f *GGUFFile) {
			tensor := f.tensor("output_norm.weight")
			tensor.Type, tensor.Data = 26, make([]byte, 4*48)
		}, ErrUnsupported, `"output_norm.weight": type I32`},
		{"llama", func(f *GGUFFile) { f.tensor("output_norm.weight").Type = 99 }, ErrInvalid, "output_norm.weight"},
		{"qwen3", set("qwen3.attention.key_length", uint32(7)), ErrUnsupported, "qwen3.attention.value_length 8"},
		{"qwen3", unset("qwen3.attention.key_length"), ErrInvalid, "qwen3.embedding_length 6 is no multiple"},
		{"qwen3", drop("blk.1.attn_k_norm.weight"), ErrInvalid, `"blk.1.attn_k_norm.weight": missing`},
		{"gpt2", unset("gpt2.attention.layer_norm_epsilon"), ErrInvalid, "layer_norm_epsilon is not given"},
		{"gpt2", set("gpt2.attention.head_count", uint32(4)), ErrInvalid, "no multiple of gpt2.attention.head_count 4"},
		{"gpt2", set("gpt2.attention.head_count_kv", uint32(1)), ErrUnsupported, "gpt2.attention.head_count_kv 1"},
		{"gpt2", drop("position_embd.weight"), ErrInvalid, `"position_embd.weight": missing`},
		{"gpt2", drop("blk.0.attn_qkv.bias"), ErrInvalid, `"blk.0.attn_qkv.bias": missing`},
		{"gpt2", reshape("blk.0.attn_qkv.weight", 18, 6), ErrInvalid, "found shape [6 18], want [18 6]"},
		{"gpt2", extra("rope_freqs.weight", []int{1}, 1), ErrUnsupported, "rope_freqs.weight"},
		{"gpt2", drop("token_embd.weight"), ErrInvalid, "gpt2.vocab_size is not given"},
	} {
		file := ConvertGGUF(t, sources[test.model], "F32")
		test.change(file)
		_, err := parseGGUF(file.Bytes())
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q as %v", err, test.want, test.kind)
		}
	}
}
